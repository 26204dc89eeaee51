/* "columns": typed columns of plain documents, a view per doc type. */
#include "config.h"

#include "profile/profile_internal.h"

#include <strings.h>

#define MAX_NAME 63 /* bytes: PostgreSQL cuts longer ones */

static const char *const column_keys[] = {"path", "type", NULL};

/* Tables of the target and columns that every view has (sql/tables.c). */
static const char *const table_names[] = {"forms",       "case_transactions", "cases",     "case_indices",
					  "attachments", "form_operations",   "documents", NULL};
static const char *const fixed_columns[] = {"domain", "doc_id", NULL};

static const char *const type_names[] = {
    [PROFILE_TEXT] = "text",	   [PROFILE_INTEGER] = "integer",     [PROFILE_NUMBER] = "number", [PROFILE_BOOLEAN] = "boolean",
    [PROFILE_DATE] = "date",	   [PROFILE_TIMESTAMP] = "timestamp", [PROFILE_JSON] = "json",
};

/* SQLite does not tell identifiers apart by case. */
static int same_name(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

static int is_among(struct slice name, const char *const *names)
{
	for (; *names; names++)
		if (same_name(name, slice_of(*names)))
			return 1;
	return 0;
}

static int has_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20)
			return 1;
	return 0;
}

static void check_name(struct reader *r, const struct json *at, struct slice name, const char *what)
{
	if (name.len == 0)
		found_key(r, at, "a %s has no name", what);
	else if (name.len > MAX_NAME)
		found_key(r, at, "the name of a %s is no longer than %d bytes, this one has %zu", what, MAX_NAME, name.len);
	else if (has_control(name))
		found_key(r, at, "the name of a %s holds a control character", what);
}

/* ---- paths ---- */

static void read_key(struct reader *r, const struct json *v, struct profile_step *out)
{
	out->key = v->text;
	for (size_t i = 0; i < v->text.len; i++)
		if (v->text.ptr[i] == '"' || v->text.ptr[i] == '\\' || (unsigned char)v->text.ptr[i] < 0x20) {
			found(r, FINDING_ERROR, v, "a key with a quote, a backslash or a control character cannot be a column's");
			return;
		}
}

static void read_position(struct reader *r, const struct json *v, struct profile_step *out)
{
	out->is_position = 1;
	for (size_t i = 0; i < v->text.len; i++) {
		if (v->text.ptr[i] < '0' || v->text.ptr[i] > '9' || i > 8) {
			found(r, FINDING_ERROR, v, "a list position is a whole number from 0 on");
			return;
		}
		out->position = out->position * 10 + (uint32_t)(v->text.ptr[i] - '0');
	}
}

static void read_path(struct reader *r, const struct json *v, struct profile_column *out)
{
	struct profile_step *path;

	if (v->type != JSON_ARRAY || v->count == 0) {
		found(r, FINDING_ERROR, v, "\"path\" is a list of keys and list positions");
		return;
	}
	path = ARENA_ARRAY(r->a, v->count, struct profile_step);
	for (uint32_t i = 0; i < v->count; i++) {
		if (v->items[i].type == JSON_STRING)
			read_key(r, &v->items[i], &path[i]);
		else if (v->items[i].type == JSON_NUMBER)
			read_position(r, &v->items[i], &path[i]);
		else
			found(r, FINDING_ERROR, &v->items[i], "a path element is a key or a list position");
	}
	out->path = path;
	out->npath = v->count;
}

/* ---- columns ---- */

static void read_type(struct reader *r, const struct json *v, struct profile_column *out)
{
	struct slice name = member_text(r, v, "type", REQUIRED);

	for (size_t i = 0; name.ptr && i < sizeof(type_names) / sizeof(*type_names); i++) {
		if (slice_is(name, type_names[i])) {
			out->type = (enum profile_column_type)i;
			return;
		}
	}
	if (name.ptr)
		found(r, FINDING_ERROR, json_gets(v, "type"),
		      "unknown type (known: text, integer, number, boolean, date, timestamp, json)");
}

static void read_column(struct reader *r, const struct json_member *m, struct profile_view *view,
			struct profile_column *columns)
{
	struct profile_column c = {.name = m->key};
	const struct json *path = json_gets(&m->value, "path");

	if (m->value.type != JSON_OBJECT) {
		found(r, FINDING_ERROR, &m->value, "a column is {\"path\", \"type\"}");
		return;
	}
	check_name(r, &m->value, c.name, "column");
	if (is_among(c.name, fixed_columns))
		found_key(r, &m->value, "every view has a column \"%.*s\" already", SLICE_ARG(c.name));
	for (size_t i = 0; i < view->n_columns; i++)
		if (same_name(columns[i].name, c.name))
			found_key(r, &m->value, "column \"%.*s\" differs from \"%.*s\" only in case", SLICE_ARG(c.name),
				  SLICE_ARG(columns[i].name));
	check_keys(r, &m->value, column_keys);
	read_type(r, &m->value, &c);
	if (path)
		read_path(r, path, &c);
	else
		found(r, FINDING_ERROR, &m->value, "a column needs \"path\"");
	columns[view->n_columns++] = c;
}

static void check_kind(struct reader *r, const struct draft *d, const struct json_member *m)
{
	for (size_t i = 0; i < d->out->n_kinds; i++)
		if (slice_eq(d->out->kinds[i].name, m->key) && d->out->kinds[i].cls != PROFILE_DOCUMENT)
			found_key(r, &m->value, "\"%.*s\" is no plain document: it has columns of its own",
				  SLICE_ARG(m->key));
}

static void read_view(struct reader *r, struct draft *d, const struct json_member *m, struct profile_view *views)
{
	struct profile_view view = {.doc_type = m->key};
	struct profile_column *columns;

	check_name(r, &m->value, m->key, "view");
	if (is_among(m->key, table_names) || (m->key.len >= 7 && strncasecmp(m->key.ptr, "settle_", 7) == 0))
		found_key(r, &m->value, "a view cannot have the name of a table of settle");
	for (size_t i = 0; i < d->out->n_views; i++)
		if (same_name(views[i].doc_type, m->key))
			found_key(r, &m->value, "view \"%.*s\" differs from \"%.*s\" only in case", SLICE_ARG(m->key),
				  SLICE_ARG(views[i].doc_type));
	check_kind(r, d, m);
	if (m->value.type != JSON_OBJECT || m->value.count == 0) {
		found(r, FINDING_ERROR, &m->value, "columns of a doc type are {NAME: {\"path\", \"type\"}}");
		return;
	}
	columns = ARENA_ARRAY(r->a, m->value.count, struct profile_column);
	for (uint32_t i = 0; i < m->value.count; i++)
		read_column(r, &m->value.members[i], &view, columns);
	view.columns = columns;
	views[d->out->n_views++] = view;
}

void read_columns(struct reader *r, struct draft *d)
{
	const struct json *v = member(r, r->root, "columns", JSON_OBJECT, OPTIONAL);
	struct profile_view *views;

	if (!v || v->count == 0)
		return;
	views = ARENA_ARRAY(r->a, v->count, struct profile_view);
	for (uint32_t i = 0; i < v->count; i++)
		read_view(r, d, &v->members[i], views);
	d->out->views = views;
}
