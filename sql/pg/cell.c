/*
 * Cells in PostgreSQL's binary formats (in src/backend/utils/adt: textrecv, jsonb_recv with version byte 1, int8recv,
 * boolrecv, timestamptz_recv in microseconds since 2000-01-01, bytearecv). COPY fields and array elements share the
 * same framing: a four byte length, -1 for NULL, then the bytes.
 */
#include "config.h"

#include "base/datetime.h"
#include "base/number.h"
#include "sql/pg/pg.h"

#include <inttypes.h>
#include <stdio.h>

#define PG_EPOCH_US INT64_C(946684800000000)  /* 2000-01-01 since 1970-01-01 */
#define PG_MAX_FIELD (((size_t)1 << 30) - 64) /* MaxAllocSize less what the server puts before a value */
#define JSONB_VERSION 1

void pg_add_u16(struct buf *b, unsigned value)
{
	const unsigned char bytes[2] = {(unsigned char)(value >> 8), (unsigned char)value};

	buf_add(b, bytes, sizeof(bytes));
}

void pg_add_u32(struct buf *b, uint32_t value)
{
	pg_add_u16(b, value >> 16);
	pg_add_u16(b, value & 0xffff);
}

void pg_add_u64(struct buf *b, uint64_t value)
{
	pg_add_u32(b, (uint32_t)(value >> 32));
	pg_add_u32(b, (uint32_t)value);
}

static uint64_t read_u64(const char *bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | (unsigned char)bytes[i];
	return value;
}

uint32_t pg_type_oid(enum sql_type type)
{
	static const uint32_t oids[] = {
	    [SQL_TEXT] = 25, [SQL_JSON] = 3802, [SQL_BOOL] = 16, [SQL_INT] = 20, [SQL_TIME] = 1184, [SQL_BYTES] = 17,
	};

	return oids[type];
}

static int bad_cell(const struct sql_column *c, const char *what, struct err *err)
{
	return err_set(err, ERR_INTERNAL, "cell for column %s is not %s", c->name, what);
}

static int add_int(struct buf *b, const struct sql_column *c, struct slice cell, struct err *err)
{
	long long value;

	if (!number_to_i64(cell, &value))
		return bad_cell(c, "an integer", err);
	pg_add_u32(b, 8);
	pg_add_u64(b, (uint64_t)value);
	return 0;
}

static int add_time(struct buf *b, const struct sql_column *c, struct slice cell, struct err *err)
{
	int64_t us;

	if (!sql_is_time(cell, &us))
		return bad_cell(c, "a canonical date-time", err);
	pg_add_u32(b, 8);
	pg_add_u64(b, (uint64_t)(us - PG_EPOCH_US));
	return 0;
}

static int add_bool(struct buf *b, const struct sql_column *c, struct slice cell, struct err *err)
{
	if (cell.len != 1 || (*cell.ptr != 't' && *cell.ptr != 'f'))
		return bad_cell(c, "t or f", err);
	pg_add_u32(b, 1);
	buf_ch(b, *cell.ptr == 't');
	return 0;
}

int pg_cell_head(struct buf *b, const struct sql_column *c, struct slice cell, int *body_inline, struct err *err)
{
	*body_inline = 1;
	if (!cell.ptr) {
		pg_add_u32(b, UINT32_MAX);
		return 0;
	}
	if (cell.len > PG_MAX_FIELD)
		return err_set(err, ERR_LIMIT, "cell for column %s is larger than PostgreSQL can hold", c->name);
	switch (c->type) {
	case SQL_INT:
		return add_int(b, c, cell, err);
	case SQL_TIME:
		return add_time(b, c, cell, err);
	case SQL_BOOL:
		return add_bool(b, c, cell, err);
	case SQL_JSON:
		pg_add_u32(b, (uint32_t)cell.len + 1);
		buf_ch(b, JSONB_VERSION);
		break;
	case SQL_TEXT:
	case SQL_BYTES:
		pg_add_u32(b, (uint32_t)cell.len);
		break;
	}
	*body_inline = 0;
	return 0;
}

int pg_cell_add(struct buf *b, const struct sql_column *c, struct slice cell, struct err *err)
{
	int complete;
	int rc = pg_cell_head(b, c, cell, &complete, err);

	if (rc == 0 && !complete)
		buf_adds(b, cell);
	return rc;
}

/* ---- reading ---- */

int64_t pg_int(const PGresult *res, int row, int col)
{
	const char *bytes = PQgetvalue(res, row, col);

	return PQgetlength(res, row, col) == 1 ? *bytes : (int64_t)read_u64(bytes);
}

struct slice pg_bytes(const PGresult *res, int row, int col)
{
	if (PQgetisnull(res, row, col))
		return SLICE_NONE;
	return (struct slice){PQgetvalue(res, row, col), (size_t)PQgetlength(res, row, col)};
}

/* An upper bound of the bytes a cell takes in the arena. */
static size_t room_for(enum sql_type type, struct slice value)
{
	if (!value.ptr || type == SQL_BOOL)
		return 0;
	return type == SQL_INT || type == SQL_TIME ? DATETIME_TEXT_SIZE : value.len;
}

static struct slice copy(char **at, const char *bytes, size_t len)
{
	struct slice s = {*at, len};

	if (len > 0)
		memcpy(*at, bytes, len);
	*at += len;
	return s;
}

static int read_time(const struct sql_column *c, const char *bytes, char **at, struct slice *out, struct err *err)
{
	int64_t us = (int64_t)read_u64(bytes);
	int len;

	/* infinity and what is near it would wrap around */
	if (us > INT64_MAX - PG_EPOCH_US || !datetime_format(us + PG_EPOCH_US, *at))
		return err_set(err, ERR_TARGET, "target: column %s holds a time outside the years 0001 to 9999",
			       c->name);
	len = (int)strlen(*at);
	*out = (struct slice){*at, (size_t)len};
	*at += len;
	return 0;
}

static int read_cell(const struct sql_column *c, struct slice value, char **at, struct slice *out, struct err *err)
{
	char text[24];

	if (!value.ptr) {
		*out = SLICE_NONE;
		return 0;
	}
	switch (c->type) {
	case SQL_TIME:
		return read_time(c, value.ptr, at, out, err);
	case SQL_BOOL:
		*out = *value.ptr ? SLICE("t") : SLICE("f");
		return 0;
	case SQL_INT:
		*out = copy(at, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, (int64_t)read_u64(value.ptr)));
		return 0;
	case SQL_JSON:
		*out = copy(at, value.ptr + 1, value.len - 1);
		return 0;
	case SQL_TEXT:
	case SQL_BYTES:
		break;
	}
	*out = copy(at, value.ptr, value.len);
	return 0;
}

/* Columns from..to-1 of the table from result columns first.. on; the other cells are NULL. */
int pg_row_read(const PGresult *res, int row, int first, const struct sql_table *table, int from, int to,
		struct arena *a, struct sql_row *out, struct err *err)
{
	size_t room = 1;
	char *at;
	int rc = 0;

	for (int c = from; c < to; c++)
		room += room_for(table->columns[c].type, pg_bytes(res, row, first + c - from));
	out->cells = ARENA_ARRAY(a, (size_t)table->ncolumns, struct slice);
	at = arena_alloc(a, room);
	for (int c = from; c < to && rc == 0; c++)
		rc = read_cell(&table->columns[c], pg_bytes(res, row, first + c - from), &at, &out->cells[c], err);
	return rc;
}
