#include "config.h"

#include "couch_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#define ANSWER(text) SLICE("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" text)

struct reading {
	struct couch_server server;
	struct url url;
	struct couch_ids *ids;
	struct buf raw, text; /* text: the ids, each with what is known of it, on a line */
	struct err err;
};

static void add_answer(struct reading *r, struct slice answer)
{
	r->server.scenes[r->server.count++] = (struct scene){answer, SCENE_CLOSE};
}

static struct couch_options serve(struct reading *r)
{
	couch_server_start(&r->server);
	r->text = (struct buf)BUF_INIT(1 << 20);
	r->url = (struct url){.scheme = URL_HTTP, .shown = "http://shown/rec", .base = r->server.base, .path = "/rec"};
	return (struct couch_options){.url = &r->url};
}

static void begin(struct reading *r, const struct couch_ids_options *i)
{
	struct couch_options o = serve(r);

	assert_int_equal(couch_ids_open(&r->ids, &o, i, &r->err), 0);
}

static void begin_keys(struct reading *r, const struct slice *keys, size_t n, enum couch_ids_want want, size_t max_row)
{
	struct couch_options o = serve(r);

	assert_int_equal(couch_ids_open_keys(&r->ids, &o, keys, n, want, max_row, &r->err), 0);
}

/* Reads to the end; returns what ended it. */
static int read_all(struct reading *r)
{
	struct couch_id id;
	int rc;

	for (;;) {
		rc = couch_ids_next(r->ids, &id, &r->err);
		if (rc || !id.id.ptr)
			break;
		buf_fmt(&r->text, "%.*s%s%s%s", SLICE_ARG(id.id), id.found ? "" : " unknown",
			id.deleted ? " deleted" : "", id.too_large ? " large" : "");
		if (id.doc.ptr)
			buf_fmt(&r->text, " %.*s", SLICE_ARG(id.doc));
		buf_ch(&r->text, '\n');
	}
	buf_ch(&r->text, '\0');
	couch_ids_close(r->ids);
	couch_server_stop(&r->server);
	return rc;
}

static void end(struct reading *r)
{
	couch_server_release(&r->server);
	buf_release(&r->raw);
	buf_release(&r->text);
}

static void expect_request(const struct reading *r, const char *line)
{
	if (!strstr(r->server.requests.ptr, line))
		fail_msg("\"%s\" not in: %s", line, r->server.requests.ptr);
}

static void expect_message(const struct reading *r, const char *message)
{
	if (!strstr(r->err.msg, message))
		fail_msg("\"%s\" not in: %s", message, r->err.msg);
}

static void test_ids__recorded_list(void **state)
{
	struct reading r = {0};
	(void)state;
	fixture_load("all-docs.http", &r.raw);
	add_answer(&r, buf_slice(&r.raw));
	begin(&r, &(struct couch_ids_options){.page = 1000});
	assert_int_equal(read_all(&r), 0);
	expect_request(&r, "GET /rec/_all_docs?limit=1000 HTTP/1.1\r\n");
	assert_string_equal(r.text.ptr, "conf\nform-000\nform-003\nform-004\nform-005\n");
	end(&r);
}

static void test_ids__next_page_begins_behind_the_last_id(void **state)
{
	struct reading r = {0};
	(void)state;
	add_answer(&r, ANSWER("{\"total_rows\":3,\"offset\":0,\"rows\":[\r\n{\"id\":\"a\",\"key\":\"a\",\"value\":{"
			      "\"rev\":\"1-x\"}},\r\n"
			      "{\"id\":\"b\\\"\",\"key\":\"b\\\"\",\"value\":{\"rev\":\"1-x\"}}\r\n]}\n"));
	add_answer(&r, ANSWER("{\"rows\":[{\"id\":\"b\\\"\",\"value\":{}},{\"id\":\"c\",\"value\":{}}]}"));
	begin(&r, &(struct couch_ids_options){.page = 2});
	assert_int_equal(read_all(&r), 0);
	assert_string_equal(r.text.ptr, "a\nb\"\nc\n");
	expect_request(&r, "limit=2 HTTP");
	expect_request(&r, "limit=3&startkey=%22b%5C%22%22 HTTP");
	end(&r);
}

static void test_ids__last_id_may_be_deleted_between_pages(void **state)
{
	struct reading r = {0};
	(void)state;
	add_answer(&r, ANSWER("{\"rows\":[{\"id\":\"b\"},{\"id\":\"c\"}]}"));
	begin(&r, &(struct couch_ids_options){.page = 5, .after = SLICE("a")});
	assert_int_equal(read_all(&r), 0);
	assert_string_equal(r.text.ptr, "b\nc\n");
	expect_request(&r, "limit=6&startkey=%22a%22 HTTP");
	end(&r);
}

static void test_ids__range_and_limit(void **state)
{
	struct reading r = {0};
	(void)state;
	add_answer(&r, ANSWER("{\"rows\":[{\"id\":\"b\"},{\"id\":\"c\"},{\"id\":\"d\"}]}"));
	begin(&r, &(struct couch_ids_options){.limit = 2, .after = SLICE("a"), .until = SLICE("x y")});
	assert_int_equal(read_all(&r), 0);
	assert_string_equal(r.text.ptr, "b\nc\n");
	expect_request(&r, "limit=3&startkey=%22a%22&endkey=%22x%20y%22 HTTP");
	end(&r);
}

static void test_ids__empty_list(void **state)
{
	struct reading r = {0};
	(void)state;
	add_answer(&r, ANSWER("{\"total_rows\":0,\"offset\":0,\"rows\":[\r\n\r\n]}"));
	begin(&r, &(struct couch_ids_options){0});
	assert_int_equal(read_all(&r), 0);
	assert_string_equal(r.text.ptr, "");
	end(&r);
}

static void test_ids__odd_rows(void **state)
{
	struct reading r = {0};
	(void)state;
	add_answer(
	    &r,
	    ANSWER("{ \"rows\" : [ { \"key\":1, \"id\" : \"\\u00e9\\n\" } , {\"id\":\"_design/x\"} ] , \"more\":[] }"));
	begin(&r, &(struct couch_ids_options){0});
	assert_int_equal(read_all(&r), 0);
	assert_string_equal(r.text.ptr, "\xc3\xa9\n\n_design/x\n");
	end(&r);
}

/* Rows as CouchDB writes them are read another way than all others: both in one list, and at every end of the window.
 */
static void test_ids__plain_rows_between_others(void **state)
{
	struct reading r = {0};
	struct buf answer = BUF_INIT(4 << 20), ids = BUF_INIT(1 << 20);
	(void)state;
	buf_str(&answer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"total_rows\":1,\"offset\":0,\"rows\":[\r\n");
	for (int i = 0; i < 12000; i++) {
		const char *comma = i ? ",\r\n" : "";

		if (i % 7 == 3)
			buf_fmt(&answer, "%s{\"id\":\"i%05d\\\"}\",\"key\":\"i%05d\\\"}\",\"value\":{\"rev\":\"1-a\"}}",
				comma, i, i);
		else if (i % 7 == 5)
			buf_fmt(&answer,
				"%s{\"id\":\"i%05d\",\"key\":\"i%05d\",\"value\":{\"rev\":\"1-a\\\"}}\",\"x\":[1]}}",
				comma, i, i);
		else
			buf_fmt(&answer, "%s{\"id\":\"i%05d\",\"key\":\"i%05d\",\"value\":{\"rev\":\"%d-a\"}}", comma,
				i, i, i);
		buf_fmt(&ids, "i%05d%s\n", i, i % 7 == 3 ? "\"}" : "");
	}
	buf_str(&answer, "\r\n]}\n");
	buf_ch(&ids, '\0');
	add_answer(&r, buf_slice(&answer));
	begin(&r, &(struct couch_ids_options){0});
	assert_int_equal(read_all(&r), 0);
	assert_string_equal(r.text.ptr, ids.ptr);
	end(&r);
	buf_release(&answer);
	buf_release(&ids);
}

/* What looks like the beginning of a plain row and is none. */
static void test_ids__rows_that_are_almost_plain(void **state)
{
	struct reading r = {0};
	(void)state;
	add_answer(&r, ANSWER("{\"rows\":[{\"id\":\"a\",\"key\":\"A\",\"value\":{\"rev\":\"1-a\"}},"
			      "\n{\"id\":\"b\",\"key\":\"b\",\"value\":{\"rev\":\"1-a\"},\"doc\":{\"id\":\"x\"}},"
			      "{\"id\":\"\",\"key\":\"\",\"value\":{\"rev\":\"1-a\"}} ,"
			      "{\"id\":\"c\",\"key\":\"c\",\"value\":{\"rev\":\"1-a\"}}]}"));
	begin(&r, &(struct couch_ids_options){0});
	assert_int_equal(read_all(&r), 0);
	assert_string_equal(r.text.ptr, "a\nb\n\nc\n");
	end(&r);
}

static void test_ids__documents_by_id(void **state)
{
	static const struct slice keys[] = {{"a", 1}, {"gone", 4}, {"none", 4}, {"\"q", 2}};
	struct reading r = {0};
	(void)state;
	add_answer(
	    &r,
	    ANSWER("{\"total_rows\":9,\"offset\":null,\"rows\":[\r\n"
		   "{\"id\":\"a\",\"key\":\"a\",\"value\":{\"rev\":\"1-a\"},\"doc\":{\"_id\":\"a\"}},\r\n"
		   "{\"id\":\"gone\",\"key\":\"gone\",\"value\":{\"rev\":\"2-a\",\"deleted\":true},\"doc\":null},\r\n"
		   "{\"key\":\"none\",\"error\":\"not_found\"},\r\n"
		   "{\"id\":\"\\\"q\",\"key\":\"\\\"q\",\"value\":{\"rev\":\"1-a\"},\"doc\":{}}\r\n]}"));
	begin_keys(&r, keys, 4, COUCH_IDS_DOCS, 0);
	assert_int_equal(read_all(&r), 0);
	assert_string_equal(r.text.ptr, "a {\"_id\":\"a\"}\ngone deleted\nnone unknown\n\"q {}\n");
	expect_request(&r, "POST /rec/_all_docs?include_docs=true&conflicts=true HTTP/1.1\r\n");
	expect_request(&r, "Content-Type: application/json\r\n");
	expect_request(&r, "{\"keys\":[\"a\",\"gone\",\"none\",\"\\\"q\"]}");
	end(&r);
}

static void test_ids__large_document_is_left_out(void **state)
{
	static const struct slice keys[] = {{"big", 3}, {"b", 1}, {"c", 1}};
	struct reading r = {0};
	struct buf text = BUF_INIT(4 << 20);
	(void)state;
	buf_str(
	    &text,
	    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"rows\":[{\"id\":\"big\",\"key\":\"big\",\"doc\":{\"x\":\"");
	for (int i = 0; i < 1000000; i++)
		buf_ch(&text, 'x');
	buf_str(&text, "\"}},{\"id\":\"b\",\"key\":\"b\",\"doc\":{}},{\"id\":\"c\",\"key\":\"c\",\"doc\":{\"x\":\"");
	for (int i = 0; i < 1000; i++)
		buf_ch(&text, 'x');
	buf_str(&text, "\"}}]}");
	add_answer(&r, buf_slice(&text));
	begin_keys(&r, keys, 3, COUCH_IDS_DOCS, 1000);
	assert_int_equal(read_all(&r), 0);
	assert_string_equal(r.text.ptr, "big large\nb {}\nc large\n");
	end(&r);
	buf_release(&text);
}

static void test_ids__no_keys_ask_nothing(void **state)
{
	struct reading r = {0};
	(void)state;
	begin_keys(&r, NULL, 0, COUCH_IDS_ONLY, 0);
	assert_int_equal(read_all(&r), 0);
	assert_string_equal(r.text.ptr, "");
	end(&r);
}

/* What comes in place of a list, how it ends, and whether it is worth another try. */
static void test_ids__bad_answers(void **state)
{
	static const struct {
		struct slice answer;
		const char *says;
		int retryable;
	} bad[] = {
	    {ANSWER("{\"rows\":[{\"id\":\"a\"},{\"id\":\"b"), "closed inside the list", 1},
	    {ANSWER("{\"rows\":[{\"id\":\"a\"},"), "closed inside the list", 1},
	    {ANSWER("{\"rows\":[{\"id\":\"a\"}"), "closed inside the list", 1},
	    {ANSWER("{\"rows\":[{\"id\":\"a\",\"key\":\"a\",\"value\":{\"rev\":\"1-a\"}}"), "closed inside the list",
	     1},
	    {ANSWER("{\"rows\":[{\"id\":\"a\",\"key\":\"a\",\"value\":{\"rev\":\"1-a"), "closed inside the list", 1},
	    {ANSWER("{\"total_rows\":"), "closed inside the list", 1},
	    {ANSWER(""), "closed inside the list", 1},
	    {ANSWER("<html>"), "no list of documents", 0},
	    {ANSWER("{\"ok\":true}"), "no list of documents", 0},
	    {ANSWER("{\"rows\":[17]}"), "a row of the list is no object", 0},
	    {ANSWER("{\"rows\":[{\"key\":\"a\"}]}"), "a row of the list has no id", 0},
	    {ANSWER("{\"rows\":[{\"error\":\"timeout\",\"reason\":\"The request could not be processed\"}]}"),
	     "timeout", 1},
	    {ANSWER("{\"rows\":[{\"id\":\"a\"} {\"id\":\"b\"}]}"), "no list of documents", 0},
	    {SLICE("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), "503", 1},
	    {SLICE("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
	     "user and a password", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reading r = {0};
		add_answer(&r, bad[i].answer);
		begin(&r, &(struct couch_ids_options){0});
		assert_int_equal(read_all(&r), ERR_SOURCE);
		expect_message(&r, bad[i].says);
		expect_message(&r, "http://shown/rec");
		assert_int_equal(r.err.retryable, bad[i].retryable);
		end(&r);
	}
}

static void test_ids__more_rows_than_keys(void **state)
{
	static const struct slice keys[] = {{"a", 1}};
	struct reading r = {0};
	(void)state;
	add_answer(&r, ANSWER("{\"rows\":[{\"id\":\"a\",\"key\":\"a\"},{\"id\":\"b\",\"key\":\"b\"}]}"));
	begin_keys(&r, keys, 1, COUCH_IDS_ONLY, 0);
	assert_int_equal(read_all(&r), ERR_SOURCE);
	expect_message(&r, "more than was asked for");
	end(&r);
}

static void test_ids__a_file_is_no_server(void **state)
{
	struct url url = {.scheme = URL_FILE, .shown = "file:feed.json", .path = "feed.json"};
	struct couch_options o = {.url = &url};
	struct couch_ids *ids;
	struct err err = ERR_INIT;
	(void)state;
	assert_int_equal(couch_ids_open(&ids, &o, &(struct couch_ids_options){0}, &err), ERR_USAGE);
	assert_null(ids);
}

static void test_ids__stop_ends_the_wait(void **state)
{
	struct reading r = {0};
	atomic_int stop = 1;
	struct couch_options o;
	struct couch_id id;
	(void)state;
	r.server.scenes[r.server.count++] = (struct scene){SLICE(""), SCENE_HOLD};
	o = serve(&r);
	o.stop = &stop;
	assert_int_equal(couch_ids_open(&r.ids, &o, &(struct couch_ids_options){0}, &r.err), 0);
	assert_int_equal(couch_ids_next(r.ids, &id, &r.err), ERR_STOPPED);
	couch_ids_close(r.ids);
	shutdown(r.server.listener, SHUT_RDWR);
	couch_server_stop(&r.server);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ids__recorded_list),
	    cmocka_unit_test(test_ids__next_page_begins_behind_the_last_id),
	    cmocka_unit_test(test_ids__last_id_may_be_deleted_between_pages),
	    cmocka_unit_test(test_ids__range_and_limit),
	    cmocka_unit_test(test_ids__empty_list),
	    cmocka_unit_test(test_ids__odd_rows),
	    cmocka_unit_test(test_ids__plain_rows_between_others),
	    cmocka_unit_test(test_ids__rows_that_are_almost_plain),
	    cmocka_unit_test(test_ids__documents_by_id),
	    cmocka_unit_test(test_ids__large_document_is_left_out),
	    cmocka_unit_test(test_ids__no_keys_ask_nothing),
	    cmocka_unit_test(test_ids__bad_answers),
	    cmocka_unit_test(test_ids__more_rows_than_keys),
	    cmocka_unit_test(test_ids__a_file_is_no_server),
	    cmocka_unit_test(test_ids__stop_ends_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
