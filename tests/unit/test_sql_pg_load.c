/* A load into PostgreSQL: workers side by side, stage, log and end. Needs a server: tests/cli/sql-pg.sh. */
#include "config.h"

#include "base/buf.h"
#include "sql/pg/pg.h"
#include "tests/unit/sql_place.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- side by side ---- */

static void test_sql_commit__workers_of_one_process_do_not_wait_for_each_other(void **state)
{
	struct place *p = *state;
	struct sql_target *holder = place_open(p, SQL_CREATE), *worker = place_open(p, 0);
	int64_t epoch;

	assert_int_equal(sql_concurrent(holder), 1);
	MUST(sql_domain_lock(holder, SLICE("d"), &epoch, err));
	MUST(sql_domain_join(worker, SLICE("d"), epoch, err));
	for (int i = 0; i < 3; i++) {
		MUST(sql_begin(holder, err));
		MUST(sql_begin(worker, err));
		put_document(holder, i % 2 ? "a" : "b", &p->memory);
		put_document(worker, i % 2 ? "c" : "d", &p->memory);
		MUST(sql_commit(worker, err));
		MUST(sql_commit(holder, err));
	}
	sql_close(worker);
	sql_close(holder);
	assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 4);
}

static void test_sql_domain_lock__waits_for_a_commit_that_has_checked(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	int64_t epoch;
	int same = 0;

	MUST(sql_domain_lock(t, SLICE("d"), &epoch, err));
	MUST(sql_begin(t, err));
	MUST(t->driver->check_epoch(t, &same, err));
	assert_int_equal(same, 1);
	/* Another worker's commit need not wait, but raising the epoch would have to. */
	place_exec(p, "SELECT 1 FROM settle_migration FOR SHARE NOWAIT");
	place_exec(p, "DO $$BEGIN PERFORM 1 FROM settle_migration FOR NO KEY UPDATE NOWAIT;"
		      " RAISE EXCEPTION 'not locked'; EXCEPTION WHEN lock_not_available THEN NULL; END$$");
	MUST(sql_commit(t, err));
	place_exec(p, "SELECT 1 FROM settle_migration FOR NO KEY UPDATE NOWAIT");
	sql_close(t);
}

/* ---- what is staged and logged ---- */

static void test_sql_log__statements_without_values(void **state)
{
	static const int by_id[] = {DOC_DOMAIN, DOC_ID};
	struct place *p = *state;
	struct sql_row row = document_row("geheim-id", "{\"geheim\":1}", &p->memory);
	struct sql_target *t;
	struct sql_rows rows;
	enum sql_outcome outcome;
	int64_t epoch;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct log *log = log_new(out, LOG_SQL, LOG_TEXT);
	struct sql_options o = {.url = &p->url, .schema = p->schema, .flags = SQL_CREATE, .log = log};

	MUST(sql_open(&t, &o, err));
	MUST(sql_domain_lock(t, SLICE("geheim-domain"), &epoch, err));
	MUST(sql_begin(t, err));
	MUST(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, err));
	MUST(sql_select(t, &sql_documents, by_id, 2, &row, 1, &p->memory, &rows, err));
	MUST(sql_commit(t, err));
	MUST(pg_simple(pg_of(t), "DO $$BEGIN RAISE WARNING 'a notice'; END$$", NULL, err));
	sql_close(t);
	log_free(log);
	fclose(out);
	TELLS(text, "ON CONFLICT");
	TELLS(text, "COMMIT");
	TELLS(text, "a notice");
	assert_null(strstr(text, "geheim"));
	free(text);
}

static void test_sql_put__a_large_stage_is_emptied(void **state)
{
	struct place *p = *state;
	struct sql_target *t;
	enum sql_outcome outcome;
	char *text = NULL, id[2] = "a";
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct log *log = log_new(out, LOG_SQL, LOG_TEXT);
	struct sql_options o = {.url = &p->url, .schema = p->schema, .flags = SQL_CREATE, .log = log};
	struct slice raw = {arena_zalloc(&p->memory, 1, (size_t)3 << 20), (size_t)3 << 20};

	MUST(sql_open(&t, &o, err));
	MUST(sql_begin(t, err));
	for (int i = 0; i < 4; i++, id[0]++) {
		struct sql_row row = document_row(id, "{}", &p->memory);
		row.cells[DOC_RAW] = raw;
		MUST(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, err));
		fflush(out);
		assert_int_equal(strstr(text, "TRUNCATE") != NULL, i >= 2);
	}
	MUST(sql_commit(t, err));
	sql_close(t);
	log_free(log);
	fclose(out);
	free(text);
}

/* ---- after a load ---- */

#define MANY_ROWS                                                                                       \
	"INSERT INTO documents (domain, doc_id, deleted) SELECT 'd', repeat('x', 60) || n, false FROM " \
	"generate_series(1, 90000) n"
#define VISIBLE "SELECT relallvisible FROM pg_class WHERE oid = 'documents'::regclass"
#define PAGES "SELECT relpages FROM pg_class WHERE oid = 'documents'::regclass"

static void test_sql_finish_load__keys_can_be_read_from_the_index_alone(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);

	place_exec(p, "ALTER TABLE documents SET (autovacuum_enabled = off)");
	place_exec(p, MANY_ROWS);
	MUST(sql_finish_load(t, err));
	assert_true(place_count(p, PAGES) > 1000);
	assert_int_equal(place_count(p, VISIBLE), place_count(p, PAGES));
	/* Few rows more are no reason to read all pages again. */
	place_exec(p, "INSERT INTO documents (domain, doc_id, deleted) SELECT 'e', n::text, false FROM "
		      "generate_series(1, 5000) n");
	MUST(sql_finish_load(t, err));
	assert_true(place_count(p, VISIBLE) < place_count(p, PAGES));
	sql_close(t);
}

static void test_sql_finish_load__a_table_that_somebody_alters_is_left_alone(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE), *other = place_open(p, 0);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	place_exec(p, "ALTER TABLE documents SET (autovacuum_enabled = off)");
	MUST(sql_finish_load(t, err));
	place_exec(p, MANY_ROWS);
	MUST(sql_begin(other, err));
	buf_str(pg_text(pg_of(other)), "LOCK TABLE ");
	sql_add_table(&pg_of(other)->text, &other->names, "documents");
	buf_str(&pg_of(other)->text, " IN SHARE UPDATE EXCLUSIVE MODE");
	MUST(pg_run_text(pg_of(other), err));
	t->log = log_new(out, LOG_SQL, LOG_TEXT);
	MUST(sql_finish_load(t, err));
	fflush(out);
	TELLS(text, "VACUUM");
	TELLS(text, "lock timeout");
	TELLS(text, "settle_conflict");
	assert_int_equal(place_count(p, VISIBLE), 0);
	sql_close(other);
	MUST(sql_finish_load(t, err));
	assert_int_equal(place_count(p, VISIBLE), place_count(p, PAGES));
	log_free(t->log);
	t->log = NULL;
	sql_close(t);
	fclose(out);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_sql_commit__workers_of_one_process_do_not_wait_for_each_other),
	    PLACE_TEST(test_sql_domain_lock__waits_for_a_commit_that_has_checked),
	    PLACE_TEST(test_sql_log__statements_without_values),
	    PLACE_TEST(test_sql_put__a_large_stage_is_emptied),
	    PLACE_TEST(test_sql_finish_load__keys_can_be_read_from_the_index_alone),
	    PLACE_TEST(test_sql_finish_load__a_table_that_somebody_alters_is_left_alone),
	};

	return run_at_postgresql("sql_pg_load", tests, sizeof(tests) / sizeof(tests[0]));
}
