/* What a SQLite file says of its tables, and which PostgreSQL types hold what is stored in them. */
#include "config.h"

#include "tables/tables_internal.h"

#include <stdlib.h>
#include <strings.h>

static const char *copy(struct lite_stmt *s, int n, struct arena *a)
{
	struct slice text = lite_text(s, n);
	return text.ptr ? arena_str(a, text) : NULL;
}

static struct cat_column column_of(struct lite_stmt *s, struct arena *a)
{
	return (struct cat_column){
	    .name = copy(s, 0, a),
	    .type = copy(s, 1, a),
	    .not_null = (int)lite_int(s, 2),
	    .default_sql = copy(s, 3, a),
	    .key = (int)lite_int(s, 4),
	    .generated = lite_int(s, 5) > 1 ? 's' : 0,
	    .base = "",
	};
}

static int read_columns(struct lite *db, struct cat_table *t, struct arena *a, struct err *err)
{
	static const char sql[] =
	    "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1) WHERE hidden <> 1";
	struct lite_stmt *s = NULL;
	int row = 0;
	int rc = lite_stmt(db, sql, &s, err);
	if (rc == 0)
		lite_bind_text(s, 1, slice_of(t->name));
	while (rc == 0 && (rc = lite_step(s, &row, err)) == 0 && row)
		ARENA_PUSH(a, &t->columns, column_of(s, a));
	lite_done(s);
	return rc;
}

static int is_column(const struct cat_table *t, const char *name)
{
	for (size_t i = 0; i < t->columns.n; i++)
		if (strcasecmp(t->columns.v[i].name, name) == 0)
			return 1;
	return 0;
}

static const char *rowid_name(const struct cat_table *t)
{
	static const char *const names[] = {"rowid", "_rowid_", "oid"};
	for (int i = 0; i < 3; i++)
		if (!is_column(t, names[i]))
			return names[i];
	return NULL;
}

static int number(struct lite *db, const char *sql, int64_t *out, struct err *err)
{
	struct lite_stmt *s = NULL;
	int row = 0;
	int rc = lite_stmt(db, sql, &s, err);
	if (rc == 0)
		rc = lite_step(s, &row, err);
	if (rc == 0 && row)
		*out = lite_int(s, 0);
	lite_done(s);
	return rc;
}

/* Statement texts live in the arena, which the caller keeps as long as the connection. */
static int read_sizes(struct lite *db, struct cat_table *t, struct arena *a, struct err *err)
{
	const char *name = ident(a, t->name);
	int64_t pages = 0;
	int rc = number(db, arena_printf(a, "SELECT count(*) FROM %s", name).ptr, &t->rows, err);
	if (rc == 0)
		rc = number(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", &pages, err);
	t->bytes = pages;
	return rc;
}

/* The file's bytes are shared out by rows. */
static void share_bytes(struct catalog *cat)
{
	int64_t rows = 0;
	for (size_t i = 0; i < cat->n; i++)
		rows += cat->v[i].rows;
	for (size_t i = 0; i < cat->n; i++)
		cat->v[i].bytes = rows ? (int64_t)((double)cat->v[i].bytes * (double)cat->v[i].rows / (double)rows) : 0;
}

int catalog_sqlite(struct lite *db, struct arena *a, struct catalog *out, struct err *err)
{
	static const char sql[] =
	    "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE "
	    "'sqlite\\_%' ESCAPE '\\' ORDER BY name";
	struct lite_stmt *s = NULL;
	int row = 0;
	*out = (struct catalog){0};
	int rc = lite_stmt(db, sql, &s, err);
	while (rc == 0 && (rc = lite_step(s, &row, err)) == 0 && row) {
		struct cat_table t = {.schema = "", .name = copy(s, 0, a), .kind = 'r'};
		t.rowid = lite_int(s, 1) ? "" : NULL;
		ARENA_PUSH(a, out, t);
	}
	lite_done(s);
	for (size_t i = 0; i < out->n && rc == 0; i++) {
		struct cat_table *t = &out->v[i];
		rc = read_columns(db, t, a, err);
		t->rowid = t->rowid ? NULL : rowid_name(t);
		t->date = date_in(t->name, a);
		if (rc == 0)
			rc = read_sizes(db, t, a, err);
	}
	if (rc == 0)
		share_bytes(out);
	return rc;
}

/* ---- types ---- */

struct stored { /* how many values of each storage class, and what texts look like */
	int64_t ints, reals, texts, blobs, wide, whole01, dates, times, zones, uuids, longest, jsons;
};

#define LOOKS_LIKE_DATE "GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'"
#define LOOKS_LIKE_TIME "GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-9][0-9]:[0-9][0-9]*'"

static int look(struct lite *db, const struct cat_table *t, const struct cat_column *c, struct arena *a,
		struct stored *out, struct err *err)
{
	struct lite_stmt *s = NULL;
	int row = 0;
	const char *sql =
	    arena_printf(
		a,
		"SELECT sum(k = 'integer'), sum(k = 'real'), sum(k = 'text'), sum(k = 'blob'), "
		"sum(k = 'integer' AND (v > 2147483647 OR v < -2147483648)), sum(k = 'integer' AND v IN (0, 1)), "
		"sum(k = 'text' AND v " LOOKS_LIKE_DATE "), sum(k = 'text' AND v " LOOKS_LIKE_TIME "), "
		"sum(k = 'text' AND v " LOOKS_LIKE_TIME " AND (v GLOB '*Z' OR v GLOB '*[+-][0-9][0-9]:[0-9][0-9]')), "
		"sum(k = 'text' AND length(v) = 36 AND v LIKE '________-____-____-____-____________'), max(length(v)), "
		"sum(k = 'text' AND json_valid(v)) FROM (SELECT typeof(%s) AS k, %s AS v FROM %s)",
		ident(a, c->name), ident(a, c->name), ident(a, t->name))
		.ptr;
	int rc = lite_stmt(db, sql, &s, err);
	if (rc == 0)
		rc = lite_step(s, &row, err);
	if (rc == 0 && row)
		*out = (struct stored){lite_int(s, 0), lite_int(s, 1), lite_int(s, 2),  lite_int(s, 3),
				       lite_int(s, 4), lite_int(s, 5), lite_int(s, 6),  lite_int(s, 7),
				       lite_int(s, 8), lite_int(s, 9), lite_int(s, 10), lite_int(s, 11)};
	lite_done(s);
	return rc;
}

static int declared(const char *type, const char *word)
{
	return strcasestr(type, word) != NULL;
}

/* What holds everything that is there, for a column whose declaration says nothing. */
static const char *type_of_stored(const struct stored *n)
{
	if (n->blobs && !n->texts && !n->ints && !n->reals)
		return "bytea";
	if (n->texts || n->blobs)
		return "text";
	if (n->reals)
		return "double precision";
	return n->ints ? "bigint" : "text";
}

static const char *type_of_time(const char *type, const struct stored *n)
{
	int64_t all = n->texts + n->ints + n->reals;
	if (n->texts == all && n->dates == all && all && !declared(type, "TIME"))
		return "date";
	if (n->ints + n->reals && !n->texts)
		return "timestamp with time zone";
	if (n->dates + n->times == 0 && n->texts)
		return "text";
	if (declared(type, "TIME"))
		return n->zones || declared(type, "ZONE") || declared(type, "TZ") ? "timestamp with time zone"
										  : "timestamp without time zone";
	return n->times ? (n->zones ? "timestamp with time zone" : "timestamp without time zone") : "date";
}

static const char *type_of_text(const char *type, const struct stored *n, struct arena *a)
{
	const char *bracket = strchr(type, '(');
	long most = bracket ? strtol(bracket + 1, NULL, 10) : 0;
	if (n->blobs && !n->texts && !n->ints && !n->reals)
		return "bytea";
	if (declared(type, "CHAR") && most > 0 && most <= 10485760 && n->longest <= most)
		return arena_printf(a, "character varying(%ld)", most).ptr;
	return "text";
}

static const char *type_of_number(const char *type, const struct stored *n)
{
	if (n->texts && !n->ints && !n->reals)
		return "text";
	if (declared(type, "INT"))
		return n->reals ? "double precision" : "bigint";
	if (declared(type, "REAL") || declared(type, "FLOA") || declared(type, "DOUB"))
		return "double precision";
	return "numeric";
}

/*
 * The declaration names the family (SQLite's rules of affinity, and the words people use beyond them); what is stored
 * decides within it, and overrules it where nothing stored fits.
 */
int sqlite_pg_type(struct lite *db, const struct cat_table *t, const struct cat_column *c, struct arena *a,
		   const char **out, struct err *err)
{
	const char *type = c->type ? c->type : "";
	struct stored n = {0};
	int rc = look(db, t, c, a, &n, err);
	if (rc)
		return rc;
	int64_t all = n.ints + n.reals + n.texts + n.blobs;
	if (declared(type, "BOOL"))
		*out = n.ints == n.whole01 && !n.reals && !n.blobs ? "boolean" : type_of_stored(&n);
	else if (declared(type, "DATE") || declared(type, "TIMESTAMP"))
		*out = type_of_time(type, &n);
	else if (declared(type, "UUID") && n.uuids == all)
		*out = "uuid";
	else if (declared(type, "JSON"))
		*out = n.jsons == all ? "jsonb" : "text";
	else if (declared(type, "INT") || declared(type, "REAL") || declared(type, "FLOA") || declared(type, "DOUB") ||
		 declared(type, "NUM") || declared(type, "DEC"))
		*out = type_of_number(type, &n);
	else if (declared(type, "CHAR") || declared(type, "TEXT") || declared(type, "CLOB"))
		*out = type_of_text(type, &n, a);
	else if (declared(type, "BLOB"))
		*out = n.blobs || !all ? "bytea" : type_of_stored(&n);
	else
		*out = type_of_stored(&n);
	return 0;
}
