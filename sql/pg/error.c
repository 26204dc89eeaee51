/* What PostgreSQL refuses, in settle's words: the server's primary message, its SQLSTATE, and the way out. */
#include "config.h"

#include "sql/pg/pg.h"
#include "sql/pg_state.h"

#include <ctype.h>

static const struct pg_hint {
	const char *state; /* a whole SQLSTATE or its class */
	const char *hint;
} hints[] = {
    {"28P01", "give the password in PGPASSWORD, ~/.pgpass or a service file"},
    {"28", "check the user name, and what pg_hba.conf allows"},
    {"3D000", "make it first: createdb -E UTF8 NAME"},
    {"42501", "the role needs CREATE on the schema, or the tables must be its own; --schema names another place"},
    {"25006", "the target is a standby or set to read-only: name the primary"},
    {"42P07", "something else of that name is there; keep settle's tables apart with --schema NAME"},
    {"42P01", "settle's tables are not there; migrate makes them"},
    {"53100", "the target's disk is full: make room, then run the same command again"},
    {"53300", "too many connections: use fewer --jobs or raise max_connections"},
    {"53", "the server is out of a resource; see its log"},
    {"54000", "a document holds more than jsonb can"},
    {"57P", "the server is stopping or starting; run the same command again"},
    {"08", "check host, port and that the server is up; then run the same command again"},
};

static const char *hint_for(const char *sqlstate)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strncmp(sqlstate, hints[i].state, strlen(hints[i].state)) == 0)
			return hints[i].hint;
	return NULL;
}

static int retryable(const char *sqlstate)
{
	static const char *const states[] = {"40001", "40P01", "57P01", "57P02", "57P03", "08"};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strncmp(sqlstate, states[i], strlen(states[i])) == 0)
			return 1;
	return 0;
}

/* Replaces a secret wherever it stands in the text; what replaces it is never longer than the room it leaves. */
static void hide(char *text, const char *secret)
{
	size_t len = secret ? strlen(secret) : 0;
	char *at = text;

	while (len > 0 && (at = strstr(at, secret)) != NULL) {
		size_t stars = len < 3 ? len : 3;
		memset(at, '*', stars);
		memmove(at + stars, at + len, strlen(at + len) + 1);
		at += stars;
	}
}

static int finish(const struct pg_target *t, const char *sqlstate, const char *text, size_t len, struct err *err)
{
	char clean[1024];
	size_t n = len < sizeof(clean) - 1 ? len : sizeof(clean) - 1;

	if (!err)
		return ERR_TARGET;
	memcpy(clean, text, n);
	clean[n] = 0;
	sqlstate = pg_state_of(sqlstate, clean);
	for (size_t i = 0; i < sizeof(t->secrets) / sizeof(t->secrets[0]); i++)
		hide(clean, t->secrets[i]);
	err_set(err, ERR_TARGET, "target: %s", clean);
	memcpy(err->sqlstate, sqlstate, strnlen(sqlstate, sizeof(err->sqlstate) - 1));
	err->retryable = retryable(sqlstate);
	if (hint_for(sqlstate))
		err_hint(err, "%s", hint_for(sqlstate));
	return ERR_TARGET;
}

static size_t first_line(const char *text)
{
	return strcspn(text, "\r\n");
}

int pg_result_error(const struct pg_target *t, const PGresult *res, struct err *err)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	/* Without a SQLSTATE it is libpq that speaks: the connection went away. */
	if (!state || !text)
		return pg_connection_error(t, err);
	return finish(t, state, text, first_line(text), err);
}

int pg_connection_error(const struct pg_target *t, struct err *err)
{
	const char *text = PQerrorMessage(t->conn);

	if (!*text)
		text = "the connection is gone";
	return finish(t, "08006", text, first_line(text), err);
}

/* ":  28P01: " -> where the state begins, or NULL. */
static const char *find_state(const char *message)
{
	for (const char *p = strstr(message, ":  "); p; p = strstr(p + 1, ":  ")) {
		const char *s = p + 3;
		int n = 0;
		while (n < 5 && (isdigit((unsigned char)s[n]) || isupper((unsigned char)s[n])))
			n++;
		if (n == 5 && s[5] == ':')
			return s;
	}
	return NULL;
}

int pg_connect_error(const struct pg_target *t, const char *message, struct err *err)
{
	const char *found = find_state(message);
	char state[6] = "08001";

	if (found) {
		memcpy(state, found, 5);
		message = found + 7;
	}
	return finish(t, state, message, first_line(message), err);
}
