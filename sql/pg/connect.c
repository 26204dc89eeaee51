/* Opening a connection: what libpq is told, what the session is set to, and failures in words without secrets. */
#include "config.h"

#include "base/clock.h"
#include "sql/pg/pg.h"

#include <poll.h>
#include <stdlib.h>

#define DEFAULT_TIMEOUT_S 30

static const struct sql_dialect pg_dialect = {
    .mark = '$',
    .types =
	{
	    [SQL_TEXT] = "text COLLATE \"C\"",
	    [SQL_JSON] = "jsonb",
	    [SQL_BOOL] = "boolean",
	    [SQL_INT] = "bigint",
	    [SQL_TIME] = "timestamptz",
	    [SQL_BYTES] = "bytea",
	},
};

/*
 * force_custom_plan: settle's tables grow from nothing under the statements that fill them, so a plan made early would
 * be wrong later. Timeouts are for interactive users; a batch that waits for its turn is idle in its transaction on
 * purpose. synchronous_commit stays as the server has it: the state file must not be ahead of rows by more than one
 * batch. enable_bitmapscan: every question goes by a key or along an index. Until a table that is being filled is
 * analyzed, the planner takes it for empty and would read and sort all dirty cases for each page of them.
 */
static const char session_settings[] =
    "SET client_min_messages = warning; SET jit = off; SET plan_cache_mode = force_custom_plan; "
    "SET enable_bitmapscan = off; "
    "SET statement_timeout = 0; SET lock_timeout = 0; "
    "SET idle_in_transaction_session_timeout = 0";

static void take_secret(struct pg_target *t, const char *secret)
{
	for (size_t i = 0; secret && *secret && i < sizeof(t->secrets) / sizeof(t->secrets[0]); i++)
		if (!t->secrets[i]) {
			t->secrets[i] = arena_str(&t->memory, slice_of(secret));
			return;
		}
}

/* Reads the connection string first, because libpq's own complaint about one may quote any piece of it. */
static int check_conninfo(struct pg_target *t, const struct url *url, struct err *err)
{
	PQconninfoOption *options = PQconninfoParse(url->text, NULL);

	if (!options) {
		err_set(err, ERR_USAGE, "target is no connection string that libpq can read: %s", url->shown);
		return err_hint(err, "postgres://user@host:port/database?option=value, or keyword=value pairs; "
				     "percent-encode special characters in a URL");
	}
	for (const PQconninfoOption *o = options; o->keyword; o++)
		if (o->val && o->dispchar[0] == '*')
			take_secret(t, o->val);
	PQconninfoFree(options);
	return 0;
}

static PGconn *start(const struct url *url)
{
	/* Later words win: what stands before dbname is a default, what stands after it is not the user's choice. */
	static const char *const keywords[] = {"fallback_application_name",
					       "keepalives_idle",
					       "keepalives_interval",
					       "keepalives_count",
					       "dbname",
					       "client_encoding",
					       NULL};
	const char *const values[] = {"settle", "30", "10", "3", url->text, "UTF8", NULL};
	PGconn *conn = PQconnectStartParams(keywords, values, 1);

	if (conn)
		PQsetErrorVerbosity(conn, PQERRORS_VERBOSE); /* so that failures carry their SQLSTATE */
	return conn;
}

static int timeout_s(PGconn *conn)
{
	PQconninfoOption *options = PQconninfo(conn);
	long seconds = 0;

	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		if (o->val && strcmp(o->keyword, "connect_timeout") == 0)
			seconds = strtol(o->val, NULL, 10);
	PQconninfoFree(options);
	return seconds > 0 && seconds < 86400 ? (int)seconds : DEFAULT_TIMEOUT_S;
}

/* 1 when the socket is ready for what libpq wants, 0 when the time is over. */
static int wait_for(PGconn *conn, PostgresPollingStatusType wants, int64_t until)
{
	struct pollfd fd = {.fd = PQsocket(conn), .events = wants == PGRES_POLLING_READING ? POLLIN : POLLOUT};
	int64_t left = (until - clock_mono_us()) / 1000;

	if (left <= 0)
		return 0;
	(void)poll(&fd, 1, left > 1000 ? 1000 : (int)left);
	return 1;
}

static int finish_connecting(struct pg_target *t, struct err *err)
{
	int seconds = timeout_s(t->conn);
	int64_t until = clock_mono_us() + (int64_t)seconds * 1000000;
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;

	if (PQstatus(t->conn) == CONNECTION_BAD)
		return pg_connect_error(t, PQerrorMessage(t->conn), err);
	while (state != PGRES_POLLING_OK) {
		if (!wait_for(t->conn, state, until)) {
			err_set(err, ERR_TARGET, "target: no answer within %d s", seconds);
			if (err)
				err->retryable = 1;
			return err_hint(err, "check host and port; connect_timeout=S in the target waits longer");
		}
		state = PQconnectPoll(t->conn);
		if (state == PGRES_POLLING_FAILED)
			return pg_connect_error(t, PQerrorMessage(t->conn), err);
	}
	return 0;
}

static void notice(void *arg, const PGresult *res)
{
	const struct pg_target *t = arg;
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	if (text)
		sql_log(&t->base, slice_of(text));
}

static int connect_to(struct pg_target *t, const struct url *url, struct err *err)
{
	int rc = check_conninfo(t, url, err);

	if (rc)
		return rc;
	t->conn = start(url);
	if (!t->conn)
		return err_set(err, ERR_INTERNAL, "out of memory while connecting to the target");
	take_secret(t, PQpass(t->conn));
	rc = finish_connecting(t, err);
	if (rc)
		return rc;
	PQsetErrorVerbosity(t->conn, PQERRORS_DEFAULT);
	PQsetNoticeReceiver(t->conn, notice, t);
	return 0;
}

static int check_encoding(struct pg_target *t, struct err *err)
{
	const char *encoding = PQparameterStatus(t->conn, "server_encoding");

	if (encoding && strcmp(encoding, "UTF8") == 0)
		return 0;
	err_set(err, ERR_TARGET, "target's database has the encoding %s; documents need UTF8",
		encoding ? encoding : "?");
	return err_hint(err, "createdb -E UTF8 -T template0 NAME");
}

static int set_session(struct pg_target *t, struct err *err)
{
	int rc = pg_simple(t, session_settings, NULL, err);

	if (rc == 0 && (t->base.flags & SQL_READ_ONLY))
		rc = pg_simple(t, "SET default_transaction_read_only = on", NULL, err);
	return rc;
}

static struct pg_target *pg_new(const struct sql_options *o)
{
	struct pg_target *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	sql_target_init(&t->base, &sql_pg_driver, o);
	t->base.names = (struct sql_names){&pg_dialect, ""};
	t->text = (struct buf)BUF_INIT(SQL_TEXT_MAX);
	t->out = (struct buf)BUF_INIT((size_t)1 << 30);
	t->distribute = o->distribute;
	return t;
}

int pg_open(struct sql_target **out, const struct sql_options *o, struct err *err)
{
	struct pg_target *t = pg_new(o);
	int rc;

	if (!t)
		return err_set(err, ERR_INTERNAL, "out of memory");
	rc = connect_to(t, o->url, err);
	if (rc == 0)
		rc = check_encoding(t, err);
	if (rc == 0)
		rc = set_session(t, err);
	if (rc == 0)
		rc = pg_has_citus(t, &t->citus, err);
	if (rc == 0)
		rc = pg_schema_open(t, o, err);
	/* An upsert into distributed tables holds whole shards until its transaction ends: batches that end in turn
	 * would wait for each other. */
	t->base.concurrent = !t->citus;
	if (rc == 0)
		*out = &t->base;
	else
		pg_close(&t->base);
	return rc;
}

void pg_close(struct sql_target *base)
{
	struct pg_target *t = pg_of(base);

	pg_unlock(t);
	PQfinish(t->conn);
	buf_release(&t->text);
	buf_release(&t->out);
	for (size_t i = 0; i < sizeof(t->secrets) / sizeof(t->secrets[0]) && t->secrets[i]; i++)
		explicit_bzero(t->secrets[i], strlen(t->secrets[i]));
	arena_release(&t->memory);
	sql_target_release(base);
	free(t);
}
