/* Values of documents as columns, in PostgreSQL's words. */
#include "config.h"

#include "sql/pg/pg.h"
#include "sql/views.h"

#define MARK "settle view "

/* Backslashes mean nothing in '...' unless standard_conforming_strings is off; E'...' is the same either way. */
void pg_add_view_text(struct buf *b, struct slice text)
{
	buf_str(b, "E'");
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\'' || text.ptr[i] == '\\')
			buf_ch(b, text.ptr[i]);
		buf_ch(b, text.ptr[i]);
	}
	buf_ch(b, '\'');
}

static struct slice path_array(const struct sql_view_column *c, struct arena *a)
{
	struct buf b = BUF_INIT(SQL_TEXT_MAX);
	struct slice out;

	buf_str(&b, "ARRAY[");
	for (size_t i = 0; i < c->npath; i++) {
		buf_str(&b, i ? ", " : "");
		if (c->path[i].is_position)
			buf_fmt(&b, "'%u'", c->path[i].position);
		else
			pg_add_view_text(&b, c->path[i].key);
	}
	buf_str(&b, "]::text[]");
	out = arena_slice(a, buf_slice(&b));
	buf_release(&b);
	return out;
}

#define DAY "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
#define YEAR "substr(%1, 1, 4)::int"
/* The calendar is asked before the cast, which would fail. */
#define IN_CALENDAR                                                                                                    \
	YEAR " > 0 AND substr(%1, 9, 2)::int <= CASE WHEN substr(%1, 6, 2) IN ('04', '06', '09', '11') THEN 30"        \
	     " WHEN substr(%1, 6, 2) <> '02' THEN 31"                                                                   \
	     " WHEN " YEAR " % 4 = 0 AND (" YEAR " % 100 <> 0 OR " YEAR " % 400 = 0) THEN 29 ELSE 28 END"

/* %1 stands for the value as text, %2 for the value. CASE asks one condition after the other. */
static const char *const shapes[] = {
    [SQL_VIEW_TEXT] = "%1",
    [SQL_VIEW_INTEGER] = "CASE WHEN %1 ~ '^[+-]?[0-9]{1,18}$' THEN %1::bigint END",
    [SQL_VIEW_NUMBER] = "CASE WHEN length(%1) <= 1000 AND %1 ~ '^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]{1,3})?$'"
			" THEN %1::numeric END",
    [SQL_VIEW_BOOLEAN] = "CASE %1 WHEN 'true' THEN true WHEN 'false' THEN false END",
    [SQL_VIEW_DATE] = "CASE WHEN %1 ~ '^" DAY "$' THEN CASE WHEN " IN_CALENDAR " THEN %1::date END END",
    [SQL_VIEW_TIMESTAMP] = "CASE WHEN %1 ~ '^" DAY "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?Z$' THEN"
			   " CASE WHEN " IN_CALENDAR " THEN %1::timestamptz END END",
    [SQL_VIEW_JSON] = "%2",
};

void pg_add_view_value(struct buf *b, const struct sql_view_column *c)
{
	struct arena a = ARENA_INIT;
	struct slice path = path_array(c, &a);

	for (const char *s = shapes[c->type]; *s; s++) {
		if (*s == '%' && (s[1] == '1' || s[1] == '2')) {
			s++;
			buf_fmt(b, "(\"body\" %s %.*s)", *s == '1' ? "#>>" : "#>", SLICE_ARG(path));
		} else {
			buf_ch(b, *s);
		}
	}
	arena_release(&a);
}

/* *there: something has the name; *comment: what is said of it. */
static int look_up(struct pg_target *t, struct slice name, struct arena *a, int *there, struct slice *comment, struct err *err)
{
	struct pg_params p = {0};
	PGresult *res = NULL;
	int rc;

	buf_str(pg_text(t), "SELECT coalesce(obj_description(c.oid, 'pg_class'), '') FROM pg_class c"
			    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2");
	pg_param_text(&p, slice_of(t->schema));
	pg_param_text(&p, name);
	rc = pg_run(t, &p, &res, err);
	*comment = SLICE("");
	*there = rc == 0 && PQntuples(res) > 0;
	if (*there)
		*comment = arena_slice(a, pg_bytes(res, 0, 0));
	PQclear(res);
	return rc;
}

static int run_text(struct pg_target *t, struct buf *b, struct err *err)
{
	int rc = buf_check(b, "a view's statement", err);

	return rc ? rc : pg_simple(t, b->ptr, NULL, err);
}

static int make(struct pg_target *t, struct slice quoted, struct slice select, const char *digest, int replaced, struct err *err)
{
	struct buf b = BUF_INIT(SQL_TEXT_MAX);
	int rc = 0;

	if (replaced) {
		buf_fmt(&b, "DROP VIEW %.*s", SLICE_ARG(quoted));
		rc = run_text(t, &b, err);
	}
	buf_clear(&b);
	buf_fmt(&b, "CREATE VIEW %.*s AS ", SLICE_ARG(quoted));
	buf_adds(&b, select);
	if (rc == 0)
		rc = run_text(t, &b, err);
	buf_clear(&b);
	buf_fmt(&b, "COMMENT ON VIEW %.*s IS '" MARK "%s'", SLICE_ARG(quoted), digest);
	if (rc == 0)
		rc = run_text(t, &b, err);
	buf_release(&b);
	return rc;
}

int pg_put_view(struct sql_target *base, struct slice name, struct slice select, const char *digest, struct err *err)
{
	struct pg_target *t = pg_of(base);
	struct arena a = ARENA_INIT;
	struct slice schema = sql_quote_ident(slice_of(t->schema), &a), own = sql_quote_ident(name, &a), comment;
	struct slice quoted = arena_printf(&a, "%.*s.%.*s", SLICE_ARG(schema), SLICE_ARG(own));
	int there = 0, rc = look_up(t, name, &a, &there, &comment, err);

	if (rc == 0 && there && !slice_starts(comment, SLICE(MARK)))
		rc = sql_view_taken(err);
	else if (rc == 0 && !slice_eq(comment, arena_printf(&a, MARK "%s", digest)))
		rc = make(t, quoted, select, digest, there, err);
	arena_release(&a);
	return rc;
}
