/* A connection to PostgreSQL: opened as libpq does it, errors in words without secrets, quoting. */
#include "config.h"

#include "tables/tables_internal.h"

#include "sql/pg_state.h"

#include <stdlib.h>

#define OLDEST 120000 /* the catalogs' columns that are read here */

static const char settings[] =
    "SET client_min_messages = warning; SET datestyle = 'ISO, YMD'; SET intervalstyle = postgres; SET timezone = "
    "'UTC'; "
    "SET extra_float_digits = 3; SET bytea_output = hex; SET statement_timeout = 0; SET lock_timeout = 0; "
    "SET idle_in_transaction_session_timeout = 0; SET standard_conforming_strings = on; SET xmloption = content; "
    "SET row_security = off"; /* rows that a policy hides are an error, not left behind */

static const struct {
	const char *state, *hint;
} hints[] = {
    {"28P01", "give the password in PGPASSWORD, ~/.pgpass or a service file"},
    {"28", "check the user name, and what pg_hba.conf allows"},
    {"3D000", "make it first: createdb NAME"},
    {"42501", "the role lacks a right there; the server's administrator can grant it"},
    {"25006", "the target is a standby or set to read-only: name the primary"},
    {"42P01", "`settle tables create` makes the tables that the target lacks"},
    {"23505", "the target holds rows of the same key: `settle tables clean` takes back what this job loaded"},
    {"53100", "the disk is full: make room, then run the same command again"},
    {"53300", "too many connections: use a smaller --parallel, or raise max_connections"},
    {"57P", "the server is stopping or starting; run the same command again"},
    {"08", "check host, port and that the server is up; then run the same command again"},
};

static int retryable(const char *state)
{
	static const char *const states[] = {"40001", "40P01", "57P01", "57P02", "57P03", "08"};
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strncmp(state, states[i], strlen(states[i])) == 0)
			return 1;
	return 0;
}

/* What Citus says when one of its nodes is gone has no state of a lost connection. */
static int is_lost_node(const struct pgc *c, const char *state)
{
	return c->citus && (strcmp(state, "58030") == 0 || strcmp(state, "XX000") == 0);
}

static void hide(char *text, const char *secret)
{
	size_t len = secret ? strlen(secret) : 0;
	for (char *at = text; len && (at = strstr(at, secret)) != NULL;) {
		size_t stars = len < 3 ? len : 3;
		memset(at, '*', stars);
		memmove(at + stars, at + len, strlen(at + len) + 1);
		at += stars;
	}
}

static int fail(struct pgc *c, const char *state, const char *text, const char *detail, struct err *err)
{
	char clean[900];
	state = pg_state_of(state, text);
	snprintf(clean, sizeof(clean), "%.*s%s%s%s", (int)strcspn(text, "\r\n"), text, detail ? " (" : "",
		 detail ? detail : "", detail ? ")" : "");
	hide(clean, c->secret);
	hide(clean, c->conn ? PQpass(c->conn) : NULL);
	err_set(err, c->code, "%s: %s", c->what, clean);
	if (!err)
		return c->code;
	memcpy(err->sqlstate, state, strnlen(state, sizeof(err->sqlstate) - 1));
	err->retryable = retryable(state) || is_lost_node(c, state);
	if (is_lost_node(c, state))
		err_hint(err, "when a node of the cluster was gone, run the same command again");
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]) && !err->hint[0]; i++)
		if (strncmp(state, hints[i].state, strlen(hints[i].state)) == 0)
			err_hint(err, "%s", hints[i].hint);
	return c->code;
}

int pgc_fail(struct pgc *c, const PGresult *res, struct err *err)
{
	const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *text = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	/* A detail names values of rows, but not where a statement as such is at fault. */
	const char *detail = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL) : NULL;
	if (state && text) {
		const char *hint = PQresultErrorField(res, PG_DIAG_MESSAGE_HINT);
		int by_statement = strncmp(state, "42", 2) == 0 || strncmp(state, "0A", 2) == 0;
		(void)fail(c, state, text, by_statement ? detail : NULL, err);
		if (hint && err && !err->hint[0])
			err_hint(err, "%s", hint);
		return c->code;
	}
	text = PQerrorMessage(c->conn);
	return fail(c, "08006", *text ? text : "the connection is gone", NULL, err);
}

static void notice(void *log, const PGresult *res)
{
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY), *level;
	level = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (text)
		log_at(log, level && strcmp(level, "WARNING") == 0 ? LOG_WARN : LOG_DEBUG, "%s", text);
}

int pgc_open(struct pgc *c, const struct url *url, enum err_code code, struct log *log, struct err *err)
{
	static const char *const keywords[] = {
	    "fallback_application_name", "connect_timeout", "keepalives_idle", "dbname", "client_encoding", NULL};
	const char *const values[] = {"settle", "30", "30", url->text, "UTF8", NULL};
	PGresult *res = NULL;
	*c = (struct pgc){
	    .code = code, .what = code == ERR_SOURCE ? "source" : "target", .secret = url->password, .log = log};
	PQconninfoOption *options = PQconninfoParse(url->text, NULL);
	if (!options) /* libpq's complaint may quote any piece of it */
		return err_set(err, ERR_USAGE, "%s is no connection string that libpq can read: %s", c->what,
			       url->shown);
	PQconninfoFree(options);
	c->conn = PQconnectdbParams(keywords, values, 1);
	if (!c->conn)
		return err_set(err, ERR_INTERNAL, "out of memory while connecting");
	if (PQstatus(c->conn) != CONNECTION_OK) {
		const char *text = PQerrorMessage(c->conn), *state = "08001";
		if (PQconnectionNeedsPassword(c->conn) || strstr(text, "password authentication"))
			state = "28P01";
		else if (strstr(text, "does not exist"))
			state = strstr(text, "FATAL:  role ") ? "28000" : "3D000";
		int rc = fail(c, state, text, NULL, err);
		return rc;
	}
	PQsetNoticeReceiver(c->conn, notice, log);
	if (PQserverVersion(c->conn) < OLDEST)
		return err_set(err, code,
			       "%s: PostgreSQL %d is too old, settle moves tables from and to version 12 and later",
			       c->what, PQserverVersion(c->conn) / 10000);
	int rc = pgc_exec(c, settings, NULL, err);
	if (rc == 0)
		rc = pgc_exec(c, "SELECT count(*) FROM pg_extension WHERE extname = 'citus'", &res, err);
	if (rc == 0)
		c->citus = pgc_int(res, 0, 0) > 0;
	PQclear(res);
	return rc;
}

void pgc_close(struct pgc *c)
{
	PQfinish(c->conn);
	c->conn = NULL;
}

static int take(struct pgc *c, PGresult *res, PGresult **out, struct err *err)
{
	ExecStatusType status = PQresultStatus(res);
	int rc = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN ||
			 status == PGRES_COPY_OUT
		     ? 0
		     : pgc_fail(c, res, err);
	if (rc == 0 && out)
		*out = res;
	else
		PQclear(res);
	return rc;
}

int pgc_exec(struct pgc *c, const char *sql, PGresult **out, struct err *err)
{
	log_at(c->log, LOG_SQL, "%s: %s", c->what, sql);
	return take(c, PQexec(c->conn, sql), out, err);
}

/* Reference tables and distributed ones can be written in one transaction of Citus only by one connection a node. */
int pgc_begin_many(struct pgc *c, struct err *err)
{
	return pgc_exec(c, c->citus ? "BEGIN; SET LOCAL citus.multi_shard_modify_mode TO 'sequential'" : "BEGIN", NULL,
			err);
}

int pgc_query(struct pgc *c, const char *sql, int n, const char *const *values, PGresult **out, struct err *err)
{
	log_at(c->log, LOG_SQL, "%s: %s", c->what, sql);
	return take(c, PQexecParams(c->conn, sql, n, NULL, values, NULL, NULL, 0), out, err);
}

int pgc_scalar(struct pgc *c, const char *sql, int n, const char *const *values, int64_t *out, struct err *err)
{
	PGresult *res = NULL;
	int rc = pgc_query(c, sql, n, values, &res, err);
	if (rc == 0)
		*out = PQntuples(res) ? pgc_int(res, 0, 0) : 0;
	PQclear(res);
	return rc;
}

int64_t pgc_rows(PGresult *res)
{
	return strtoll(PQcmdTuples(res), NULL, 10);
}

int64_t pgc_int(const PGresult *res, int row, int col)
{
	return PQgetisnull(res, row, col) ? 0 : strtoll(PQgetvalue(res, row, col), NULL, 10);
}

const char *pgc_text(const PGresult *res, int row, int col, struct arena *a)
{
	return PQgetisnull(res, row, col) ? NULL : arena_str(a, slice_of(PQgetvalue(res, row, col)));
}

void pgc_rollback(struct pgc *c)
{
	if (c->conn && PQstatus(c->conn) == CONNECTION_OK && PQtransactionStatus(c->conn) != PQTRANS_IDLE)
		PQclear(PQexec(c->conn, "ROLLBACK"));
}

static const char *quoted(struct arena *a, const char *text, char quote)
{
	char *out = arena_alloc(a, strlen(text) * 2 + 3), *at = out;
	*at++ = quote;
	for (; *text; text++) {
		if (*text == quote)
			*at++ = quote;
		*at++ = *text;
	}
	*at++ = quote;
	*at = 0;
	return out;
}

const char *ident(struct arena *a, const char *name)
{
	return quoted(a, name, '"');
}

const char *qualified(struct arena *a, const char *schema, const char *name)
{
	if (!schema || !*schema)
		return ident(a, name);
	return arena_printf(a, "%s.%s", ident(a, schema), ident(a, name)).ptr;
}

/* standard_conforming_strings is on in every session. */
const char *literal(struct arena *a, const char *text)
{
	return quoted(a, text, '\'');
}
