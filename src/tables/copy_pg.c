/* COPY from server to server: the source's bytes go to the target as they come, gathered into larger messages. */
#include "config.h"

#include "tables/tables_internal.h"

#include <poll.h>

#define GATHER ((size_t)64 << 10)

static const char *copy_out(const struct session *s, const struct spec *p, enum spec_only only, struct arena *a)
{
	const char *format = p->text ? "text" : "binary";
	if (p->plain && only == SPEC_ALL && !p->from->has_children)
		return arena_printf(a, "COPY %s (%s) TO STDOUT (FORMAT %s)",
				    qualified(a, p->from->schema, p->from->name), spec_columns(p, only, a), format)
		    .ptr;
	return arena_printf(a, "COPY (%s) TO STDOUT (FORMAT %s)", spec_select(s, p, only, a), format).ptr;
}

/* A row, 0 at the end; -1: nothing there now, waited a little. */
static int next_row(struct pgc *c, char **row)
{
	int n = PQgetCopyData(c->conn, row, 1);
	if (n != 0)
		return n == -1 ? 0 : n;
	struct pollfd fd = {.fd = PQsocket(c->conn), .events = POLLIN};
	(void)poll(&fd, 1, 200);
	return PQconsumeInput(c->conn) ? -1 : -2;
}

static int send_rows(struct pgc *to, struct buf *b, int64_t *bytes, atomic_llong *progress)
{
	int rc = b->len == 0 || PQputCopyData(to->conn, b->ptr, (int)b->len) == 1 ? 0 : -1;
	*bytes += (int64_t)b->len;
	if (progress)
		atomic_fetch_add(progress, (long long)b->len);
	buf_clear(b);
	return rc;
}

enum pumped { PUMPED, SOURCE_FAILED, TARGET_FAILED, STOPPED };

static enum pumped pump(struct worker *w, struct copied *out)
{
	struct buf b = BUF_INIT((size_t)2 << 30);
	enum pumped end = PUMPED;
	char *row = NULL;
	int n;
	while (end == PUMPED && (n = next_row(&w->source, &row)) != 0) {
		if (n == -2)
			end = SOURCE_FAILED;
		if (n > 0) {
			buf_add(&b, row, (size_t)n);
			PQfreemem(row);
		}
		if (atomic_load_explicit(w->s->env->stop, memory_order_relaxed))
			end = STOPPED;
		else if (b.len >= GATHER && send_rows(&w->target, &b, &out->bytes, w->progress) != 0)
			end = TARGET_FAILED;
	}
	if (end == PUMPED && send_rows(&w->target, &b, &out->bytes, w->progress) != 0)
		end = TARGET_FAILED;
	buf_release(&b);
	return end;
}

/* The result after COPY data; *rows counts them. Everything up to the last result is taken. */
static int end_of(struct pgc *c, int64_t *rows, struct err *err)
{
	PGresult *res;
	int rc = 0, any = 0;
	while ((res = PQgetResult(c->conn)) != NULL) {
		ExecStatusType status = PQresultStatus(res);
		if (status == PGRES_COMMAND_OK && rc == 0) {
			*rows = pgc_rows(res);
			any = 1;
		} else if (rc == 0 && status != PGRES_COPY_IN && status != PGRES_COPY_OUT) {
			rc = pgc_fail(c, res, err);
		}
		PQclear(res);
		if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
			rc = rc ? rc : pgc_fail(c, NULL, err);
			break;
		}
	}
	return rc || any ? rc : pgc_fail(c, NULL, err);
}

/* A reader that is no longer wanted: its query is cancelled and its rows thrown away. */
static void give_up_source(struct pgc *c)
{
	char unused[256];
	PGcancel *cancel = PQgetCancel(c->conn);
	PGresult *res;
	char *row;
	if (cancel)
		PQcancel(cancel, unused, sizeof(unused));
	PQfreeCancel(cancel);
	while (PQgetCopyData(c->conn, &row, 0) > 0)
		PQfreemem(row);
	while ((res = PQgetResult(c->conn)) != NULL)
		PQclear(res);
}

/* Which end failed decides whose words are told: a target that refused a row says why; the other end only saw it stop.
 */
static int finish(struct worker *w, enum pumped how, struct copied *out, struct err *err)
{
	struct err ignored = ERR_INIT;
	int64_t sent = 0, taken = 0;
	int rc = 0;
	if (how == PUMPED)
		rc = end_of(&w->source, &sent, err);
	else if (how == SOURCE_FAILED)
		rc = pgc_fail(&w->source, NULL, err);
	else
		give_up_source(&w->source);
	if (how == STOPPED)
		rc = err_set(err, ERR_STOPPED, "stopped before the end");
	const char *reason = rc || how != PUMPED ? "settle could not read the rest" : NULL;
	if (PQputCopyEnd(w->target.conn, reason) != 1)
		return rc ? rc : pgc_fail(&w->target, NULL, err);
	int target = end_of(&w->target, &taken, rc ? &ignored : err);
	if (rc || target)
		return rc ? rc : target;
	if (sent != taken)
		return err_set(err, ERR_TARGET, "source sent %lld rows and the target took %lld", (long long)sent,
			       (long long)taken);
	out->rows = taken;
	return 0;
}

static int set_bounds(struct worker *w, const struct spec *p, struct err *err)
{
	int rc = p->row->low ? session_set(&w->source, "low", p->row->low, err) : 0;
	return rc == 0 && p->row->high ? session_set(&w->source, "high", p->row->high, err) : rc;
}

int copy_pg(struct worker *w, const struct spec *p, enum spec_only only, const char *into, struct arena *a,
	    struct copied *out, struct err *err)
{
	struct err ignored = ERR_INIT;
	const char *in = arena_printf(a, "COPY %s (%s) FROM STDIN (FORMAT %s)", into, spec_columns(p, only, a),
				      p->text ? "text" : "binary")
			     .ptr;
	*out = (struct copied){0};
	int rc = set_bounds(w, p, err);
	if (rc == 0)
		rc = pgc_exec(&w->source, copy_out(w->s, p, only, a), NULL, err);
	if (rc)
		return rc;
	rc = pgc_exec(&w->target, in, NULL, err);
	if (rc) {
		give_up_source(&w->source);
		return rc;
	}
	enum pumped how = pump(w, out);
	rc = finish(w, how, out, err);
	if (rc && how == PUMPED && PQtransactionStatus(w->source.conn) == PQTRANS_ACTIVE)
		(void)end_of(&w->source, &out->rows, &ignored);
	return rc;
}

int copy_rows(struct worker *w, const struct spec *p, enum spec_only only, const char *into, struct arena *a,
	      struct copied *out, struct err *err)
{
	return w->s->sqlite ? copy_sqlite(w, p, only, into, a, out, err) : copy_pg(w, p, only, into, a, out, err);
}
