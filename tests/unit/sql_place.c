#include "config.h"

#include "tests/unit/sql_place.h"

#include <dirent.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *pg_url(void)
{
	return getenv("SETTLE_TEST_PG");
}

/* *state arrives as the URL of a PostgreSQL target, or NULL. */
int place_make(void **state)
{
	struct place *p = test_calloc(1, sizeof(*p));
	const char *url = *state;
	struct err err = ERR_INIT;

	p->is_pg = url != NULL;
	snprintf(p->dir, sizeof(p->dir), "/tmp/settle-sql-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/target.db", p->dir);
	snprintf(p->schema, sizeof(p->schema), "it's \"%s\" \\ é", p->dir + strlen("/tmp/settle-sql-"));
	if (!url)
		url = arena_printf(&p->memory, "sqlite:%s", p->path).ptr;
	if (url_parse_target(url, &p->memory, &p->url, &err) != 0)
		fail_msg("%s", err.msg);
	*state = p;
	return 0;
}

static void remove_directory(const char *path)
{
	DIR *dir;
	const struct dirent *entry;
	char name[400];

	chmod(path, 0700);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) != NULL) {
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlink(name);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

static struct slice quoted_schema(struct place *p)
{
	return sql_quote_ident(slice_of(p->schema), &p->memory);
}

int place_remove(void **state)
{
	struct place *p = *state;

	/* A test that failed has left its connections open, with locks. */
	if (p->is_pg)
		place_exec(p, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'settle'"
			      " AND datname = current_database()");
	if (p->is_pg)
		place_exec(p, arena_printf(&p->memory, "DROP SCHEMA IF EXISTS %s CASCADE", quoted_schema(p).ptr).ptr);
	remove_directory(p->dir);
	arena_release(&p->memory);
	test_free(p);
	return 0;
}

/* ---- groups ---- */

static char *named(const char *place, const char *test)
{
	size_t size = strlen(place) + strlen(test) + 3;
	char *name = malloc(size);

	if (!name)
		abort();
	snprintf(name, size, "%s: %s", place, test);
	return name;
}

static void add(struct CMUnitTest *out, const struct CMUnitTest *tests, size_t n, const char *place, const char *url)
{
	for (size_t i = 0; i < n; i++) {
		out[i] = tests[i];
		out[i].name = named(place, tests[i].name);
		out[i].initial_state = (void *)(uintptr_t)url;
	}
}

static int run(const char *group, const struct CMUnitTest *tests, size_t n, int sqlite, int postgresql)
{
	struct CMUnitTest *all = calloc(2 * n, sizeof(*all));
	size_t total = 0;
	int rc;

	if (sqlite)
		add(all, tests, n, "sqlite", NULL);
	total += sqlite ? n : 0;
	if (postgresql)
		add(all + total, tests, n, "postgresql", pg_url());
	total += postgresql ? n : 0;
	rc = _cmocka_run_group_tests(group, all, total, NULL, NULL);
	for (size_t i = 0; i < total; i++)
		free((void *)(uintptr_t)all[i].name);
	free(all);
	return rc;
}

int run_at_each_place(const char *group, const struct CMUnitTest *tests, size_t n)
{
	return run(group, tests, n, 1, pg_url() != NULL);
}

int run_at_postgresql(const char *group, const struct CMUnitTest *tests, size_t n)
{
	if (!pg_url()) {
		fprintf(stderr, "SETTLE_TEST_PG must name a PostgreSQL target\n");
		return 99;
	}
	return run(group, tests, n, 0, 1);
}

/* ---- targets ---- */

int place_try(struct place *p, unsigned flags, struct sql_target **out, struct err *err)
{
	struct sql_options o = {.url = &p->url, .schema = p->is_pg ? p->schema : NULL, .flags = flags};

	return sql_open(out, &o, err);
}

struct sql_target *place_open(struct place *p, unsigned flags)
{
	struct sql_target *t = NULL;

	MUST(place_try(p, flags, &t, err));
	assert_non_null(t);
	return t;
}

/* ---- from outside ---- */

static int64_t ask_pg(struct place *p, const char *sql)
{
	PGconn *conn = PQconnectdb(p->url.text);
	PGresult *res;
	int64_t value = -1;

	assert_int_equal(PQstatus(conn), CONNECTION_OK);
	PQclear(PQexec(conn, arena_printf(&p->memory, "SET client_min_messages = warning; SET search_path = %s, public",
					  quoted_schema(p).ptr)
				 .ptr));
	res = PQexec(conn, sql);
	if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	if (PQntuples(res) > 0)
		value = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	PQfinish(conn);
	return value;
}

static int take_number(void *to, int n, char **values, char **names)
{
	(void)names;
	if (n > 0 && values[0])
		*(int64_t *)to = strtoll(values[0], NULL, 10);
	return 0;
}

static int64_t ask_sqlite(struct place *p, const char *sql)
{
	sqlite3 *db = NULL;
	int64_t value = -1;

	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, sql, take_number, &value, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
	return value;
}

int64_t place_count(struct place *p, const char *sql)
{
	return p->is_pg ? ask_pg(p, sql) : ask_sqlite(p, sql);
}

void place_exec(struct place *p, const char *sql)
{
	(void)place_count(p, sql);
}

/* ---- rows ---- */

struct sql_row row_of_nulls(const struct sql_table *table, struct arena *a)
{
	return (struct sql_row){ARENA_ARRAY(a, (size_t)table->ncolumns, struct slice)};
}

struct sql_row document_row(const char *id, const char *body, struct arena *a)
{
	struct sql_row row = row_of_nulls(&sql_documents, a);

	row.cells[DOC_DOMAIN] = SLICE("d");
	row.cells[DOC_ID] = slice_of(id);
	row.cells[DOC_BODY] = slice_of(body);
	row.cells[DOC_DELETED] = SLICE("f");
	return row;
}

void put_documents(struct sql_target *t, struct sql_row *rows, size_t n, enum sql_outcome want, struct arena *a)
{
	enum sql_outcome *outcomes = ARENA_ARRAY(a, n, enum sql_outcome);
	struct sql_row *back = NULL;

	MUST(sql_put(t, &sql_documents, rows, n, outcomes, a, &back, err));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(outcomes[i], want);
		assert_true(slice_eq(back[i].cells[DOC_ID], rows[i].cells[DOC_ID]));
	}
}

void put_document(struct sql_target *t, const char *id, struct arena *a)
{
	struct sql_row row = document_row(id, "{}", a);
	enum sql_outcome outcome;

	MUST(sql_put(t, &sql_documents, &row, 1, &outcome, a, NULL, err));
}

void add_documents(struct place *p, struct sql_target *t, const char *const *ids)
{
	for (; *ids; ids++) {
		struct sql_row row = document_row(*ids, "{}", &p->memory);
		put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	}
}

char *long_json_string(size_t len)
{
	char *text = malloc(len);

	assert_non_null(text);
	memset(text, 'x', len);
	text[0] = text[len - 1] = '"';
	return text;
}
