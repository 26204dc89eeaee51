/* Values of documents as columns, in SQLite's words. */
#include "config.h"

#include "sql/sqlite/sqlite.h"
#include "sql/views.h"

#define MARK "/* settle view "

void sqlite_add_view_text(struct buf *b, struct slice text)
{
	sql_add_literal(b, text);
}

static struct slice path_literal(const struct sql_view_column *c, struct arena *a)
{
	struct buf path = BUF_INIT(SQL_TEXT_MAX), literal = BUF_INIT(SQL_TEXT_MAX);
	struct slice out;

	buf_ch(&path, '$');
	for (size_t i = 0; i < c->npath; i++) {
		if (c->path[i].is_position)
			buf_fmt(&path, "[%u]", c->path[i].position);
		else
			buf_fmt(&path, ".\"%.*s\"", SLICE_ARG(c->path[i].key));
	}
	sql_add_literal(&literal, buf_slice(&path));
	out = arena_slice(a, buf_slice(&literal));
	buf_release(&path);
	buf_release(&literal);
	return out;
}

#define DAY "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]"

/* %1 stands for the value, %2 for its JSON type, %3 for the path. CASE asks one condition after the other. */
static const char *const shapes[] = {
    [SQL_VIEW_TEXT] = "CASE %2 WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(%1 AS TEXT) END",
    [SQL_VIEW_INTEGER] = "CASE WHEN %2 IN ('integer', 'text') AND length(ltrim(CAST(%1 AS TEXT), '+-')) BETWEEN 1 AND 18"
			 " AND length(CAST(%1 AS TEXT)) - length(ltrim(CAST(%1 AS TEXT), '+-')) <= 1"
			 " AND ltrim(CAST(%1 AS TEXT), '+-') NOT GLOB '*[^0-9]*' THEN CAST(%1 AS INTEGER) END",
    [SQL_VIEW_NUMBER] = "CASE WHEN %2 IN ('integer', 'real') THEN %1 WHEN %2 = 'text' THEN CASE WHEN json_valid(%1) THEN"
			" CASE WHEN json_type(%1) IN ('integer', 'real') THEN json_extract(%1, '$') END END END",
    [SQL_VIEW_BOOLEAN] = "CASE %2 WHEN 'true' THEN 1 WHEN 'false' THEN 0 WHEN 'text' THEN"
			 " CASE %1 WHEN 'true' THEN 1 WHEN 'false' THEN 0 END END",
    [SQL_VIEW_DATE] = "CASE WHEN %2 = 'text' AND %1 GLOB '" DAY "' AND %1 > '0001' AND date(%1, '+0 days') = %1 THEN %1 END",
    [SQL_VIEW_TIMESTAMP] = "CASE WHEN %2 = 'text' AND substr(%1, 1, 19) GLOB '" DAY "T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]'"
			   " AND %1 > '0001' AND strftime('%Y-%m-%dT%H:%M:%S', substr(%1, 1, 19), '+0 days') = substr(%1, 1, 19)"
			   " AND (substr(%1, 20) = 'Z' OR (substr(%1, 20) GLOB '.[0-9]*Z' AND length(%1) <= 27"
			   " AND substr(%1, 21, length(%1) - 21) NOT GLOB '*[^0-9]*')) THEN %1 END",
    [SQL_VIEW_JSON] = "\"body\" -> %3",
};

void sqlite_add_view_value(struct buf *b, const struct sql_view_column *c)
{
	struct arena a = ARENA_INIT;
	struct slice path = path_literal(c, &a);

	for (const char *s = shapes[c->type]; *s; s++) {
		if (*s != '%' || s[1] < '1' || s[1] > '3') {
			buf_ch(b, *s);
			continue;
		}
		s++;
		if (*s == '3')
			buf_adds(b, path);
		else
			buf_fmt(b, "%s(\"body\", %.*s)", *s == '1' ? "json_extract" : "json_type", SLICE_ARG(path));
	}
	arena_release(&a);
}

/* What has the name: *there, and *text when it is a view. */
static int look_up(struct sqlite_target *t, struct slice name, struct arena *a, int *there, struct slice *text, struct err *err)
{
	struct lite_stmt *s = NULL;
	int rc;

	buf_str(sqlite_text(t), "SELECT CASE type WHEN 'view' THEN sql END FROM sqlite_master WHERE lower(name) = lower(?1)");
	rc = sqlite_stmt(t, &s, err);
	*text = SLICE_NONE;
	if (rc)
		return rc;
	lite_bind_text(s, 1, name);
	rc = lite_step(s, there, err);
	if (*there && lite_text(s, 0).ptr)
		*text = arena_slice(a, lite_text(s, 0));
	lite_done(s);
	return rc;
}

static int contains(struct slice text, const char *part)
{
	size_t n = strlen(part);

	for (size_t i = 0; i + n <= text.len; i++)
		if (memcmp(text.ptr + i, part, n) == 0)
			return 1;
	return 0;
}

static int make(struct sqlite_target *t, struct slice name, struct slice select, const char *digest, int replaced,
		struct err *err)
{
	struct arena a = ARENA_INIT;
	struct slice quoted = sql_quote_ident(name, &a);
	int rc = 0;

	if (replaced) {
		buf_fmt(sqlite_text(t), "DROP VIEW %.*s", SLICE_ARG(quoted));
		rc = sqlite_exec_text(t, err);
	}
	if (rc == 0) {
		struct buf *b = sqlite_text(t);

		buf_fmt(b, "CREATE VIEW %.*s AS " MARK "%s */ ", SLICE_ARG(quoted), digest);
		buf_adds(b, select);
		rc = sqlite_exec_text(t, err);
	}
	arena_release(&a);
	return rc;
}

int sqlite_put_view(struct sql_target *base, struct slice name, struct slice select, const char *digest, struct err *err)
{
	struct sqlite_target *t = sqlite_of(base);
	struct arena a = ARENA_INIT;
	struct slice text;
	int there = 0, rc = look_up(t, name, &a, &there, &text, err);

	if (rc == 0 && there && !contains(text, MARK))
		rc = sql_view_taken(err);
	else if (rc == 0 && !contains(text, digest))
		rc = make(t, name, select, digest, there, err);
	arena_release(&a);
	return rc;
}
