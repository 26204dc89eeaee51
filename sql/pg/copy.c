/*
 * Binary COPY (https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"): signature, flags, header
 * extension; per row the number of fields and each field as a length and its bytes; -1 at the end. Rows are gathered
 * into chunks; a long cell goes out straight from where it lies, so that it is not held twice.
 */
#include "config.h"

#include "sql/pg/pg.h"

#define CHUNK ((size_t)256 << 10)
#define STRAIGHT ((size_t)64 << 10) /* cells from this size are not gathered */

static int send_bytes(struct pg_target *t, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t n = len < CHUNK ? len : CHUNK;
		if (PQputCopyData(t->conn, bytes, (int)n) != 1)
			return -1;
		bytes += n;
		len -= n;
	}
	return 0;
}

static int flush(struct pg_target *t)
{
	int sent = send_bytes(t, t->out.ptr, t->out.len);

	buf_clear(&t->out);
	return sent;
}

/* *broken = 1: the connection or the server refused bytes; which of them says PQgetResult. */
static int send_cell(struct pg_target *t, const struct sql_column *c, struct slice cell, int *broken, struct err *err)
{
	int complete;
	int rc = pg_cell_head(&t->out, c, cell, &complete, err);

	if (rc || complete)
		return rc;
	if (cell.len < STRAIGHT)
		buf_adds(&t->out, cell);
	else if (flush(t) != 0 || send_bytes(t, cell.ptr, cell.len) != 0)
		*broken = 1;
	return 0;
}

static int send_row(struct pg_target *t, const struct sql_table *table, const struct sql_row *row, int64_t ordinal,
		    int *broken, struct err *err)
{
	int rc = 0;

	pg_add_u16(&t->out, (unsigned)(table->ncolumns + (ordinal >= 0)));
	if (ordinal >= 0) {
		pg_add_u32(&t->out, 8);
		pg_add_u64(&t->out, (uint64_t)ordinal);
	}
	for (int c = 0; c < table->ncolumns && rc == 0 && !*broken; c++)
		rc = send_cell(t, &table->columns[c], row->cells[c], broken, err);
	if (rc == 0 && !*broken && t->out.len >= CHUNK && flush(t) != 0)
		*broken = 1;
	return rc;
}

static int send_rows(struct pg_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
		     int64_t ordinal_from, int *broken, struct err *err)
{
	static const char signature[] = "PGCOPY\n\377\r\n"; /* and the NUL that ends it */
	int rc = 0;

	buf_clear(&t->out);
	buf_add(&t->out, signature, sizeof(signature));
	pg_add_u32(&t->out, 0);
	pg_add_u32(&t->out, 0);
	for (size_t i = 0; i < n && rc == 0 && !*broken; i++)
		rc = send_row(t, table, &rows[i], ordinal_from < 0 ? -1 : ordinal_from + (int64_t)i, broken, err);
	if (rc || *broken)
		return rc;
	pg_add_u16(&t->out, 0xffff);
	if (flush(t) != 0)
		*broken = 1;
	return 0;
}

/* Ends the COPY and takes its results; the first failure counts. */
static int end_copy(struct pg_target *t, const char *give_up, struct err *err)
{
	PGresult *res;
	int rc = PQputCopyEnd(t->conn, give_up) == 1 ? 0 : -1;
	int failed = 0;

	while ((res = PQgetResult(t->conn)) != NULL) {
		ExecStatusType status = PQresultStatus(res);
		if (!failed && (failed = pg_result_check(t, res, err)) != 0)
			rc = failed;
		PQclear(res);
		if (status == PGRES_COPY_IN) /* still there: the connection is broken */
			break;
	}
	return rc == -1 ? pg_connection_error(t, err) : rc;
}

int pg_copy(struct pg_target *t, const struct sql_table *table, const struct sql_row *rows, size_t n,
	    int64_t ordinal_from, struct err *err)
{
	struct err ignored = ERR_INIT;
	int broken = 0;
	int rc = buf_check(&t->text, "statement", err);

	if (rc == 0)
		rc = pg_simple(t, t->text.ptr, NULL, err);
	if (rc)
		return rc;
	rc = send_rows(t, table, rows, n, ordinal_from, &broken, err);
	if (rc == 0)
		return end_copy(t, broken ? "could not send" : NULL, err);
	(void)end_copy(t, "a cell could not be sent", &ignored);
	return rc;
}
