/* What both kinds of target promise: tables, puts, transactions, pages, counts. */
#include "config.h"

#include "base/buf.h"
#include "tests/unit/sql_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

/* ---- help ---- */

static void put_documents(struct sql_target *t, struct sql_row *rows, size_t n, enum sql_outcome want, struct arena *a)
{
	enum sql_outcome *outcomes = ARENA_ARRAY(a, n, enum sql_outcome);
	struct sql_row *back = NULL;

	MUST(sql_put(t, &sql_documents, rows, n, outcomes, a, &back, err));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(outcomes[i], want);
		assert_true(slice_eq(back[i].cells[DOC_ID], rows[i].cells[DOC_ID]));
	}
}

static void add_documents(struct place *p, struct sql_target *t, const char *const *ids)
{
	for (; *ids; ids++) {
		struct sql_row row = document_row(*ids, "{}", &p->memory);
		put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	}
}

/* Fails as a misuse, naming something. */
#define REFUSED(call, text)                                                     \
	do {                                                                    \
		struct err refused = ERR_INIT, *err = &refused;                 \
		assert_int_equal((call), ERR_INTERNAL);                         \
		if (!strstr(refused.msg, text))                                 \
			fail_msg("'%s' does not name '%s'", refused.msg, text); \
	} while (0)

/* ---- tables ---- */

static void test_sql_open__makes_the_tables_once(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_target *again = place_open(p, SQL_CREATE);

	MUST(sql_schema_check(t, err));
	MUST(sql_schema_check(again, err));
	sql_close(again);
	sql_close(t);
	assert_int_equal(place_count(p, "SELECT count(*) FROM settle_schema"), 1);
	for (const struct sql_table *const *table = sql_all_tables; *table; table++)
		assert_int_equal(
		    place_count(p, arena_printf(&p->memory, "SELECT count(*) FROM \"%s\"", (*table)->name).ptr), 0);
}

/* Opens once the parent has closed the other end of the pipe, so that all begin together. */
static pid_t open_in_a_child(struct place *p, const int gate[2])
{
	pid_t child = fork();
	struct sql_target *t = NULL;
	struct err e = ERR_INIT;
	char byte;

	if (child != 0)
		return child;
	close(gate[1]);
	(void)!read(gate[0], &byte, 1);
	_exit(place_try(p, SQL_CREATE, &t, &e));
}

static void test_sql_open__processes_may_come_together(void **state)
{
	struct place *p = *state;
	pid_t children[6];
	int gate[2], status;

	assert_int_equal(pipe(gate), 0);
	for (int i = 0; i < 6; i++)
		children[i] = open_in_a_child(p, gate);
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(place_count(p, "SELECT count(*) FROM settle_schema"), 1);
}

static void test_sql_open__fresh_target_can_be_read(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_READ_ONLY);
	struct err e = ERR_INIT;

	assert_int_equal(sql_schema_check(t, &e), ERR_NOTFOUND);
	sql_close(t);
	assert_int_not_equal(access(p->path, F_OK), 0);
}

static void test_sql_open__newer_tables_are_refused(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct err e = ERR_INIT;

	sql_close(t);
	place_exec(p, "UPDATE settle_schema SET version = 99");
	assert_int_equal(place_try(p, SQL_CREATE, &t, &e), ERR_TARGET);
	assert_non_null(strstr(e.msg, "version 99"));
	assert_non_null(strstr(e.hint, "newer settle"));
	t = place_open(p, SQL_READ_ONLY);
	assert_int_equal(sql_schema_check(t, &e), ERR_TARGET);
	sql_close(t);
}

static void test_sql_open__somebody_elses_table_stops_it(void **state)
{
	struct place *p = *state;
	struct sql_target *t = NULL;
	struct err e = ERR_INIT;

	if (p->is_pg)
		place_exec(p, arena_printf(&p->memory, "CREATE SCHEMA %s",
					   sql_quote_ident(slice_of(p->schema), &p->memory).ptr)
				  .ptr);
	place_exec(p, "CREATE TABLE documents (mine INTEGER)");
	assert_int_equal(place_try(p, SQL_CREATE, &t, &e), ERR_TARGET);
	assert_non_null(strstr(e.msg, "already exists"));
	assert_non_null(strstr(e.hint, "of that name"));
	t = place_open(p, SQL_READ_ONLY);
	assert_int_equal(sql_schema_check(t, &e), ERR_NOTFOUND); /* nothing half made */
	sql_close(t);
}

static void test_sql_finish_load__may_be_repeated(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);

	MUST(sql_finish_load(t, err));
	MUST(sql_finish_load(t, err));
	MUST(sql_begin(t, err));
	REFUSED(sql_finish_load(t, err), "inside a transaction");
	sql_close(t);
}

static void test_sql_describe__tells_server_and_schema(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_READ_ONLY);
	struct sql_report r;

	MUST(sql_describe(t, &p->memory, &r, err));
	assert_int_equal(r.schema_version, 0);
	assert_int_equal(r.can_create, 1);
	assert_int_equal(r.can_write, 1);
	sql_close(t);
	t = place_open(p, SQL_CREATE);
	MUST(sql_describe(t, &p->memory, &r, err));
	assert_true(slice_starts(r.server, p->is_pg ? SLICE("PostgreSQL ") : SLICE("SQLite ")));
	assert_true(r.version.len > 0);
	assert_int_equal(r.schema_version, SQL_SCHEMA_VERSION);
	assert_int_equal(r.can_write, 1);
	assert_int_equal(r.citus, 0);
	assert_true(p->is_pg ? r.free_bytes == -1 : r.free_bytes > 0);
	sql_close(t);
}

/* ---- put ---- */

static void test_sql_put__rows_come_back_in_the_order_given(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row rows[] = {
	    document_row("z", "{\"n\":1}", &p->memory),
	    document_row("a", "{\"n\":2}", &p->memory),
	    document_row("m", "{\"n\":3}", &p->memory),
	};

	MUST(sql_begin(t, err));
	put_documents(t, rows, 3, SQL_INSERTED, &p->memory);
	MUST(sql_commit(t, err));
	MUST(sql_begin(t, err));
	put_documents(t, rows, 3, SQL_SAME, &p->memory);
	rows[1].cells[DOC_BODY] = SLICE("{\"n\":4}");
	struct sql_row *back;
	enum sql_outcome outcomes[3];
	MUST(sql_put(t, &sql_documents, rows, 3, outcomes, &p->memory, &back, err));
	assert_int_equal(outcomes[0], SQL_SAME);
	assert_int_equal(outcomes[1], SQL_UPDATED);
	assert_int_equal(outcomes[2], SQL_SAME);
	assert_non_null(memchr(back[1].cells[DOC_BODY].ptr, '4', back[1].cells[DOC_BODY].len));
	MUST(sql_commit(t, err));
	sql_close(t);
}

static void test_sql_put__a_value_becomes_null_and_null_a_value(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	enum sql_outcome outcome;
	struct sql_row *back;

	row.cells[DOC_TYPE] = SLICE("");
	MUST(sql_begin(t, err));
	put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	row.cells[DOC_TYPE] = SLICE_NONE;
	put_documents(t, &row, 1, SQL_UPDATED, &p->memory);
	put_documents(t, &row, 1, SQL_SAME, &p->memory);
	row.cells[DOC_RAW] = SLICE("");
	MUST(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, &back, err));
	assert_int_equal(outcome, SQL_UPDATED);
	assert_null(back->cells[DOC_TYPE].ptr);
	assert_non_null(back->cells[DOC_RAW].ptr);
	assert_int_equal(back->cells[DOC_RAW].len, 0);
	sql_close(t);
}

static char *big_text(size_t len)
{
	char *text = malloc(len);

	assert_non_null(text);
	memset(text, 'x', len);
	text[0] = text[len - 1] = '"';
	return text;
}

static void test_sql_put__many_large_puts_in_one_transaction(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	char *text = big_text(3 * MIB);
	char id[2] = "a";

	MUST(sql_begin(t, err));
	for (int i = 0; i < 6; i++, id[0]++) {
		struct sql_row row = document_row(id, "{}", &p->memory);
		row.cells[DOC_BODY] = (struct slice){text, 3 * MIB};
		put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	}
	MUST(sql_commit(t, err));
	assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 6);
	sql_close(t);
	free(text);
}

static void test_sql_put__a_row_of_64_mib(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	char *text = big_text(64 * MIB);
	struct sql_row rows[2] = {document_row("big", "{}", &p->memory), document_row("small", "[1]", &p->memory)};
	enum sql_outcome outcomes[2];
	struct sql_row *back;

	rows[0].cells[DOC_BODY] = (struct slice){text, 64 * MIB};
	MUST(sql_begin(t, err));
	MUST(sql_put(t, &sql_documents, rows, 2, outcomes, &p->memory, &back, err));
	assert_true(slice_eq(back[0].cells[DOC_BODY], rows[0].cells[DOC_BODY]));
	assert_true(slice_is(back[1].cells[DOC_BODY], "[1]"));
	MUST(sql_commit(t, err));
	sql_close(t);
	free(text);
}

static void test_sql_put__without_rows_or_without_reading_back(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory), *back = &row;
	enum sql_outcome outcome;

	MUST(sql_begin(t, err));
	MUST(sql_put(t, &sql_documents, NULL, 0, NULL, &p->memory, &back, err));
	assert_null(back);
	MUST(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, err));
	assert_int_equal(outcome, SQL_INSERTED);
	REFUSED(sql_put(t, &sql_dirty_case, &row, 1, &outcome, &p->memory, NULL, err), "settle_dirty_case");
	sql_close(t);
}

static void test_sql_put__a_dropped_row_is_noticed(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row rows[] = {document_row("a", "{}", &p->memory), document_row("b", "{}", &p->memory)};
	enum sql_outcome outcomes[2];
	struct sql_row *back;
	struct err e = ERR_INIT;

	if (p->is_pg)
		place_exec(p, "CREATE FUNCTION drop_b() RETURNS trigger LANGUAGE plpgsql AS"
			      " $$BEGIN IF NEW.doc_id = 'b' THEN RETURN NULL; END IF; RETURN NEW; END$$;"
			      "CREATE TRIGGER t BEFORE INSERT ON documents FOR EACH ROW EXECUTE FUNCTION drop_b()");
	else
		place_exec(p, "CREATE TRIGGER t AFTER INSERT ON documents WHEN NEW.doc_id = 'b'"
			      " BEGIN DELETE FROM documents WHERE doc_id = 'b'; END");
	MUST(sql_begin(t, err));
	assert_int_equal(sql_put(t, &sql_documents, rows, 2, outcomes, &p->memory, &back, &e), ERR_TARGET);
	assert_non_null(strstr(e.msg, "not there when read back"));
	assert_non_null(strstr(e.hint, "trigger"));
	sql_close(t);
}

static void test_sql_put__bad_cells_name_their_column(void **state)
{
	static const struct bad {
		int column;
		const char *text, *named;
	} bad[] = {
	    {FORM_RECEIVED_ON, "2016-04-05T06:07:08Z", "received_on"}, /* a date-time, but not canonical */
	    {FORM_RECEIVED_ON, "2016-02-30T06:07:08.000000Z", "received_on"},
	    {FORM_DELETED, "true", "deleted"},
	    {FORM_DELETED, "", "deleted"},
	};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	enum sql_outcome outcome;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sql_row row = row_of_nulls(&sql_forms, &p->memory);
		row.cells[FORM_DOMAIN] = row.cells[FORM_ID] = row.cells[FORM_DOC_TYPE] = SLICE("x");
		row.cells[FORM_DELETED] = SLICE("f");
		row.cells[bad[i].column] = slice_of(bad[i].text);
		MUST(sql_begin(t, err));
		REFUSED(sql_put(t, &sql_forms, &row, 1, &outcome, &p->memory, NULL, err), bad[i].named);
		sql_rollback(t);
	}
	MUST(sql_begin(t, err));
	struct sql_row row = row_of_nulls(&sql_case_transactions, &p->memory);
	row.cells[TXN_DOMAIN] = row.cells[TXN_CASE_ID] = row.cells[TXN_FORM_ID] = row.cells[TXN_KIND] = SLICE("x");
	row.cells[TXN_POSITION] = SLICE("1.5");
	REFUSED(sql_put(t, &sql_case_transactions, &row, 1, &outcome, &p->memory, NULL, err), "position");
	sql_rollback(t);
	assert_int_equal(place_count(p, "SELECT count(*) FROM forms"), 0);
	sql_close(t);
}

static void test_sql_put__null_in_a_key_is_refused(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	enum sql_outcome outcome;
	struct err e = ERR_INIT;

	row.cells[DOC_ID] = SLICE_NONE;
	MUST(sql_begin(t, err));
	assert_int_equal(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, &e), ERR_TARGET);
	sql_close(t);
}

/* ---- insert ---- */

static void test_sql_insert__a_key_that_is_there_fails(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	struct err e = ERR_INIT;

	MUST(sql_begin(t, err));
	MUST(sql_insert(t, &sql_documents, &row, 1, err));
	assert_int_equal(sql_insert(t, &sql_documents, &row, 1, &e), ERR_TARGET);
	assert_int_equal(e.retryable, 0);
	if (p->is_pg)
		assert_string_equal(e.sqlstate, "23505");
	sql_close(t);
}

/* ---- transactions ---- */

static void test_sql_begin__after_an_error_only_rollback_helps(void **state)
{
	static const int by_id[] = {DOC_DOMAIN, DOC_ID};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	struct sql_rows rows;
	enum sql_outcome outcome;
	struct err e = ERR_INIT;

	MUST(sql_begin(t, err));
	MUST(sql_insert(t, &sql_documents, &row, 1, err));
	assert_int_not_equal(sql_insert(t, &sql_documents, &row, 1, &e), 0);
	REFUSED(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, err), "after an error");
	REFUSED(sql_insert(t, &sql_documents, &row, 1, err), "after an error");
	REFUSED(sql_select(t, &sql_documents, by_id, 2, &row, 1, &p->memory, &rows, err), "after an error");
	REFUSED(sql_commit(t, err), "without a sound transaction");
	sql_rollback(t);
	assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 0);
	MUST(sql_begin(t, err));
	put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	MUST(sql_commit(t, err));
	sql_close(t);
}

static void test_sql_rollback__takes_rows_away_and_puts_work_after_it(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);

	for (int i = 0; i < 3; i++) {
		MUST(sql_begin(t, err));
		put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
		sql_rollback(t);
		assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 0);
	}
	MUST(sql_begin(t, err));
	put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	sql_close(t); /* rolls back too */
	assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 0);
}

static void test_sql_begin__misuse_is_refused(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	static const int by_id[] = {DOC_DOMAIN, DOC_ID};
	enum sql_outcome outcome;
	int64_t epoch;

	REFUSED(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, err), "outside a transaction");
	REFUSED(sql_insert(t, &sql_documents, &row, 1, err), "outside a transaction");
	REFUSED(sql_delete(t, &sql_documents, by_id, 2, &row, 1, &p->memory, NULL, err), "outside a transaction");
	REFUSED(sql_delete_range(t, &sql_documents, SLICE("d"), 1, SLICE_NONE, SLICE_NONE, err),
		"outside a transaction");
	REFUSED(sql_commit(t, err), "without a sound transaction");
	MUST(sql_begin(t, err));
	REFUSED(sql_begin(t, err), "inside a transaction");
	REFUSED(sql_domain_lock(t, SLICE("d"), &epoch, err), "inside a transaction");
	sql_close(t);
	sql_close(NULL);
}

static void test_sql_open__read_only_cannot_write(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	enum sql_outcome outcome;
	struct sql_rows rows;
	int64_t epoch;

	MUST(sql_begin(t, err));
	put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	MUST(sql_commit(t, err));
	sql_close(t);
	t = place_open(p, SQL_READ_ONLY);
	REFUSED(sql_domain_lock(t, SLICE("d"), &epoch, err), "opened for reading");
	REFUSED(sql_domain_join(t, SLICE("d"), 1, err), "opened for reading");
	REFUSED(sql_finish_load(t, err), "opened for reading");
	MUST(sql_begin(t, err));
	MUST(sql_page(t, &sql_documents, SLICE("d"), DOC_ID, SLICE_NONE, 10, 0, &p->memory, &rows, err));
	assert_int_equal(rows.n, 1);
	REFUSED(sql_put(t, &sql_documents, &row, 1, &outcome, &p->memory, NULL, err), "opened for reading");
	sql_rollback(t);
	sql_close(t);
}

/* ---- pages, ranges, counts ---- */

static void test_sql_page__order_is_of_bytes(void **state)
{
	static const char *const ids[] = {"b", "\xf0\x9f\x98\x80", "a", "\xef\xbf\xbf", "B", "_", "", "aa", NULL};
	static const char *const order[] = {"", "B", "_", "a", "aa", "b", "\xef\xbf\xbf", "\xf0\x9f\x98\x80"};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_rows rows;
	struct slice after = SLICE_NONE;
	size_t seen = 0;

	MUST(sql_begin(t, err));
	add_documents(p, t, ids);
	MUST(sql_commit(t, err));
	do {
		MUST(sql_page(t, &sql_documents, SLICE("d"), DOC_ID, after, 3, 0, &p->memory, &rows, err));
		for (size_t i = 0; i < rows.n; i++, seen++) {
			after = rows.v[i].cells[DOC_ID];
			assert_true(slice_is(after, order[seen]));
		}
	} while (rows.n == 3);
	assert_int_equal(seen, 8);
	MUST(sql_page(t, &sql_documents, SLICE("D"), DOC_ID, SLICE_NONE, 3, 0, &p->memory, &rows, err));
	assert_int_equal(rows.n, 0);
	sql_close(t);
}

static struct sql_row dirty(const char *id, struct arena *a)
{
	struct sql_row row = row_of_nulls(&sql_dirty_case, a);

	row.cells[DIRTY_DOMAIN] = SLICE("d");
	row.cells[DIRTY_CASE_ID] = slice_of(id);
	return row;
}

static void test_sql_page__distinct_ids_of_a_table_without_key(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row rows[] = {dirty("b", &p->memory), dirty("a", &p->memory), dirty("b", &p->memory),
				 dirty("c", &p->memory), dirty("a", &p->memory)};
	struct sql_rows got;

	MUST(sql_begin(t, err));
	MUST(sql_insert(t, &sql_dirty_case, rows, 5, err));
	MUST(sql_page(t, &sql_dirty_case, SLICE("d"), DIRTY_CASE_ID, SLICE_NONE, 2, 1, &p->memory, &got, err));
	assert_int_equal(got.n, 2);
	assert_true(slice_is(got.v[0].cells[DIRTY_CASE_ID], "a"));
	assert_true(slice_is(got.v[1].cells[DIRTY_CASE_ID], "b"));
	MUST(sql_page(t, &sql_dirty_case, SLICE("d"), DIRTY_CASE_ID, SLICE("a"), 10, 0, &p->memory, &got, err));
	assert_int_equal(got.n, 3);
	MUST(sql_delete_range(t, &sql_dirty_case, SLICE("d"), DIRTY_CASE_ID, SLICE("a"), SLICE("b"), err));
	MUST(sql_page(t, &sql_dirty_case, SLICE("d"), DIRTY_CASE_ID, SLICE_NONE, 10, 0, &p->memory, &got, err));
	assert_int_equal(got.n, 3);
	assert_true(slice_is(got.v[2].cells[DIRTY_CASE_ID], "c"));
	sql_close(t);
}

static void write_count(void *ctx, struct slice value, int64_t n)
{
	buf_fmt(ctx, "%s%.*s=%lld;", value.ptr ? "" : "(null)", SLICE_ARG(value), (long long)n);
}

static void test_sql_page_keys__ids_of_the_domain_in_order_of_bytes(void **state)
{
	static const char *const ids[] = {"b", "\xf0\x9f\x98\x80", "a", "\xef\xbf\xbf", "B", "_", "", "aa", NULL};
	static const char *const order[] = {"", "B", "_", "a", "aa", "b", "\xef\xbf\xbf", "\xf0\x9f\x98\x80"};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row other = document_row("c", "{}", &p->memory);
	struct slice after = SLICE_NONE;
	struct sql_keys keys;
	size_t seen = 0;

	other.cells[DOC_DOMAIN] = SLICE("e");
	MUST(sql_begin(t, err));
	add_documents(p, t, ids);
	put_documents(t, &other, 1, SQL_INSERTED, &p->memory);
	MUST(sql_commit(t, err));
	do {
		MUST(sql_page_keys(t, &sql_documents, SLICE("d"), after, 3, &p->memory, &keys, err));
		for (size_t i = 0; i < keys.n; i++, seen++) {
			after = keys.v[i];
			assert_true(slice_is(after, order[seen]));
		}
	} while (keys.n == 3);
	assert_int_equal(seen, 8);
	MUST(sql_page_keys(t, &sql_documents, SLICE("d"), SLICE_NONE, 0, &p->memory, &keys, err));
	assert_int_equal(keys.n, 0);
	MUST(sql_page_keys(t, &sql_forms, SLICE("d"), SLICE_NONE, 5, &p->memory, &keys, err));
	assert_int_equal(keys.n, 0);
	REFUSED(sql_page_keys(t, &sql_dirty_case, SLICE("d"), SLICE_NONE, 5, &p->memory, &keys, err), "is not one id");
	sql_close(t);
}

static struct sql_row operation(const char *form_id, const char *position, const char *what, struct arena *a)
{
	struct sql_row row = row_of_nulls(&sql_form_operations, a);

	row.cells[OP_DOMAIN] = SLICE("d");
	row.cells[OP_FORM_ID] = slice_of(form_id);
	row.cells[OP_POSITION] = slice_of(position);
	row.cells[OP_OPERATION] = slice_of(what);
	return row;
}

static void test_sql_page_values__each_once_of_rows_that_hold_the_value(void **state)
{
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row rows[] = {operation("c", "0", "edit", &p->memory),  operation("a", "0", "patch", &p->memory),
				 operation("a", "1", "patch", &p->memory), operation("B", "0", "patch", &p->memory),
				 operation("b", "0", "patch", &p->memory), operation("f", "0", "patch", &p->memory)};
	struct sql_keys keys;

	rows[5].cells[OP_DOMAIN] = SLICE("e");
	MUST(sql_begin(t, err));
	MUST(sql_insert(t, &sql_form_operations, rows, 6, err));
	MUST(sql_commit(t, err));
	MUST(sql_page_values(t, &sql_form_operations, SLICE("d"), OP_FORM_ID, OP_OPERATION, SLICE("patch"), SLICE_NONE,
			     2, &p->memory, &keys, err));
	assert_int_equal(keys.n, 2);
	assert_true(slice_is(keys.v[0], "B"));
	assert_true(slice_is(keys.v[1], "a"));
	MUST(sql_page_values(t, &sql_form_operations, SLICE("d"), OP_FORM_ID, OP_OPERATION, SLICE("patch"), keys.v[1],
			     2, &p->memory, &keys, err));
	assert_int_equal(keys.n, 1);
	assert_true(slice_is(keys.v[0], "b"));
	REFUSED(sql_page_values(t, &sql_form_operations, SLICE("d"), OP_POSITION, OP_OPERATION, SLICE("patch"),
				SLICE_NONE, 2, &p->memory, &keys, err),
		"are not text");
	sql_close(t);
}

static void test_sql_count_by__null_comes_first(void **state)
{
	static const char *const types[] = {"b", "a", NULL, "b", "", "\xc3\xa9", "B"};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct buf b = BUF_INIT(1000);

	MUST(sql_begin(t, err));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct sql_row row = document_row(arena_printf(&p->memory, "%zu", i).ptr, "{}", &p->memory);
		row.cells[DOC_TYPE] = slice_of(types[i]);
		put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	}
	MUST(sql_commit(t, err));
	MUST(sql_count_by(t, &sql_documents, SLICE("d"), DOC_TYPE, write_count, &b, err));
	buf_ch(&b, '|');
	MUST(sql_count_by(t, &sql_documents, SLICE("d"), DOC_DELETED, write_count, &b, err));
	assert_string_equal(b.ptr, "(null)=1;=1;B=1;a=1;b=2;\xc3\xa9=1;|f=7;");
	buf_release(&b);
	sql_close(t);
}

static void test_sql_select__null_equals_nothing(void **state)
{
	static const int by_type[] = {DOC_DOMAIN, DOC_TYPE};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct sql_row row = document_row("x", "{}", &p->memory);
	struct slice cells[] = {SLICE("d"), SLICE_NONE};
	struct sql_row tuple = {cells};
	struct sql_rows rows;

	MUST(sql_begin(t, err));
	put_documents(t, &row, 1, SQL_INSERTED, &p->memory);
	MUST(sql_select(t, &sql_documents, by_type, 2, &tuple, 1, &p->memory, &rows, err));
	assert_int_equal(rows.n, 0);
	MUST(sql_delete(t, &sql_documents, by_type, 2, &tuple, 1, &p->memory, &rows, err));
	assert_int_equal(rows.n, 0);
	MUST(sql_select(t, &sql_documents, by_type, 1, &tuple, 1, &p->memory, &rows, err));
	assert_int_equal(rows.n, 1);
	MUST(sql_select(t, &sql_documents, by_type, 1, NULL, 0, &p->memory, &rows, err));
	assert_int_equal(rows.n, 0);
	sql_close(t);
}

static void test_sql_delete__gives_the_old_rows(void **state)
{
	static const char *const ids[] = {"a", "b", "c", NULL};
	static const int by_id[] = {DOC_DOMAIN, DOC_ID};
	struct place *p = *state;
	struct sql_target *t = place_open(p, SQL_CREATE);
	struct slice one[] = {SLICE("d"), SLICE("b")}, two[] = {SLICE("d"), SLICE("none")};
	struct sql_row tuples[] = {{one}, {two}, {one}};
	struct sql_rows old = {0};

	MUST(sql_begin(t, err));
	add_documents(p, t, ids);
	MUST(sql_delete(t, &sql_documents, by_id, 2, tuples, 3, &p->memory, &old, err));
	assert_int_equal(old.n, 1);
	assert_true(slice_is(old.v[0].cells[DOC_ID], "b"));
	assert_true(slice_is(old.v[0].cells[DOC_BODY], "{}"));
	one[1] = SLICE("a");
	MUST(sql_delete(t, &sql_documents, by_id, 2, tuples, 3, &p->memory, NULL, err));
	MUST(sql_commit(t, err));
	assert_int_equal(place_count(p, "SELECT count(*) FROM documents"), 1);
	sql_close(t);
}

static void test_sql_quote_ident__doubles_quotes(void **state)
{
	struct place *p = *state;

	assert_string_equal(sql_quote_ident(SLICE("a\"b"), &p->memory).ptr, "\"a\"\"b\"");
	assert_true(slice_is(sql_quote_ident(SLICE(""), &p->memory), "\"\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PLACE_TEST(test_sql_open__makes_the_tables_once),
	    PLACE_TEST(test_sql_open__processes_may_come_together),
	    PLACE_TEST(test_sql_open__fresh_target_can_be_read),
	    PLACE_TEST(test_sql_open__newer_tables_are_refused),
	    PLACE_TEST(test_sql_open__somebody_elses_table_stops_it),
	    PLACE_TEST(test_sql_finish_load__may_be_repeated),
	    PLACE_TEST(test_sql_describe__tells_server_and_schema),
	    PLACE_TEST(test_sql_put__rows_come_back_in_the_order_given),
	    PLACE_TEST(test_sql_put__a_value_becomes_null_and_null_a_value),
	    PLACE_TEST(test_sql_put__many_large_puts_in_one_transaction),
	    PLACE_TEST(test_sql_put__a_row_of_64_mib),
	    PLACE_TEST(test_sql_put__without_rows_or_without_reading_back),
	    PLACE_TEST(test_sql_put__a_dropped_row_is_noticed),
	    PLACE_TEST(test_sql_put__bad_cells_name_their_column),
	    PLACE_TEST(test_sql_put__null_in_a_key_is_refused),
	    PLACE_TEST(test_sql_insert__a_key_that_is_there_fails),
	    PLACE_TEST(test_sql_begin__after_an_error_only_rollback_helps),
	    PLACE_TEST(test_sql_rollback__takes_rows_away_and_puts_work_after_it),
	    PLACE_TEST(test_sql_begin__misuse_is_refused),
	    PLACE_TEST(test_sql_open__read_only_cannot_write),
	    PLACE_TEST(test_sql_page__order_is_of_bytes),
	    PLACE_TEST(test_sql_page__distinct_ids_of_a_table_without_key),
	    PLACE_TEST(test_sql_page_keys__ids_of_the_domain_in_order_of_bytes),
	    PLACE_TEST(test_sql_page_values__each_once_of_rows_that_hold_the_value),
	    PLACE_TEST(test_sql_count_by__null_comes_first),
	    PLACE_TEST(test_sql_select__null_equals_nothing),
	    PLACE_TEST(test_sql_delete__gives_the_old_rows),
	    PLACE_TEST(test_sql_quote_ident__doubles_quotes),
	};

	return run_at_each_place("sql", tests, sizeof(tests) / sizeof(tests[0]));
}
