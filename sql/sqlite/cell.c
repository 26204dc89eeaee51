/* Cells as SQLite holds them: text, JSON and times as TEXT, booleans as 0 and 1, bytes as BLOB. */
#include "config.h"

#include "base/number.h"
#include "sql/sqlite/sqlite.h"

#include <inttypes.h>

static int bad_cell(const struct sql_column *c, const char *what, struct err *err)
{
	return err_set(err, ERR_INTERNAL, "cell for column %s is not %s", c->name, what);
}

static int bind_int(struct lite_stmt *s, int n, const struct sql_column *c, struct slice cell, struct err *err)
{
	long long value;

	if (!number_to_i64(cell, &value))
		return bad_cell(c, "an integer", err);
	lite_bind_int(s, n, value);
	return 0;
}

static int bind_bool(struct lite_stmt *s, int n, const struct sql_column *c, struct slice cell, struct err *err)
{
	if (!slice_is(cell, "t") && !slice_is(cell, "f"))
		return bad_cell(c, "t or f", err);
	lite_bind_int(s, n, *cell.ptr == 't');
	return 0;
}

int sqlite_bind(struct lite_stmt *s, int n, const struct sql_column *c, struct slice cell, struct err *err)
{
	if (!cell.ptr) {
		lite_bind_null(s, n);
		return 0;
	}
	switch (c->type) {
	case SQL_INT:
		return bind_int(s, n, c, cell, err);
	case SQL_BOOL:
		return bind_bool(s, n, c, cell, err);
	case SQL_BYTES:
		lite_bind_bytes(s, n, cell);
		return 0;
	case SQL_TIME:
		if (!sql_is_time(cell, NULL))
			return bad_cell(c, "a canonical date-time", err);
		break;
	case SQL_TEXT:
	case SQL_JSON:
		break;
	}
	lite_bind_text(s, n, cell);
	return 0;
}

struct slice sqlite_cell(struct lite_stmt *s, int n, enum sql_type type, struct arena *a)
{
	struct slice text;

	if (lite_is_null(s, n))
		return SLICE_NONE;
	if (type == SQL_BOOL)
		return lite_int(s, n) ? SLICE("t") : SLICE("f");
	if (type == SQL_INT)
		return arena_printf(a, "%" PRId64, lite_int(s, n));
	text = lite_text(s, n);
	return text.ptr ? arena_slice(a, text) : SLICE("");
}

struct sql_row sqlite_row(struct lite_stmt *s, const struct sql_table *table, int from, int to, struct arena *a)
{
	struct sql_row row = {ARENA_ARRAY(a, (size_t)table->ncolumns, struct slice)};

	for (int c = from; c < to; c++)
		row.cells[c] = sqlite_cell(s, c - from, table->columns[c].type, a);
	return row;
}
