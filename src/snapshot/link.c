#include "config.h"

#include "snapshot/link.h"

#include "base/buf.h"
#include "base/number.h"
#include "sql/pg_state.h"

#include <libpq-fe.h>
#include <stdlib.h>

struct link {
	PGconn *conn;
	struct arena memory;
	const char *password; /* to be kept out of messages */
	const char *server;
};

/* ---- words of libpq ---- */

static PQconninfoOption *parse(const struct url *url, struct err *err)
{
	PQconninfoOption *options = PQconninfoParse(url->text, NULL);
	if (!options) {
		err_set(err, ERR_USAGE, "target is no connection string that libpq can read: %s", url->shown);
		err_hint(err, "postgres://user@host:port/database?option=value, or keyword=value pairs");
	}
	return options;
}

static void add_word(struct buf *b, const char *keyword, const char *value)
{
	buf_fmt(b, "%s%s='", b->len ? " " : "", keyword);
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			buf_ch(b, '\\');
		buf_ch(b, *value);
	}
	buf_ch(b, '\'');
}

int link_words(const struct url *url, const char *database, struct arena *a, const char **conninfo,
	       const char **password, struct err *err)
{
	struct buf b = BUF_INIT(FILENAME_MAX * 4);
	PQconninfoOption *options = parse(url, err);
	if (!options)
		return err->code;
	*password = NULL;
	for (const PQconninfoOption *o = options; o->keyword; o++) {
		if (strcmp(o->keyword, "password") == 0 && o->val && *o->val)
			*password = arena_str(a, slice_of(o->val));
		else if (o->val && o->dispchar[0] != '*' && !(database && strcmp(o->keyword, "dbname") == 0))
			add_word(&b, o->keyword, o->val);
	}
	if (database)
		add_word(&b, "dbname", database);
	int rc = buf_check(&b, "the target's connection string", err);
	if (rc == 0)
		*conninfo = arena_str(a, buf_slice(&b));
	PQconninfoFree(options);
	buf_release(&b);
	return rc;
}

/* ---- opening ---- */

static void hide(char *text, const char *secret)
{
	size_t n = secret ? strlen(secret) : 0;
	for (char *at = text; n > 0 && (at = strstr(at, secret)) != NULL; at += n)
		memset(at, '*', n);
}

static int tell(const struct link *l, const char *state, const char *text, struct err *err)
{
	char clean[900];
	(void)snprintf(clean, sizeof(clean), "%.*s", (int)strcspn(text, "\r\n"), text);
	hide(clean, l->password);
	err_set(err, ERR_TARGET, "target: %s", clean);
	(void)snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", pg_state_of(state ? state : "", text));
	if (strcmp(err->sqlstate, "42501") == 0)
		err_hint(err, "the role must own the database and be allowed to make databases (CREATEDB)");
	if (strcmp(err->sqlstate, "53100") == 0)
		err_hint(err, "the target's disk is full: make room, then run the same command again");
	return ERR_TARGET;
}

static const char *server_of(PGconn *conn, struct arena *a)
{
	const char *host = PQhost(conn), *port = PQport(conn);
	return arena_printf(a, "%s %s", host ? host : "", port ? port : "").ptr;
}

static int connect_to(struct link *l, const char *conninfo, const char *password, struct err *err)
{
	static const char *const keywords[] = {"fallback_application_name", "connect_timeout", "dbname",
					       "client_encoding",           "password",        NULL};
	/* A password that is NULL is one that libpq looks for itself. */
	const char *const values[] = {"settle snapshot", "30", conninfo, "UTF8", password, NULL};
	l->conn = PQconnectdbParams(keywords, values, 1);
	if (!l->conn)
		return err_set(err, ERR_INTERNAL, "out of memory");
	if (PQstatus(l->conn) != CONNECTION_OK)
		return tell(l, "08001", PQerrorMessage(l->conn), err);
	l->server = server_of(l->conn, &l->memory);
	return link_do(l,
		       "SET client_min_messages = warning; SET statement_timeout = 0; SET lock_timeout = 0; "
		       "SET idle_in_transaction_session_timeout = 0; SET search_path = pg_catalog",
		       err);
}

int link_open(struct link **out, const struct url *url, const char *database, struct err *err)
{
	const char *conninfo = NULL, *password = NULL;
	struct link *l = calloc(1, sizeof(*l));
	*out = NULL;
	if (!l)
		return err_set(err, ERR_INTERNAL, "out of memory");
	int rc = link_words(url, database, &l->memory, &conninfo, &password, err);
	if (rc == 0) {
		l->password = password;
		rc = connect_to(l, conninfo, password, err);
	}
	if (rc == 0)
		*out = l;
	else
		link_close(l);
	return rc;
}

void link_close(struct link *l)
{
	if (!l)
		return;
	PQfinish(l->conn);
	if (l->password)
		explicit_bzero((char *)(uintptr_t)l->password, strlen(l->password));
	arena_release(&l->memory);
	free(l);
}

const char *link_database(const struct link *l)
{
	return PQdb(l->conn);
}

int link_version(const struct link *l)
{
	return PQserverVersion(l->conn);
}

const char *link_server(const struct link *l)
{
	return l->server;
}

/* ---- asking ---- */

static void take_rows(const PGresult *res, struct arena *a, struct link_rows *rows)
{
	rows->n = PQntuples(res);
	rows->columns = PQnfields(res);
	rows->cells = ARENA_ARRAY(a, (size_t)rows->n * (size_t)rows->columns, struct slice);
	for (int i = 0; i < rows->n; i++)
		for (int k = 0; k < rows->columns; k++) {
			struct slice cell = {PQgetvalue(res, i, k), (size_t)PQgetlength(res, i, k)};
			rows->cells[i * rows->columns + k] = PQgetisnull(res, i, k) ? SLICE_NONE : arena_slice(a, cell);
		}
}

static int settle_result(struct link *l, PGresult *res, struct arena *a, struct link_rows *rows, struct err *err)
{
	ExecStatusType status = PQresultStatus(res);
	int rc = 0;
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
		const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
		const char *detail = PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL);
		rc = tell(l, PQresultErrorField(res, PG_DIAG_SQLSTATE), text ? text : PQerrorMessage(l->conn), err);
		if (detail && !err->hint[0])
			err_hint(err, "%.*s", (int)strcspn(detail, "\r\n"), detail);
	} else if (rows) {
		take_rows(res, a, rows);
	}
	PQclear(res);
	return rc;
}

int link_ask(struct link *l, const char *sql, const struct slice *params, int n, struct arena *a,
	     struct link_rows *rows, struct err *err)
{
	struct arena texts = ARENA_INIT;
	const char **values = ARENA_ARRAY(&texts, (size_t)n, const char *);
	for (int i = 0; i < n; i++)
		values[i] = params[i].ptr ? arena_str(&texts, params[i]) : NULL;
	PGresult *res = PQexecParams(l->conn, sql, n, NULL, values, NULL, NULL, 0);
	arena_release(&texts);
	return settle_result(l, res, a, rows, err);
}

int link_do(struct link *l, const char *sql, struct err *err)
{
	return settle_result(l, PQexec(l->conn, sql), NULL, NULL, err);
}

int link_copy_in(struct link *l, const char *sql, struct slice bytes, struct err *err)
{
	PGresult *res = PQexec(l->conn, sql);
	if (PQresultStatus(res) != PGRES_COPY_IN)
		return settle_result(l, res, NULL, NULL, err);
	PQclear(res);
	if (PQputCopyData(l->conn, bytes.ptr, (int)bytes.len) != 1 || PQputCopyEnd(l->conn, NULL) != 1)
		return tell(l, "08006", PQerrorMessage(l->conn), err);
	int rc = settle_result(l, PQgetResult(l->conn), NULL, NULL, err);
	PQclear(PQgetResult(l->conn)); /* the NULL that ends it */
	return rc;
}

int64_t link_int(struct slice cell)
{
	long long n = 0;
	return cell.ptr && number_to_i64(cell, &n) ? n : 0;
}

struct slice link_literal(struct link *l, struct slice text, struct arena *a)
{
	char *quoted = PQescapeLiteral(l->conn, text.ptr, text.len);
	struct slice out = quoted ? arena_slice(a, slice_of(quoted)) : SLICE("''");
	PQfreemem(quoted);
	return out;
}
