/*
 * From SQLite into PostgreSQL by COPY. Rows go in batches, each under a savepoint. When the server does not take a
 * batch, it is halved until the rows that are to blame stand alone: those are set aside with the server's reason, all
 * others go in.
 */
#include "config.h"

#include "tables/tables_internal.h"

#include <stdlib.h>

#define BATCH_BYTES ((size_t)8 << 20)
#define BATCH_ROWS 50000
#define CHUNK ((size_t)128 << 10)
#define ROW_CAP ((size_t)1 << 30)

struct place { /* where a row begins in the batch */
	size_t at;
	int64_t rowid;
};

struct load {
	struct worker *w;
	const struct spec *p;
	enum spec_only only;
	struct arena *a; /* of the part: rejects */
	struct arena row;
	struct copied *out;
	const char *in[2]; /* COPY ... FROM STDIN, as text and in binary */
	int may_binary;    /* every column's type can go in binary */
	int binary;        /* this batch does */
	struct buf rows;
	struct {
		struct place *v;
		size_t n, cap;
	} places;
	struct arena batch;
	size_t sent; /* bytes of the open COPY */
	int open;
	int64_t max_rejects;
};

static int set_aside(struct load *l, int64_t rowid, const char *column, const char *reason, struct err *err)
{
	struct reject r = {rowid, column, arena_str(l->a, slice_of(reason))};
	ARENA_PUSH(l->a, &l->out->rejects, r);
	if ((int64_t)l->out->rejects.n <= l->max_rejects)
		return 0;
	err_set(err, ERR_SOURCE, "more than %lld rows of %s do not fit; the last: row %lld: %s",
		(long long)l->max_rejects, l->p->from->name, (long long)rowid, reason);
	return err_hint(err, "correct the mapping, or raise \"max_rejects\" in the job");
}

/* ---- one COPY ---- */

static int put(struct load *l, const char *bytes, size_t len)
{
	while (len) {
		size_t n = len < CHUNK ? len : CHUNK;
		if (PQputCopyData(l->w->target.conn, bytes, (int)n) != 1)
			return -1;
		bytes += n;
		len -= n;
	}
	return 0;
}

static int begin_copy(struct load *l, struct err *err)
{
	static const char header[] =
	    "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* and the NUL that ends it: flags and extension are 0 */
	int rc = pgc_exec(&l->w->target, "SAVEPOINT settle_batch", NULL, err);
	if (rc == 0)
		rc = pgc_exec(&l->w->target, l->in[l->binary], NULL, err);
	l->open = rc == 0;
	l->sent = 0;
	if (l->open && l->binary)
		(void)put(l, header, sizeof(header)); /* a failure shows at the end */
	return rc;
}

/* Ends the COPY; the server's refusal is in err. */
static int end_copy(struct load *l, struct err *err)
{
	struct pgc *c = &l->w->target;
	PGresult *res;
	int rc = 0;
	l->open = 0;
	if (l->binary)
		(void)put(l, "\377\377", 2);
	if (PQputCopyEnd(c->conn, NULL) != 1)
		return pgc_fail(c, NULL, err);
	while ((res = PQgetResult(c->conn)) != NULL) {
		ExecStatusType status = PQresultStatus(res);
		if (status != PGRES_COMMAND_OK && rc == 0)
			rc = pgc_fail(c, res, err);
		PQclear(res);
		if (status == PGRES_COPY_IN)
			break;
	}
	return rc ? rc : pgc_exec(c, "RELEASE settle_batch", NULL, err);
}

static int is_judgement(const struct err *why)
{
	return strncmp(why->sqlstate, "22", 2) == 0 || strncmp(why->sqlstate, "23", 2) == 0 ||
	       strcmp(why->sqlstate, "P0001") == 0 || strcmp(why->sqlstate, "54000") == 0;
}

static int send_range(struct load *l, size_t from, size_t to, struct err *err)
{
	size_t start = l->places.v[from].at;
	size_t end = to < l->places.n ? l->places.v[to].at : l->rows.len;
	int rc = begin_copy(l, err);
	if (rc == 0) {
		(void)put(l, l->rows.ptr + start, end - start); /* a failure shows at the end */
		rc = end_copy(l, err);
	}
	return rc;
}

static int halve(struct load *l, size_t from, size_t to, struct err *err)
{
	struct err why = ERR_INIT;
	int rc = send_range(l, from, to, &why);
	if (rc == 0) {
		l->out->rows += (int64_t)(to - from);
		return 0;
	}
	if (!is_judgement(&why)) {
		*err = why;
		return rc;
	}
	rc = pgc_exec(&l->w->target, "ROLLBACK TO settle_batch; RELEASE settle_batch", NULL, err);
	if (rc)
		return rc;
	if (to - from == 1) {
		const char *text = strncmp(why.msg, "target: ", 8) == 0 ? why.msg + 8 : why.msg;
		return set_aside(l, l->places.v[from].rowid, "", text, err);
	}
	size_t middle = from + (to - from) / 2;
	rc = halve(l, from, middle, err);
	return rc ? rc : halve(l, middle, to, err);
}

/* ---- batches ---- */

static void new_batch(struct load *l)
{
	buf_clear(&l->rows);
	arena_reset(&l->batch);
	l->places.v = NULL;
	l->places.n = l->places.cap = 0;
	l->sent = 0;
	l->binary = l->may_binary;
}

static int end_batch(struct load *l, struct err *err)
{
	struct err why = ERR_INIT;
	size_t n = l->places.n;
	if (n == 0)
		return 0;
	int rc = l->open ? 0 : begin_copy(l, err);
	if (rc)
		return rc;
	(void)put(l, l->rows.ptr + l->sent, l->rows.len - l->sent);
	rc = end_copy(l, &why);
	l->out->bytes += (int64_t)l->rows.len;
	if (l->w->progress)
		atomic_fetch_add(l->w->progress, (long long)l->rows.len);
	if (rc == 0)
		l->out->rows += (int64_t)n;
	else if (!is_judgement(&why)) {
		*err = why;
		return rc;
	} else {
		rc = pgc_exec(&l->w->target, "ROLLBACK TO settle_batch; RELEASE settle_batch", NULL, err);
		if (rc == 0)
			rc = n == 1 ? halve(l, 0, 1, err) : halve(l, 0, n / 2, err);
		if (rc == 0 && n > 1)
			rc = halve(l, n / 2, n, err);
	}
	new_batch(l);
	return rc;
}

/* What is complete goes out while further rows are read. */
static int send_chunk(struct load *l, struct err *err)
{
	int rc = l->open ? 0 : begin_copy(l, err);
	if (rc == 0) {
		(void)put(l, l->rows.ptr + l->sent, l->rows.len - l->sent);
		l->sent = l->rows.len;
	}
	return rc;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static int is_left_out(const struct worker *w, int64_t rowid)
{
	return w->n_skip && bsearch(&rowid, w->skip, w->n_skip, sizeof(rowid), by_number);
}

static void begin_row(struct load *l)
{
	size_t n = 0;
	for (size_t i = 0; i < l->p->columns.n; i++)
		n += spec_takes(&l->p->columns.v[i], l->only) != 0;
	buf_ch(&l->rows, (char)(n >> 8));
	buf_ch(&l->rows, (char)n);
}

static enum transformed put_row(struct load *l, struct lite_stmt *stmt, int64_t rowid, const char **column,
				const char **reason)
{
	struct transform t = {.table = l->p->from->name, .salt = l->w->s->m.salt, .binary = l->binary};
	enum transformed done = TRANSFORM_DONE;
	int at = 1;
	arena_reset(&l->row);
	if (l->binary)
		begin_row(l);
	for (size_t i = 0; i < l->p->columns.n && done == TRANSFORM_DONE; i++) {
		t.column = &l->p->columns.v[i];
		if (!spec_takes(t.column, l->only))
			continue;
		if (at > 1 && !l->binary)
			buf_ch(&l->rows, '\t');
		*column = t.column->to->name;
		done = transform_value(&t, stmt, at++, rowid, &l->row, &l->rows, reason);
	}
	if (!l->binary)
		buf_ch(&l->rows, '\n');
	return done;
}

static void take_row_back(struct load *l, size_t at)
{
	l->rows.len = at;
	if (l->rows.ptr)
		l->rows.ptr[at] = 0;
}

/* A value that only the server can read ends a binary batch; the next one goes as text. */
static int add_row(struct load *l, struct lite_stmt *stmt, struct err *err)
{
	struct place place = {l->rows.len, lite_int(stmt, 0)};
	const char *column = "", *reason = "";
	if (is_left_out(l->w, place.rowid)) {
		l->out->left_out++;
		return 0;
	}
	enum transformed done = put_row(l, stmt, place.rowid, &column, &reason);
	if (done == TRANSFORM_TEXT) {
		take_row_back(l, place.at);
		int rc = end_batch(l, err);
		if (rc)
			return rc;
		l->binary = 0;
		place.at = l->rows.len;
		done = put_row(l, stmt, place.rowid, &column, &reason);
	}
	if (done == TRANSFORM_REJECTED) {
		take_row_back(l, place.at);
		return set_aside(l, place.rowid, column, reason, err);
	}
	ARENA_PUSH(&l->batch, &l->places, place);
	return buf_check(&l->rows, "batch", err);
}

static int read_rows(struct load *l, struct lite_stmt *stmt, struct err *err)
{
	int row = 0, rc;
	while ((rc = lite_step(stmt, &row, err)) == 0 && row) {
		rc = add_row(l, stmt, err);
		if (rc == 0 && atomic_load_explicit(l->w->s->env->stop, memory_order_relaxed))
			rc = err_set(err, ERR_STOPPED, "stopped before the end");
		if (rc == 0 && (l->rows.len >= BATCH_BYTES || l->places.n >= BATCH_ROWS))
			rc = end_batch(l, err);
		else if (rc == 0 && l->rows.len - l->sent >= CHUNK)
			rc = send_chunk(l, err);
		if (rc)
			return rc;
	}
	return rc ? rc : end_batch(l, err);
}

static void bind_parameters(const struct session *s, struct lite_stmt *stmt, const char *sql)
{
	for (size_t i = 0; i < s->job.params.n; i++) {
		char mark[24];
		snprintf(mark, sizeof(mark), "?%zu", i + 1);
		if (strstr(sql, mark))
			lite_bind_text(stmt, (int)i + 1, slice_of(s->job.params.v[i].value));
	}
}

int copy_sqlite(struct worker *w, const struct spec *p, enum spec_only only, const char *into, struct arena *a,
		struct copied *out, struct err *err)
{
	struct load l = {.w = w,
			 .p = p,
			 .only = only,
			 .a = a,
			 .out = out,
			 .rows = BUF_INIT(ROW_CAP),
			 .max_rejects = w->s->job.max_rejects};
	struct lite_stmt *stmt = NULL;
	const char *sql = spec_select(w->s, p, only, &w->memory);
	*out = (struct copied){0};
	for (int i = 0; i < 2; i++)
		l.in[i] = arena_printf(a, "COPY %s (%s) FROM STDIN (FORMAT %s)", into, spec_columns(p, only, a),
				       i ? "binary" : "text")
			      .ptr;
	l.may_binary = 1;
	for (size_t i = 0; i < p->columns.n; i++)
		l.may_binary &= !spec_takes(&p->columns.v[i], only) || transform_is_binary(p->columns.v[i].to);
	l.binary = l.may_binary;
	int rc = lite_stmt(w->lite, sql, &stmt, err);
	if (rc == 0)
		bind_parameters(w->s, stmt, sql);
	if (rc == 0)
		rc = read_rows(&l, stmt, err);
	lite_done(stmt);
	if (l.open) { /* the transaction is given up by the caller */
		struct err ignored = ERR_INIT;
		(void)end_copy(&l, &ignored);
	}
	buf_release(&l.rows);
	arena_release(&l.row);
	arena_release(&l.batch);
	return rc;
}
