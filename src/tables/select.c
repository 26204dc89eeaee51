/* Which rows of the manifest a command is about: by table, by date, by what has become of them. */
#include "config.h"

#include "base/datetime.h"
#include "tables/tables_internal.h"

/* Dates are taken to the first of their month. */
int month_of(const char *text, char out[11], struct err *err)
{
	if (!date_parse(slice_of(text), NULL))
		return err_set(err, ERR_USAGE, "Not a valid date: '%s'", text);
	memcpy(out, text, 8);
	memcpy(out + 8, "01", 3);
	return 0;
}

static int in_dates(const char *date, const char *start, const char *end)
{
	if (start && end)
		return date && strcmp(date, start) >= 0 && strcmp(date, end) < 0;
	if (start)
		return !date || strcmp(date, start) >= 0;
	return !end || (date && strcmp(date, end) < 0);
}

static int is_done(const struct tables_row *r)
{
	return strcmp(r->status, "done") == 0;
}

int row_is_named(const struct tables_row *row, const char *name)
{
	size_t n = strlen(row->source_schema);
	if (strcmp(row->source, name) == 0)
		return 1;
	return strncmp(name, row->source_schema, n) == 0 && name[n] == '.' && strcmp(name + n + 1, row->source) == 0;
}

static int select_table(const struct manifest_rows *all, const char *table, struct arena *a, struct manifest_rows *out,
			struct err *err)
{
	size_t named = 0;
	for (size_t i = 0; i < all->n; i++) {
		const struct tables_row *r = &all->v[i];
		if (!row_is_named(r, table))
			continue;
		named++;
		if (!is_done(r))
			ARENA_PUSH(a, out, *r);
	}
	if (named == 0)
		return err_set(err, ERR_USAGE, "No table found with name \"%s\"", table);
	if (out->n == 0)
		return err_set(err, ERR_STATE, "Table \"%s\" has already been migrated", table);
	return 0;
}

int select_rows(const struct manifest_rows *all, const struct tables_select *o, int retry_errors, struct arena *a,
		struct manifest_rows *out, struct err *err)
{
	char start[11], end[11];
	*out = (struct manifest_rows){0};
	if (o->start && month_of(o->start, start, err))
		return err->code;
	if (o->end && month_of(o->end, end, err))
		return err->code;
	if (o->table)
		return select_table(all, o->table, a, out, err);
	for (size_t i = 0; i < all->n; i++) {
		const struct tables_row *r = &all->v[i];
		if (is_done(r) || (!retry_errors && strcmp(r->status, "error") == 0))
			continue;
		if (in_dates(r->date, o->start ? start : NULL, o->end ? end : NULL))
			ARENA_PUSH(a, out, *r);
	}
	return 0;
}

int tables_status(const struct tables_env *env, const struct tables_status_options *o, tables_row_fn *fn, void *ctx,
		  struct err *err)
{
	struct arena a = ARENA_INIT;
	struct manifest m = {0};
	struct manifest_rows rows = {0};
	char start[11], end[11];
	int rc = o->start ? month_of(o->start, start, err) : 0;
	if (rc == 0 && o->end)
		rc = month_of(o->end, end, err);
	if (rc == 0)
		rc = manifest_open(&m, env->manifest, LITE_READ_ONLY, &a, err);
	if (rc == 0)
		rc = manifest_rows(&m, &a, &rows, err);
	for (size_t i = 0; i < rows.n; i++) {
		const struct tables_row *r = &rows.v[i];
		if ((o->migrated && !is_done(r)) || (o->errored && !r->error))
			continue;
		if (in_dates(r->date, o->start ? start : NULL, o->end ? end : NULL))
			fn(ctx, r);
	}
	manifest_close(&m);
	arena_release(&a);
	return rc;
}
