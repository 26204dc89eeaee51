/* Running statements: texts are prepared once a connection, values travel beside them. */
#include "config.h"

#include "sql/pg/pg.h"

#include <stdio.h>

void pg_param_text(struct pg_params *p, struct slice text)
{
	p->values[p->n] = text.ptr;
	p->lengths[p->n] = (int)text.len;
	p->formats[p->n++] = 1;
}

void pg_param_int(struct pg_params *p, int64_t value)
{
	char *at = p->ints[p->nints++];

	for (int i = 0; i < 8; i++)
		at[i] = (char)((uint64_t)value >> (56 - 8 * i));
	pg_param_text(p, (struct slice){at, 8});
}

struct buf *pg_text(struct pg_target *t)
{
	buf_clear(&t->text);
	return &t->text;
}

int pg_result_check(const struct pg_target *t, const PGresult *res, struct err *err)
{
	switch (PQresultStatus(res)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_COPY_IN:
		return 0;
	default:
		return res ? pg_result_error(t, res, err) : pg_connection_error(t, err);
	}
}

int pg_simple(struct pg_target *t, const char *sql, PGresult **out, struct err *err)
{
	PGresult *res;
	int rc;

	sql_log(&t->base, slice_of(sql));
	res = PQexec(t->conn, sql);
	rc = pg_result_check(t, res, err);
	if (rc == 0 && out)
		*out = res;
	else
		PQclear(res);
	return rc;
}

int pg_run_text(struct pg_target *t, struct err *err)
{
	int rc = buf_check(&t->text, "statement", err);

	return rc ? rc : pg_simple(t, t->text.ptr, NULL, err);
}

static void statement_name(size_t i, char name[24])
{
	snprintf(name, 24, "s%zu", i);
}

/* The name under which t->text is prepared. */
static int prepared(struct pg_target *t, char name[24], struct err *err)
{
	PGresult *res;
	int rc = buf_check(&t->text, "statement", err);

	for (size_t i = 0; rc == 0 && i < t->stmts.n; i++)
		if (strcmp(t->stmts.v[i], t->text.ptr) == 0) {
			statement_name(i, name);
			return 0;
		}
	if (rc)
		return rc;
	statement_name(t->stmts.n, name);
	res = PQprepare(t->conn, name, t->text.ptr, 0, NULL);
	rc = pg_result_check(t, res, err);
	PQclear(res);
	if (rc == 0)
		ARENA_PUSH(&t->memory, &t->stmts, arena_str(&t->memory, buf_slice(&t->text)));
	return rc;
}

int pg_run(struct pg_target *t, const struct pg_params *p, PGresult **out, struct err *err)
{
	char name[24];
	PGresult *res = NULL;
	int rc = prepared(t, name, err);

	if (rc)
		return rc;
	sql_log(&t->base, buf_slice(&t->text));
	res = PQexecPrepared(t->conn, name, p ? p->n : 0, p ? p->values : NULL, p ? p->lengths : NULL,
			     p ? p->formats : NULL, 1);
	rc = pg_result_check(t, res, err);
	if (rc == 0 && out)
		*out = res;
	else
		PQclear(res);
	return rc;
}
