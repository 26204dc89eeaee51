/* How PostgreSQL is opened: refusals of the server, rights, schemas, Citus. Needs a server: tests/cli/sql-pg.sh. */
#include "config.h"

#include "sql/pg/pg.h"
#include "tests/unit/sql_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SECRET "hunter2-geheim"

/* Opening this target must fail; the words of the password must not come out. */
static void must_not_open(struct place *p, const char *url, unsigned flags, struct err *e)
{
	struct sql_target *t = NULL;
	struct url parsed;

	MUST(url_parse_target(url, &p->memory, &parsed, err));
	*e = (struct err)ERR_INIT;
	if (sql_open(&t, &(struct sql_options){.url = &parsed, .schema = p->schema, .flags = flags}, e) == 0) {
		sql_close(t);
		fail_msg("%s was opened", url);
	}
	assert_null(t);
	assert_null(strstr(e->msg, "hunter2"));
	assert_null(strstr(e->hint, "hunter2"));
	assert_null(strchr(e->msg, '\n'));
}

/* The test's URL for another database, user or host. */
static const char *url_with(struct place *p, const char *user, const char *database, const char *more)
{
	return arena_printf(&p->memory, "postgres://%s@/%s?host=%s%s", user, database, getenv("PGHOST"), more).ptr;
}

/* ---- no connection ---- */

static void test_sql_open__wrong_password(void **state)
{
	struct place *p = *state;
	struct err e;

	must_not_open(p, url_with(p, "settle_password:" SECRET, "settle_test", ""), SQL_CREATE, &e);
	assert_int_equal(e.code, ERR_TARGET);
	assert_string_equal(e.sqlstate, "28P01");
	assert_int_equal(e.retryable, 0);
	TELLS(e.msg, "password authentication failed");
	TELLS(e.hint, "PGPASSWORD");
	assert_null(strstr(e.msg, "28P01"));
}

static void test_sql_open__no_password(void **state)
{
	struct place *p = *state;
	struct err e;

	must_not_open(p, url_with(p, "settle_password", "settle_test", ""), SQL_CREATE, &e);
	TELLS(e.msg, "password");
}

static void test_sql_open__password_in_the_keyword_form_stays_secret(void **state)
{
	struct place *p = *state;
	struct err e;
	const char *base = arena_printf(&p->memory, "host=%s user=settle dbname=", getenv("PGHOST")).ptr;

	/* The database has the name of the password; the server is content with no password and quotes the name. */
	setenv("PGPASSWORD", SECRET, 1);
	must_not_open(p, arena_printf(&p->memory, "%s" SECRET, base).ptr, SQL_CREATE, &e);
	unsetenv("PGPASSWORD");
	must_not_open(p, arena_printf(&p->memory, "%s'" SECRET "' password='" SECRET "'", base).ptr, SQL_CREATE, &e);
}

static void test_sql_open__unreadable_connection_string(void **state)
{
	struct place *p = *state;
	struct err e;

	must_not_open(p, url_with(p, "u:" SECRET, "d", "&nonsense=1"), SQL_CREATE, &e);
	assert_int_equal(e.code, ERR_USAGE);
	TELLS(e.hint, "keyword=value");
}

/* One part of a name has at most 63 characters: no name server is asked, and none can be slow. */
#define NO_SUCH_HOST    \
	"no-such-host-" \
	"0123456789012345678901234567890123456789012345678901234567890123.invalid"

static void test_sql_open__unknown_host(void **state)
{
	struct place *p = *state;
	struct err e;

	must_not_open(p, "postgres://u:" SECRET "@" NO_SUCH_HOST "/d", SQL_CREATE, &e);
	assert_string_equal(e.sqlstate, "08001");
	assert_int_equal(e.retryable, 1);
	TELLS(e.msg, NO_SUCH_HOST);
	TELLS(e.hint, "check host");
}

static void test_sql_open__nobody_listens(void **state)
{
	struct place *p = *state;
	struct err e;

	must_not_open(p, arena_printf(&p->memory, "postgres:///d?host=%s", p->dir).ptr, SQL_CREATE, &e);
	assert_string_equal(e.sqlstate, "08001");
	TELLS(e.msg, p->dir);
}

static void test_sql_open__a_silent_server_is_given_up(void **state)
{
	struct place *p = *state;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct err e;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.5432", p->dir);
	assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	must_not_open(p, arena_printf(&p->memory, "postgres:///d?host=%s&connect_timeout=1", p->dir).ptr, SQL_CREATE,
		      &e);
	TELLS(e.msg, "no answer within 1 s");
	assert_int_equal(e.retryable, 1);
	close(fd);
}

static void test_sql_open__missing_database(void **state)
{
	struct place *p = *state;
	struct err e;

	must_not_open(p, url_with(p, "settle", "not_there", ""), SQL_CREATE, &e);
	assert_string_equal(e.sqlstate, "3D000");
	TELLS(e.msg, "not_there");
	TELLS(e.hint, "createdb");
}

static void test_sql_open__another_encoding(void **state)
{
	struct place *p = *state;
	struct err e;

	place_exec(p, "DROP DATABASE IF EXISTS settle_latin1 WITH (FORCE)");
	place_exec(p, "CREATE DATABASE settle_latin1 ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
	must_not_open(p, url_with(p, "settle", "settle_latin1", ""), SQL_READ_ONLY, &e);
	place_exec(p, "DROP DATABASE settle_latin1 WITH (FORCE)");
	TELLS(e.msg, "LATIN1");
	TELLS(e.hint, "createdb -E UTF8");
}

/* ---- rights ---- */

static void make_role(struct place *p, const char *name, const char *more)
{
	place_exec(p, arena_printf(&p->memory,
				   "DO $$BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '%s') THEN"
				   " DROP OWNED BY %s; DROP ROLE %s; END IF; END$$; CREATE ROLE %s LOGIN %s",
				   name, name, name, name, more)
			  .ptr);
}

static void test_sql_open__no_right_to_make_a_schema(void **state)
{
	struct place *p = *state;
	struct err e;

	make_role(p, "settle_weak", "");
	must_not_open(p, url_with(p, "settle_weak", "settle_test", ""), SQL_CREATE, &e);
	assert_string_equal(e.sqlstate, "42501");
	TELLS(e.msg, "permission denied");
	TELLS(e.hint, "--schema");
}

static void test_sql_put__no_right_to_write(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	struct sql_report report;
	struct url url;
	struct err e = ERR_INIT;
	const char *schema = sql_quote_ident(slice_of(p->schema), &p->memory).ptr;

	sql_close(t);
	make_role(p, "settle_weak", "");
	place_exec(p, arena_printf(&p->memory,
				   "GRANT USAGE ON SCHEMA %s TO settle_weak;"
				   "GRANT SELECT ON ALL TABLES IN SCHEMA %s TO settle_weak",
				   schema, schema)
			  .ptr);
	MUST(url_parse_target(url_with(p, "settle_weak", "settle_test", ""), &p->memory, &url, err));
	MUST(sql_open(&t, &(struct sql_options){.url = &url, .schema = p->schema}, err));
	MUST(sql_describe(t, &p->memory, &report, err));
	assert_int_equal(report.can_create, 0);
	assert_int_equal(report.can_write, 0);
	MUST(sql_begin(t, err));
	assert_int_equal(sql_insert(t, &sql_documents, &row, 1, &e), ERR_TARGET);
	assert_string_equal(e.sqlstate, "42501");
	sql_close(t);
}

static void test_sql_open__target_set_to_read_only(void **state)
{
	struct place *p = *state;
	struct sql_target *t;
	struct sql_report report;
	struct url url;
	struct err e;
	const char *there;

	make_role(p, "settle_reader", "SUPERUSER");
	place_exec(p, "ALTER ROLE settle_reader SET default_transaction_read_only = on");
	there = url_with(p, "settle_reader", "settle_test", "");
	must_not_open(p, there, SQL_CREATE, &e);
	assert_string_equal(e.sqlstate, "25006");
	TELLS(e.hint, "read-only");
	MUST(url_parse_target(there, &p->memory, &url, err));
	MUST(sql_open(&t, &(struct sql_options){.url = &url, .schema = p->schema, .flags = SQL_READ_ONLY}, err));
	MUST(sql_describe(t, &p->memory, &report, err));
	assert_int_equal(report.can_write, 0);
	sql_close(t);
}

static void test_sql_open__read_only_holds_on_the_server_too(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_READ_ONLY);
	struct err e = ERR_INIT;

	assert_int_equal(pg_simple(pg_of(t), "CREATE TABLE public.settle_must_not (a int)", NULL, &e), ERR_TARGET);
	assert_string_equal(e.sqlstate, "25006");
	sql_close(t);
}

/* ---- where ---- */

static void test_sql_open__without_schema_the_first_of_the_search_path(void **state)
{
	struct place *p = *state;
	struct sql_target *t;
	struct sql_report report;
	struct url url;

	place_exec(p, "DROP SCHEMA IF EXISTS \"a \"\"path\" CASCADE; CREATE SCHEMA \"a \"\"path\"");
	MUST(url_parse_target(url_with(p, "settle", "settle_test", "&options=-csearch_path%3D%22a%5C%20%22%22path%22"),
			      &p->memory, &url, err));
	MUST(sql_open(&t, &(struct sql_options){.url = &url, .flags = SQL_CREATE}, err));
	MUST(sql_describe(t, &p->memory, &report, err));
	assert_int_equal(report.schema_version, SQL_SCHEMA_VERSION);
	sql_close(t);
	assert_int_equal(place_count(p, "SELECT count(*) FROM \"a \"\"path\".forms"), 0);
	place_exec(p, "DROP SCHEMA \"a \"\"path\" CASCADE");
}

static void test_sql_open__an_empty_search_path(void **state)
{
	struct place *p = *state;
	struct sql_target *t = NULL;
	struct url url;
	struct err e = ERR_INIT;

	MUST(url_parse_target(url_with(p, "settle", "settle_test", "&options=-csearch_path%3Dnowhere"), &p->memory,
			      &url, err));
	assert_int_equal(sql_open(&t, &(struct sql_options){.url = &url, .flags = SQL_CREATE}, &e), ERR_TARGET);
	TELLS(e.hint, "--schema");
}

/* ---- Citus ---- */

static void test_sql_open__distribute_without_citus(void **state)
{
	struct place *p = *state;
	struct sql_target *t = NULL;
	struct err e = ERR_INIT;
	struct sql_options o = {.url = &p->url, .schema = p->schema, .flags = SQL_CREATE, .distribute = 1};

	assert_int_equal(sql_open(&t, &o, &e), ERR_TARGET);
	TELLS(e.msg, "no citus extension");
	assert_int_equal(place_count(p, "SELECT count(*) FROM pg_tables WHERE tablename = 'forms'"), 0);
	sql_close(place_open(p, SQL_CREATE));
	e = (struct err)ERR_INIT;
	assert_int_equal(sql_open(&t, &o, &e), ERR_TARGET); /* with tables too */
	TELLS(e.msg, "no citus extension");
}

/* Rows are read back by a join that Citus can send to its shards, and one writer at a time holds them. */
static void check_put_on_citus(struct sql_target *t, struct arena *a)
{
	struct sql_row rows[] = {document_row("x", "{}", a), document_row("y", "{\"n\":1}", a)}, *back = NULL;
	enum sql_outcome outcomes[2];

	assert_int_equal(sql_concurrent(t), 0);
	for (int again = 0; again < 2; again++) {
		MUST(sql_begin(t, err));
		MUST(sql_put(t, &sql_documents, rows, 2, outcomes, a, &back, err));
		MUST(sql_commit(t, err));
		assert_int_equal(outcomes[1], again ? SQL_SAME : SQL_INSERTED);
		assert_true(slice_is(back[0].cells[DOC_ID], "x"));
		assert_true(slice_eq(back[1].cells[DOC_BODY], SLICE("{\"n\": 1}")));
	}
}

static const char *const citus_tables = "forms (form_id), form_operations (form_id), cases (case_id), "
					"case_transactions (case_id), case_indices (case_id), attachments (owner_id), "
					"documents (doc_id), settle_conflict (doc_id)";

/* No Citus here: a function of its name notes what it is asked for, in a table as Citus has one. What is tested is
 * which questions are asked, and what is made of such answers. */
static void make_citus(struct place *p, struct place *there)
{
	place_exec(p, "DROP DATABASE IF EXISTS settle_citus WITH (FORCE)");
	place_exec(p, "CREATE DATABASE settle_citus");
	MUST(url_parse_target(url_with(p, "settle", "settle_citus", ""), &there->memory, &there->url, err));
	snprintf(there->schema, sizeof(there->schema), "public");
	place_exec(
	    there,
	    "INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)"
	    " VALUES (99999, 'citus', 10, 2200, false, '12.1');"
	    "CREATE TABLE asked (n serial, what text);"
	    "CREATE TABLE pg_dist_partition (logicalrelid regclass, partmethod \"char\");"
	    "CREATE FUNCTION create_distributed_table(table_name regclass, distribution_column text,"
	    " distribution_type text DEFAULT 'hash', colocate_with text DEFAULT 'default') RETURNS void LANGUAGE sql"
	    " AS $$INSERT INTO pg_dist_partition VALUES (table_name, 'h');"
	    " INSERT INTO asked (what) VALUES (table_name::text || ' by ' || distribution_column || ' with '"
	    " || CASE colocate_with WHEN 'none' THEN 'none' ELSE colocate_with::regclass::text END)$$");
}

static void drop_citus(struct place *p, struct place *there)
{
	place_exec(p, "DROP DATABASE settle_citus WITH (FORCE)");
	arena_release(&there->memory);
}

static void test_sql_open__distribute_spreads_by_id(void **state)
{
	static const char want[] =
	    "forms by form_id with none; form_operations by form_id with forms; cases by case_id with none; "
	    "case_transactions by case_id with cases; case_indices by case_id with cases; "
	    "attachments by owner_id with none; documents by doc_id with none; "
	    "settle_conflict by doc_id with documents";
	struct place *p = *state;
	struct place there = {.is_pg = 1};
	struct sql_target *t;
	struct sql_report report;

	make_citus(p, &there);
	MUST(sql_open(&t, &(struct sql_options){.url = &there.url, .flags = SQL_CREATE, .distribute = 1}, err));
	MUST(sql_describe(t, &p->memory, &report, err));
	assert_int_equal(report.citus, 1);
	check_put_on_citus(t, &p->memory);
	sql_close(t);
	assert_int_equal(
	    place_count(&there,
			arena_printf(&p->memory,
				     "SELECT count(*) FROM (SELECT string_agg(what, '; ' ORDER BY n) w FROM asked) x"
				     " WHERE w = '%s'",
				     want)
			    .ptr),
	    1);
	drop_citus(p, &there);
}

static void must_not_distribute(struct place *there, unsigned flags, const char *tables)
{
	struct sql_target *t = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(sql_open(&t, &(struct sql_options){.url = &there->url, .flags = flags, .distribute = 1}, &e),
			 ERR_STATE);
	assert_null(t);
	TELLS(e.msg, tables);
	TELLS(e.hint, "leave --distribute out");
	TELLS(e.hint, "create_distributed_table");
}

static void must_distribute(struct place *there, unsigned flags)
{
	struct sql_target *t = NULL;

	MUST(sql_open(&t, &(struct sql_options){.url = &there->url, .flags = flags, .distribute = 1}, err));
	sql_close(t);
}

static void test_sql_open__distribute_names_tables_that_are_not(void **state)
{
	struct place *p = *state;
	struct place there = {.is_pg = 1};
	struct sql_target *t;

	make_citus(p, &there);
	must_distribute(&there, SQL_READ_ONLY); /* a dry run: there is nothing yet */
	MUST(sql_open(&t, &(struct sql_options){.url = &there.url, .flags = SQL_CREATE}, err));
	sql_close(t);
	must_not_distribute(&there, SQL_CREATE, citus_tables);
	must_not_distribute(&there, SQL_READ_ONLY, citus_tables);
	/* 'n': on each node whole, or on the coordinator alone */
	place_exec(&there, "INSERT INTO pg_dist_partition SELECT tablename::regclass,"
			   " CASE tablename WHEN 'documents' THEN 'n' ELSE 'h' END::\"char\" FROM pg_tables"
			   " WHERE schemaname = 'public' AND tablename <> 'cases'");
	must_not_distribute(&there, SQL_CREATE, ": cases (case_id), documents (doc_id)");
	place_exec(&there, "UPDATE pg_dist_partition SET partmethod = 'h';"
			   "INSERT INTO pg_dist_partition VALUES ('cases', 'h')");
	must_distribute(&there, SQL_CREATE);
	must_distribute(&there, SQL_READ_ONLY);
	assert_int_equal(place_count(&there, "SELECT count(*) FROM asked"), 0);
	drop_citus(p, &there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_sql_open__wrong_password),
	    PLACE_TEST(test_sql_open__no_password),
	    PLACE_TEST(test_sql_open__password_in_the_keyword_form_stays_secret),
	    PLACE_TEST(test_sql_open__unreadable_connection_string),
	    PLACE_TEST(test_sql_open__unknown_host),
	    PLACE_TEST(test_sql_open__nobody_listens),
	    PLACE_TEST(test_sql_open__a_silent_server_is_given_up),
	    PLACE_TEST(test_sql_open__missing_database),
	    PLACE_TEST(test_sql_open__another_encoding),
	    PLACE_TEST(test_sql_open__no_right_to_make_a_schema),
	    PLACE_TEST(test_sql_put__no_right_to_write),
	    PLACE_TEST(test_sql_open__target_set_to_read_only),
	    PLACE_TEST(test_sql_open__read_only_holds_on_the_server_too),
	    PLACE_TEST(test_sql_open__without_schema_the_first_of_the_search_path),
	    PLACE_TEST(test_sql_open__an_empty_search_path),
	    PLACE_TEST(test_sql_open__distribute_without_citus),
	    PLACE_TEST(test_sql_open__distribute_spreads_by_id),
	    PLACE_TEST(test_sql_open__distribute_names_tables_that_are_not),
	};

	return run_at_postgresql("sql_pg_open", tests, sizeof(tests) / sizeof(tests[0]));
}
