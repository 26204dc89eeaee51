#include "config.h"

#include "couch_support.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define NORMAL                                                                                                         \
	"{\"results\":[\n"                                                                                             \
	"{\"seq\":\"1-a\",\"id\":\"x\",\"changes\":[{\"rev\":\"1-r\"}],\"doc\":{\"_id\":\"x\",\"s\":\"}{]\\\"[\"}},\n" \
	"{\"seq\":null,\"id\":\"y\",\"changes\":[{\"rev\":\"2-r\"}],\"deleted\":true,\"doc\":{\"_id\":\"y\"}}\n,\r\n"  \
	"{\"seq\":\"3-c\",\"id\":\"z\",\"changes\":[{\"rev\":\"3-r\"}],\"doc\":{\"_id\":\"z\"}}\n"                     \
	"],\n\"last_seq\":\"3-c\",\"pending\":7}\n"
#define CONTINUOUS                                                                                                    \
	"{\"seq\":\"1-a\",\"id\":\"x\",\"changes\":[{\"rev\":\"1-r\"}],\"doc\":{\"_id\":\"x\",\"s\":\"}{]\\\"[\"}}\n" \
	"\n\n{\"seq\":null,\"id\":\"y\",\"changes\":[{\"rev\":\"2-r\"}],\"deleted\":true,\"doc\":{\"_id\":\"y\"}}\n"  \
	"{\"seq\":\"3-c\",\"id\":\"z\",\"changes\":[{\"rev\":\"3-r\"}],\"doc\":{\"_id\":\"z\"}}\n"                    \
	"\n{\"last_seq\":\"3-c\",\"pending\":7}\n"
#define ROWS                                                 \
	"\"1-a\"|x|1-r|{\"_id\":\"x\",\"s\":\"}{]\\\"[\"}\n" \
	"null|y|2-r|deleted {\"_id\":\"y\"}\n"               \
	"\"3-c\"|z|3-r|{\"_id\":\"z\"}\n"

static const struct delivery at_once = {0};

/* Reads the whole feed; the rows as text are released by the caller. */
static int read_feed(struct slice bytes, const struct delivery *d, struct buf *rows, struct err *err)
{
	struct couch_feed *f = NULL;
	*rows = (struct buf)BUF_INIT(1 << 20);
	assert_int_equal(memory_feed(&f, bytes, d, err), 0);
	int rc = rows_as_text(f, rows, err);
	couch_feed_close(f);
	return rc;
}

static void expect_rows(const char *feed, const char *expected)
{
	struct buf rows;
	struct err err = ERR_INIT;
	if (read_feed(slice_of(feed), &at_once, &rows, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(rows.ptr ? rows.ptr : "", expected);
	buf_release(&rows);
}

static void expect_error(const char *feed, const char *message)
{
	struct buf rows;
	struct err err = ERR_INIT;
	assert_int_equal(read_feed(slice_of(feed), &at_once, &rows, &err), ERR_SOURCE);
	if (!strstr(err.msg, message))
		fail_msg("\"%s\" not in: %s", message, err.msg);
	assert_int_equal(err.retryable, 0);
	buf_release(&rows);
}

/* ---- the two forms ---- */

static void test_feed__normal_form(void **state)
{
	(void)state;
	expect_rows(NORMAL, ROWS);
}

static void test_feed__continuous_form(void **state)
{
	(void)state;
	expect_rows(CONTINUOUS, ROWS);
}

static void test_feed__ends_with_last_seq_and_pending(void **state)
{
	static const char *const feeds[] = {NORMAL, CONTINUOUS};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct couch_feed *f = NULL;
		struct buf rows = BUF_INIT(1 << 20);
		assert_int_equal(memory_feed(&f, slice_of(feeds[i]), &at_once, NULL), 0);
		assert_null(couch_feed_last_seq(f).ptr);
		assert_int_equal(couch_feed_pending(f), -1);
		assert_int_equal(rows_as_text(f, &rows, NULL), 0);
		assert_true(slice_is(couch_feed_last_seq(f), "\"3-c\""));
		assert_int_equal(couch_feed_pending(f), 7);
		assert_int_equal(couch_feed_bytes(f), strlen(feeds[i]));
		/* It stays at its end. */
		buf_clear(&rows);
		assert_int_equal(rows_as_text(f, &rows, NULL), 0);
		assert_int_equal(rows.len, 0);
		couch_feed_close(f);
		buf_release(&rows);
	}
}

static void test_feed__row_text_is_exact_and_has_its_offset(void **state)
{
	struct buf body;
	struct couch_feed *f = NULL;
	enum couch_next what;
	struct couch_row row;
	int rows = 0;
	(void)state;
	fixture_body("changes-normal.http", &body);
	assert_int_equal(memory_feed(&f, buf_slice(&body), &(struct delivery){.later = 100}, NULL), 0);
	while (couch_feed_next(f, &what, &row, NULL) == 0 && what == COUCH_ROW) {
		rows++;
		assert_int_equal(row.length, row.text.len);
		assert_memory_equal(row.text.ptr, body.ptr + row.offset, row.text.len);
		assert_true(row.text.ptr[0] == '{' && row.text.ptr[row.text.len - 1] == '}');
		assert_int_equal(couch_feed_bytes(f), row.offset + row.length);
	}
	assert_int_equal(what, COUCH_END);
	assert_int_equal(rows, 45);
	couch_feed_close(f);
	buf_release(&body);
}

static size_t lines_with(const struct buf *rows, const char *text)
{
	size_t n = 0;
	for (const char *at = rows->ptr; at && (at = strstr(at, text)); at++)
		n++;
	return n;
}

static void test_feed__recorded_couchdb(void **state)
{
	static const struct {
		const char *name;
		size_t rows, deleted, null_seqs;
	} recorded[] = {
	    {"changes-normal.http", 45, 2, 0},         {"changes-continuous.http", 43, 2, 0},
	    {"changes-seq-interval.http", 43, 2, 38},  {"changes-longpoll.http", 1, 0, 0},
	    {"changes-all-docs-style.http", 45, 2, 0}, {"changes-limit-0.http", 0, 0, 0},
	    {"changes-db-deleted.http", 0, 0, 0},      {"changes-limit.http", 5, 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
		struct buf body, rows;
		struct err err = ERR_INIT;
		fixture_body(recorded[i].name, &body);
		if (read_feed(buf_slice(&body), &at_once, &rows, &err))
			fail_msg("%s: %s", recorded[i].name, err.msg);
		assert_int_equal(lines_with(&rows, "\n"), recorded[i].rows);
		assert_int_equal(lines_with(&rows, "|deleted "), recorded[i].deleted);
		assert_int_equal(lines_with(&rows, "null|"), recorded[i].null_seqs);
		assert_int_equal(lines_with(&rows, "malformed"), 0);
		buf_release(&rows);
		buf_release(&body);
	}
}

static void test_feed__pouchdb_members_and_integer_sequences(void **state)
{
	(void)state;
	expect_rows(
	    "{\"results\":[{\"id\":\"a\",\"changes\":[{\"rev\":\"1-3\"}],\"doc\":{\"n\":0,\"_id\":\"a\"},\"seq\":1},"
	    "{\"id\":\"b\",\"changes\":[{\"rev\":\"1-a\"}],\"seq\":2}],\"last_seq\":2}",
	    "1|a|1-3|{\"n\":0,\"_id\":\"a\"}\n2|b|1-a|\n");
}

static void test_feed__members_in_any_order(void **state)
{
	(void)state;
	expect_rows(
	    "{ \"last_seq\" : [2,\"x\"] , \"pending\" : 0 , \"results\" : [ { \"doc\" : {\"a\":[]} , \"deleted\" : "
	    "false ,"
	    " \"changes\" : [ { \"rev\" : \"1-a\" } ] , \"seq\" : [2, \"x\"] , \"id\" : \"a\" } ] , \"more\" : {} }",
	    "[2, \"x\"]|a|1-a|{\"a\":[]}\n");
	expect_rows("{\"changes\":[],\"id\":\"a\",\"seq\":5}{\"id\":\"b\"}", "5|a||\nnull|b||\n");
}

static void test_feed__winner_of_many_leaves_is_the_documents_revision(void **state)
{
	(void)state;
	expect_rows("{\"seq\":7,\"id\":\"c\",\"changes\":[{\"rev\":\"2-ccc\"},{\"rev\":\"1-aaa\"}],\"doc\":{\"_rev\":"
		    "\"1-bbb\"}}",
		    "7|c|1-bbb|{\"_rev\":\"1-bbb\"}\n");
	expect_rows("{\"seq\":7,\"id\":\"c\",\"changes\":[{\"rev\":\"2-ccc\"},{\"rev\":\"1-aaa\"}]}", "7|c|2-ccc|\n");
	expect_rows("{\"seq\":7,\"id\":\"c\",\"doc\":{\"_id\":\"c\",\"_rev\":\"1-b\"}}",
		    "7|c|1-b|{\"_id\":\"c\",\"_rev\":\"1-b\"}\n");
}

static void test_feed__revision_is_found_behind_many_members(void **state)
{
	struct buf feed = BUF_INIT(1 << 16), rows;
	(void)state;
	buf_str(&feed, "{\"seq\":1,\"id\":\"c\",\"doc\":{");
	for (int i = 0; i < 100; i++)
		buf_fmt(&feed, "\"k%d\":%d,", i, i);
	buf_str(&feed, "\"_rev\":\"9-z\"}}");
	assert_int_equal(read_feed(buf_slice(&feed), &at_once, &rows, NULL), 0);
	assert_non_null(strstr(rows.ptr, "1|c|9-z|"));
	buf_release(&rows);
	buf_release(&feed);
}

static void test_feed__document_null_is_no_document(void **state)
{
	(void)state;
	expect_rows("{\"seq\":1,\"id\":\"a\",\"changes\":[{\"rev\":\"1-a\"}],\"doc\":null}", "1|a|1-a|\n");
}

static void test_feed__empty_list(void **state)
{
	(void)state;
	expect_rows("{\"results\":[ ],\"last_seq\":0}", "");
	expect_rows("{\"last_seq\":\"0\",\"pending\":0}\n", "");
}

/* ---- rows that are none ---- */

static void test_feed__row_without_id_comes_out_malformed(void **state)
{
	(void)state;
	expect_rows("{\"results\":[{\"seq\":1},{},{\"seq\":2,\"id\":5},{\"seq\":3,\"id\":\"a\" "
		    "\"b\"},{\"seq\":4,\"id\":\"ok\"}],"
		    "\"last_seq\":4}",
		    "1|||malformed \nnull|||malformed \n2|||malformed \nnull|||malformed \n4|ok||\n");
	expect_rows("{\"seq\":1}\n{\"x\":2}\n{\"id\":\"ok\"}\n", "1|||malformed \nnull|||malformed \nnull|ok||\n");
}

static void test_feed__malformed_row_keeps_its_text(void **state)
{
	struct couch_feed *f = NULL;
	enum couch_next what;
	struct couch_row row;
	(void)state;
	assert_int_equal(memory_feed(&f, SLICE("{\"seq\":1,\"id\":\"a\",,}\n"), &at_once, NULL), 0);
	assert_int_equal(couch_feed_next(f, &what, &row, NULL), 0);
	assert_int_equal(what, COUCH_ROW);
	assert_true(row.malformed);
	assert_true(slice_is(row.text, "{\"seq\":1,\"id\":\"a\",,}"));
	couch_feed_close(f);
}

/* ---- what is no feed ---- */

static void test_feed__what_is_no_feed_is_refused(void **state)
{
	(void)state;
	expect_error("", "the feed is empty");
	expect_error(" \n\n", "the feed is empty");
	expect_error("<!DOCTYPE html><html>", "looks like HTML");
	expect_error("[{\"id\":\"a\"}]", "a JSON array");
	expect_error("hello", "this is no changes feed");
	expect_error("{}", "this is no changes feed");
	expect_error("{\"name\":\"x\"}", "this is no changes feed");
	expect_error("{\"total_rows\":3,\"offset\":0,\"rows\":[]}", "a list of documents");
	expect_error("{\"results\":5,\"last_seq\":1}", "the results are no list");
	expect_error("{\"results\":[],\"results\":[],\"last_seq\":1}", "a second list of results");
	expect_error("{\"results\":[]}", "closes without a \"last_seq\"");
	expect_error("{\"results\":[],5,\"last_seq\":1}", "a member name was expected");
	expect_error("{\"results\":[],\"last_seq\" 1}", "a colon was expected");
	expect_error("{\"results\":[] x", "garbage where the feed's outer object goes on");
	expect_error("{\"results\":[],\"last_seq\":}", "not the outer object");
}

static void test_feed__recorded_list_of_documents_is_refused(void **state)
{
	struct buf body;
	(void)state;
	fixture_body("all-docs.http", &body);
	expect_error(body.ptr, "a list of documents");
	buf_release(&body);
}

static void test_feed__garbage_between_rows_is_refused(void **state)
{
	(void)state;
	expect_error("{\"results\":[{\"seq\":1,\"id\":\"a\"} x",
		     "byte 31 of the feed (last good sequence 1): garbage between rows");
	expect_error("{\"results\":[{\"seq\":1,\"id\":\"a\"},]", "garbage where a row should begin");
	expect_error("{\"results\":[5]", "garbage where a row should begin");
	expect_error("{\"seq\":1,\"id\":\"a\"},{\"seq\":2,\"id\":\"b\"}",
		     "byte 18 of the feed (last good sequence 1): garbage between rows");
	expect_error("{\"seq\":1,\"id\":\"a\"}\n{\"last_seq\":1}\n{\"seq\":1,\"id\":\"a\"}",
		     "something follows the end");
	expect_error(NORMAL "x", "something follows the end of the feed");
}

static void test_feed__error_object_in_place_of_a_feed(void **state)
{
	(void)state;
	expect_error("{\"error\":\"not_found\",\"reason\":\"Database does not exist.\"}",
		     "not_found: Database does not exist.");
	expect_error("{\"reason\":\"r\",\"error\":\"e\"}", "the server said: e: r");
	expect_error("{\"error\":\"e\"}", "the server said: e");
}

static void test_feed__error_object_in_the_middle(void **state)
{
	static const char *const cases[] = {
	    "{\"results\":[\n{\"seq\":1,\"id\":\"a\"}\n{\"error\":\"timeout\",\"reason\":\"slow\"}\n",
	    "{\"results\":[\n{\"seq\":1,\"id\":\"a\"},\n{\"error\":\"timeout\",\"reason\":\"slow\"}\n",
	    "{\"seq\":1,\"id\":\"a\"}\n{\"error\":\"timeout\",\"reason\":\"slow\"}\n",
	};
	(void)state;
	for (size_t i = 0; i < 3; i++)
		expect_error(cases[i], "(last good sequence 1): the server said: timeout: slow");
}

static void test_feed__after_an_error_it_stays_broken(void **state)
{
	struct couch_feed *f = NULL;
	struct buf rows = BUF_INIT(100);
	struct err err = ERR_INIT;
	(void)state;
	assert_int_equal(memory_feed(&f, SLICE("{\"id\":\"a\"} x"), &at_once, NULL), 0);
	assert_int_equal(rows_as_text(f, &rows, NULL), ERR_SOURCE);
	assert_int_equal(rows_as_text(f, &rows, &err), ERR_SOURCE);
	assert_non_null(strstr(err.msg, "broke off before"));
	couch_feed_close(f);
	buf_release(&rows);
}

/* ---- cut and delivered in pieces ---- */

/* A feed cut at `at` gives a prefix of the rows, and an error that names the byte, unless it may end there. */
static void check_cut(const char *feed, size_t at, int may_end, int remote)
{
	struct buf rows;
	struct err err = ERR_INIT;
	char where[64];
	int rc = read_feed((struct slice){feed, at}, &(struct delivery){.remote = remote}, &rows, &err);
	assert_true(slice_starts(SLICE(ROWS), buf_slice(&rows)));
	if (!rc && !may_end)
		fail_msg("cut at %zu went unnoticed", at);
	if (rc) {
		assert_int_equal(rc, ERR_SOURCE);
		assert_int_equal(err.retryable, remote);
		snprintf(where, sizeof(where), "byte %zu of the feed", at);
		if (at && !strstr(err.msg, where))
			fail_msg("cut at %zu: %s", at, err.msg);
		if (rows.len && !strstr(err.msg, "last good sequence \""))
			fail_msg("cut at %zu: %s", at, err.msg);
	}
	buf_release(&rows);
}

static void test_feed__normal_form_cut_anywhere_is_an_error(void **state)
{
	(void)state;
	for (size_t at = 0; at < strlen(NORMAL) - 1; at++)
		check_cut(NORMAL, at, 0, at % 2 == 0);
}

static void test_feed__continuous_form_cut_ends_only_between_rows(void **state)
{
	(void)state;
	for (size_t at = 0; at < strlen(CONTINUOUS) - 1; at++) {
		size_t end = at; /* of what is no line feed */
		while (end && CONTINUOUS[end - 1] == '\n')
			end--;
		int whole_row = end && CONTINUOUS[end] == '\n' && CONTINUOUS[end - 1] == '}';
		check_cut(CONTINUOUS, at, whole_row, 0);
	}
}

/* Over HTTP a normal feed was asked for: what ends without a last_seq was cut, whatever it looks like. */
static void test_feed__lines_in_place_of_a_normal_feed_need_their_end(void **state)
{
	struct buf rows;
	struct err err = ERR_INIT;
	struct delivery d = {.remote = 1};
	(void)state;
	assert_int_equal(read_feed(SLICE("{\"id\":\"a\"}\n"), &d, &rows, &err), ERR_SOURCE);
	assert_non_null(strstr(err.msg, "ends before its \"last_seq\""));
	assert_int_equal(err.retryable, 1);
	buf_release(&rows);
}

static void test_feed__any_split_gives_the_same_rows(void **state)
{
	static const char *const feeds[] = {NORMAL, CONTINUOUS};
	(void)state;
	for (int i = 0; i < 2; i++) {
		for (size_t at = 1; at < strlen(feeds[i]); at++) {
			struct buf rows;
			assert_int_equal(read_feed(slice_of(feeds[i]), &(struct delivery){.first = at}, &rows, NULL),
					 0);
			assert_string_equal(rows.ptr, ROWS);
			buf_release(&rows);
		}
	}
}

static void test_feed__byte_by_byte_gives_the_same_rows(void **state)
{
	static const char *const names[] = {"changes-normal.http", "changes-continuous.http",
					    "changes-seq-interval.http"};
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct buf body, whole, pieces;
		fixture_body(names[i], &body);
		assert_int_equal(read_feed(buf_slice(&body), &at_once, &whole, NULL), 0);
		assert_int_equal(read_feed(buf_slice(&body), &(struct delivery){.later = 1}, &pieces, NULL), 0);
		assert_string_equal(whole.ptr, pieces.ptr);
		buf_release(&pieces);
		buf_release(&whole);
		buf_release(&body);
	}
}

static void test_feed__long_sequence_is_cut_in_the_message(void **state)
{
	struct buf feed = BUF_INIT(1 << 16), rows;
	struct err err = ERR_INIT;
	(void)state;
	buf_str(&feed, "{\"id\":\"a\",\"seq\":\"7-");
	for (int i = 0; i < 2000; i++)
		buf_ch(&feed, 'x');
	buf_str(&feed, "\"}\n{");
	assert_int_equal(read_feed(buf_slice(&feed), &at_once, &rows, &err), ERR_SOURCE);
	assert_non_null(strstr(err.msg, "xxx...): the feed ends inside a row"));
	buf_release(&rows);
	buf_release(&feed);
}

/* ---- heartbeats ---- */

static void test_feed__blank_lines_are_heartbeats_when_asked_for(void **state)
{
	struct buf body, rows;
	(void)state;
	fixture_body("changes-continuous-heartbeat.http", &body);
	assert_int_equal(read_feed(buf_slice(&body), &(struct delivery){.later = 1, .beats = 1}, &rows, NULL), 0);
	assert_int_equal(lines_with(&rows, "heartbeat\n"), 5);
	assert_int_equal(lines_with(&rows, "|late|"), 1);
	buf_release(&rows);
	assert_int_equal(read_feed(buf_slice(&body), &(struct delivery){.later = 1}, &rows, NULL), 0);
	assert_int_equal(lines_with(&rows, "heartbeat\n"), 0);
	buf_release(&rows);
	buf_release(&body);
}

static void test_feed__heartbeats_inside_a_long_poll(void **state)
{
	struct buf body, rows;
	(void)state;
	fixture_body("changes-longpoll.http", &body);
	assert_int_equal(
	    read_feed(buf_slice(&body), &(struct delivery){.first = 13, .later = 1, .beats = 1}, &rows, NULL), 0);
	assert_int_equal(lines_with(&rows, "heartbeat\n"), 4);
	assert_int_equal(lines_with(&rows, "|late2|"), 1);
	buf_release(&rows);
	buf_release(&body);
}

static void test_feed__heartbeats_with_a_row_behind_them_are_not_told(void **state)
{
	struct buf rows;
	(void)state;
	assert_int_equal(read_feed(SLICE("\n\n{\"id\":\"a\"}\n"), &(struct delivery){.beats = 1}, &rows, NULL), 0);
	assert_string_equal(rows.ptr, "null|a||\n");
	buf_release(&rows);
}

static void test_feed__line_feed_after_a_row_is_no_heartbeat(void **state)
{
	struct buf rows;
	(void)state;
	assert_int_equal(read_feed(SLICE("{\"id\":\"a\"}\n{\"id\":\"b\"}\n"),
				   &(struct delivery){.later = 1, .beats = 1}, &rows, NULL),
			 0);
	assert_string_equal(rows.ptr, "null|a||\nnull|b||\n");
	buf_release(&rows);
}

/* ---- rows that are too large ---- */

static void check_large(const char *before, const char *after, size_t piece)
{
	struct buf feed = BUF_INIT(1 << 20);
	struct couch_feed *f = NULL;
	enum couch_next what;
	struct couch_row row;
	unsigned char digest[crypto_hash_sha256_BYTES];
	buf_str(&feed, "{\"results\":[{\"seq\":\"0-0\",\"id\":\"first\"},");
	size_t begin = feed.len;
	buf_str(&feed, before);
	for (int i = 0; i < 5000; i++)
		buf_str(&feed, "{\"\\\"seq\":[1,{\"id\":\"no\"}],");
	buf_str(&feed, "\"x\":\"}\"");
	for (int i = 0; i < 5000; i++)
		buf_ch(&feed, '}');
	buf_str(&feed, after);
	size_t end = feed.len;
	buf_str(&feed, ",{\"seq\":\"2-2\",\"id\":\"last\"}],\"last_seq\":\"2-2\"}");

	struct delivery d = {.later = piece, .max_row = 1000};
	assert_int_equal(memory_feed(&f, buf_slice(&feed), &d, NULL), 0);
	assert_int_equal(couch_feed_next(f, &what, &row, NULL), 0);
	assert_true(slice_is(row.id, "first"));
	assert_int_equal(couch_feed_next(f, &what, &row, NULL), 0);
	assert_int_equal(what, COUCH_ROW);
	assert_true(row.too_large);
	assert_null(row.text.ptr);
	assert_int_equal(row.offset, begin);
	assert_int_equal(row.length, end - begin);
	crypto_hash_sha256(digest, (unsigned char *)feed.ptr + begin, end - begin);
	assert_memory_equal(row.sha256, digest, sizeof(digest));
	assert_true(slice_is(row.seq, "\"1-1\""));
	assert_true(slice_is(row.id, "big"));
	assert_true(slice_is(row.rev, "1-abc"));
	assert_int_equal(couch_feed_next(f, &what, &row, NULL), 0);
	assert_true(slice_is(row.id, "last"));
	assert_false(row.too_large);
	assert_int_equal(couch_feed_next(f, &what, &row, NULL), 0);
	assert_int_equal(what, COUCH_END);
	couch_feed_close(f);
	buf_release(&feed);
}

static void test_feed__too_large_row_is_skipped_and_named(void **state)
{
	static const size_t pieces[] = {0, 1, 7, 999, 1000, 1001};
	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		check_large("{\"seq\":\"1-1\",\"id\":\"big\",\"changes\":[{\"rev\":\"1-abc\"}],\"doc\":", "}",
			    pieces[i]);
		check_large("{\"doc\":", ",\"seq\": \"1-1\", \"id\":\"big\" ,\"changes\":[ {\"rev\":\"1-abc\"} ]}",
			    pieces[i]);
	}
}

static void test_feed__row_of_exactly_the_limit_is_kept(void **state)
{
	struct buf rows;
	struct delivery d = {.max_row = strlen("{\"seq\":1,\"id\":\"a\"}")};
	(void)state;
	assert_int_equal(
	    read_feed(SLICE("{\"seq\":1,\"id\":\"a\"}\n{\"seq\":12,\"id\":\"b\"}\n{\"seq\":3,\"id\":\"c\"}"), &d, &rows,
		      NULL),
	    0);
	assert_string_equal(rows.ptr, "1|a||\n12|b||large \n3|c||\n");
	buf_release(&rows);
}

static void test_feed__cut_inside_a_too_large_row_is_an_error(void **state)
{
	struct buf rows;
	struct err err = ERR_INIT;
	struct delivery d = {.max_row = 10, .later = 5};
	(void)state;
	assert_int_equal(
	    read_feed(SLICE("{\"seq\":1}\n{\"seq\":12,\"id\":\"bbbbbbbbbbbbbbbbbbbbbbbb"), &d, &rows, &err),
	    ERR_SOURCE);
	assert_non_null(strstr(err.msg, "ends inside a row"));
	buf_release(&rows);
}

static void test_feed__stop_flag_ends_it(void **state)
{
	static const struct url url = {.scheme = URL_FILE, .shown = "file:null", .path = "/dev/null"};
	atomic_int stop = 1;
	struct couch_options o = {.url = &url, .stop = &stop};
	struct couch_feed *f = NULL;
	enum couch_next what;
	struct couch_row row;
	struct err err = ERR_INIT;
	(void)state;
	assert_int_equal(couch_feed_open(&f, &o, &(struct couch_feed_options){0}, &err), 0);
	assert_int_equal(couch_feed_next(f, &what, &row, &err), ERR_STOPPED);
	couch_feed_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_feed__normal_form),
	    cmocka_unit_test(test_feed__continuous_form),
	    cmocka_unit_test(test_feed__ends_with_last_seq_and_pending),
	    cmocka_unit_test(test_feed__row_text_is_exact_and_has_its_offset),
	    cmocka_unit_test(test_feed__recorded_couchdb),
	    cmocka_unit_test(test_feed__pouchdb_members_and_integer_sequences),
	    cmocka_unit_test(test_feed__members_in_any_order),
	    cmocka_unit_test(test_feed__winner_of_many_leaves_is_the_documents_revision),
	    cmocka_unit_test(test_feed__revision_is_found_behind_many_members),
	    cmocka_unit_test(test_feed__document_null_is_no_document),
	    cmocka_unit_test(test_feed__empty_list),
	    cmocka_unit_test(test_feed__row_without_id_comes_out_malformed),
	    cmocka_unit_test(test_feed__malformed_row_keeps_its_text),
	    cmocka_unit_test(test_feed__what_is_no_feed_is_refused),
	    cmocka_unit_test(test_feed__recorded_list_of_documents_is_refused),
	    cmocka_unit_test(test_feed__garbage_between_rows_is_refused),
	    cmocka_unit_test(test_feed__error_object_in_place_of_a_feed),
	    cmocka_unit_test(test_feed__error_object_in_the_middle),
	    cmocka_unit_test(test_feed__after_an_error_it_stays_broken),
	    cmocka_unit_test(test_feed__normal_form_cut_anywhere_is_an_error),
	    cmocka_unit_test(test_feed__continuous_form_cut_ends_only_between_rows),
	    cmocka_unit_test(test_feed__lines_in_place_of_a_normal_feed_need_their_end),
	    cmocka_unit_test(test_feed__any_split_gives_the_same_rows),
	    cmocka_unit_test(test_feed__byte_by_byte_gives_the_same_rows),
	    cmocka_unit_test(test_feed__long_sequence_is_cut_in_the_message),
	    cmocka_unit_test(test_feed__blank_lines_are_heartbeats_when_asked_for),
	    cmocka_unit_test(test_feed__heartbeats_inside_a_long_poll),
	    cmocka_unit_test(test_feed__heartbeats_with_a_row_behind_them_are_not_told),
	    cmocka_unit_test(test_feed__line_feed_after_a_row_is_no_heartbeat),
	    cmocka_unit_test(test_feed__too_large_row_is_skipped_and_named),
	    cmocka_unit_test(test_feed__row_of_exactly_the_limit_is_kept),
	    cmocka_unit_test(test_feed__cut_inside_a_too_large_row_is_an_error),
	    cmocka_unit_test(test_feed__stop_flag_ends_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
