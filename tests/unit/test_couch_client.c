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

#define JSON_ANSWER(text) SLICE("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" text)

struct talk {
	struct couch_server server;
	struct url url;
	struct couch_client *client;
	struct arena a;
	struct buf recorded[4];
	int n;
	struct err err;
};

static void add_recorded(struct talk *t, const char *name)
{
	fixture_load(name, &t->recorded[t->n]);
	t->server.scenes[t->server.count++] = (struct scene){buf_slice(&t->recorded[t->n]), SCENE_KEEP};
	t->n++;
}

static void add_answer(struct talk *t, struct slice answer)
{
	t->server.scenes[t->server.count++] = (struct scene){answer, SCENE_CLOSE};
}

static void begin_at(struct talk *t, const char *path)
{
	struct couch_options o = {.url = &t->url, .user = "admin", .password = "secret"};
	couch_server_start(&t->server);
	t->url = (struct url){.scheme = URL_HTTP, .shown = "http://shown/rec", .base = t->server.base, .path = path};
	assert_int_equal(couch_client_open(&t->client, &o, &t->err), 0);
}

static void begin(struct talk *t)
{
	begin_at(t, "/rec");
}

static void stop(struct talk *t)
{
	couch_client_close(t->client);
	couch_server_stop(&t->server);
}

static void end(struct talk *t)
{
	couch_server_release(&t->server);
	arena_release(&t->a);
	for (int i = 0; i < t->n; i++)
		buf_release(&t->recorded[i]);
}

static void expect_request(const struct talk *t, const char *line)
{
	if (!strstr(t->server.requests.ptr, line))
		fail_msg("\"%s\" not in: %s", line, t->server.requests.ptr);
}

static void expect_message(const struct talk *t, const char *message)
{
	if (!strstr(t->err.msg, message))
		fail_msg("\"%s\" not in: %s", message, t->err.msg);
}

static void test_client__server_and_database_over_one_connection(void **state)
{
	struct talk t = {0};
	struct couch_server_info server;
	struct couch_db_info db;
	(void)state;
	add_recorded(&t, "root.http");
	add_recorded(&t, "db-info.http");
	begin(&t);
	assert_int_equal(couch_server_info(t.client, &t.a, &server, &t.err), 0);
	assert_int_equal(couch_db_info(t.client, &t.a, &db, &t.err), 0);
	stop(&t);
	assert_true(slice_is(server.vendor, "CouchDB"));
	assert_true(slice_is(server.version, "3.4.3"));
	assert_true(slice_is(server.uuid, "969cd09ef07a8ff52ace36cc1277587b"));
	assert_true(slice_is(db.name, "rec"));
	assert_true(slice_is(db.instance_start_time, "1795142757"));
	assert_true(slice_starts(db.update_seq, SLICE("\"45-g1AAAACbeJz")));
	assert_int_equal(db.doc_count, 41);
	assert_int_equal(db.doc_del_count, 2);
	assert_int_equal(db.external_bytes, 13924);
	expect_request(&t, "GET / HTTP/1.1\r\n");
	expect_request(&t, "GET /rec HTTP/1.1\r\n");
	end(&t);
}

static void test_client__server_below_a_path(void **state)
{
	struct talk t = {0};
	struct couch_server_info server;
	(void)state;
	add_recorded(&t, "root.http");
	begin_at(&t, "/couch/rec");
	assert_int_equal(couch_server_info(t.client, &t.a, &server, &t.err), 0);
	stop(&t);
	expect_request(&t, "GET /couch/ HTTP/1.1\r\n");
	end(&t);
}

static void test_client__couchdb_1_does_not_tell_when_it_was_made(void **state)
{
	struct talk t = {0};
	struct couch_db_info db;
	(void)state;
	add_answer(&t, JSON_ANSWER("{\"db_name\":\"demo\",\"doc_count\":1,\"doc_del_count\":0,\"update_seq\":1,"
				   "\"instance_start_time\":\"1321010195016000\",\"committed_update_seq\":1}"));
	begin(&t);
	assert_int_equal(couch_db_info(t.client, &t.a, &db, &t.err), 0);
	assert_true(slice_is(db.instance_start_time, "0"));
	stop(&t);
	end(&t);
}

static void test_client__pouchdb(void **state)
{
	struct talk t = {0};
	struct couch_server_info server;
	struct couch_db_info db;
	(void)state;
	add_answer(
	    &t, JSON_ANSWER(
		    "{\"express-pouchdb\":\"Welcome!\",\"version\":\"4.2.0\",\"vendor\":{\"name\":\"PouchDB authors\"},"
		    "\"uuid\":\"abc\"}"));
	add_answer(
	    &t,
	    JSON_ANSWER(
		"{\"doc_count\":0,\"update_seq\":0,\"db_name\":\"demo\",\"instance_start_time\":\"1795140739171\"}"));
	begin(&t);
	assert_int_equal(couch_server_info(t.client, &t.a, &server, &t.err), 0);
	assert_int_equal(couch_db_info(t.client, &t.a, &db, &t.err), 0);
	stop(&t);
	assert_true(slice_is(server.vendor, "PouchDB"));
	assert_true(slice_is(db.update_seq, "0"));
	assert_int_equal(db.external_bytes, -1);
	end(&t);
}

static void test_client__database_is_not_there(void **state)
{
	struct talk t = {0};
	struct couch_db_info db;
	(void)state;
	add_recorded(&t, "missing-db.http");
	begin(&t);
	assert_int_equal(couch_db_info(t.client, &t.a, &db, &t.err), ERR_NOTFOUND);
	assert_int_equal(t.err.code, ERR_NOTFOUND);
	expect_message(&t, "http://shown/rec: no such database");
	stop(&t);
	end(&t);
}

static void test_client__wrong_password(void **state)
{
	struct talk t = {0};
	struct couch_db_info db;
	(void)state;
	add_recorded(&t, "wrong-password.http");
	begin(&t);
	assert_int_equal(couch_db_info(t.client, &t.a, &db, &t.err), ERR_SOURCE);
	assert_int_equal(t.err.native, 401);
	expect_message(&t, "refuses the user \"admin\"");
	assert_null(strstr(t.err.msg, "secret"));
	stop(&t);
	end(&t);
}

static void test_client__answer_that_is_no_database(void **state)
{
	static const char *const answers[] = {"<html>", "{\"couchdb\":\"Welcome\"}", "[]", "{\"update_seq\":"};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct talk t = {0};
		struct couch_db_info db;
		struct buf answer = BUF_INIT(1000);
		buf_fmt(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(answers[i]), answers[i]);
		add_answer(&t, buf_slice(&answer));
		begin(&t);
		assert_int_equal(couch_db_info(t.client, &t.a, &db, &t.err), ERR_SOURCE);
		expect_message(&t, "the answer is");
		assert_string_not_equal(t.err.hint, "");
		stop(&t);
		end(&t);
		buf_release(&answer);
	}
}

static void test_client__document_as_it_is(void **state)
{
	struct talk t = {0};
	struct slice doc;
	(void)state;
	add_recorded(&t, "doc-conflicts.http");
	begin(&t);
	assert_int_equal(couch_doc_get(t.client, SLICE("conf"), &t.a, &doc, &t.err), 0);
	stop(&t);
	assert_true(slice_is(doc, "{\"_id\":\"conf\",\"_rev\":\"2-cccccccccccccccccccccccccccccccc\",\"v\":\"c\","
				  "\"_conflicts\":[\"2-ccc\",\"1-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\",\"1-bbb\"]}"));
	expect_request(&t, "GET /rec/conf?conflicts=true HTTP/1.1\r\n");
	end(&t);
}

static void test_client__ids_become_one_part_of_the_path(void **state)
{
	struct talk t = {0};
	struct slice doc;
	(void)state;
	add_answer(&t, JSON_ANSWER("{}"));
	add_answer(&t, JSON_ANSWER("{}"));
	add_answer(&t, JSON_ANSWER("{}"));
	begin(&t);
	assert_int_equal(couch_doc_get(t.client, SLICE("a/b ?\xc3\xbc"), &t.a, &doc, &t.err), 0);
	assert_int_equal(couch_doc_get(t.client, SLICE("_design/x/y"), &t.a, &doc, &t.err), 0);
	assert_int_equal(couch_doc_get(t.client, SLICE("_local/settle-demo"), &t.a, &doc, &t.err), 0);
	stop(&t);
	expect_request(&t, "GET /rec/a%2Fb%20%3F%C3%BC?conflicts=true HTTP/1.1\r\n");
	expect_request(&t, "GET /rec/_design/x%2Fy?conflicts=true HTTP/1.1\r\n");
	expect_request(&t, "GET /rec/_local/settle-demo?conflicts=true HTTP/1.1\r\n");
	end(&t);
}

static void test_client__document_or_database_not_there(void **state)
{
	struct talk t = {0};
	struct slice doc;
	(void)state;
	add_answer(&t, SLICE("HTTP/1.1 404 Object Not Found\r\nConnection: "
			     "close\r\n\r\n{\"error\":\"not_found\",\"reason\":\"deleted\"}"));
	add_recorded(&t, "missing-db.http");
	begin(&t);
	assert_int_equal(couch_doc_get(t.client, SLICE("gone"), &t.a, &doc, &t.err), ERR_NOTFOUND);
	expect_message(&t, "document gone: http://shown/rec: the document is not there");
	assert_int_equal(couch_doc_get(t.client, SLICE("gone"), &t.a, &doc, &t.err), ERR_SOURCE);
	expect_message(&t, "no such database");
	assert_int_equal(couch_doc_get(t.client, SLICE(""), &t.a, &doc, &t.err), ERR_NOTFOUND);
	stop(&t);
	end(&t);
}

static void test_client__cut_document_may_be_tried_again(void **state)
{
	struct talk t = {0};
	struct slice doc;
	(void)state;
	add_answer(&t, SLICE("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"_id\":"));
	begin(&t);
	assert_int_equal(couch_doc_get(t.client, SLICE("x"), &t.a, &doc, &t.err), ERR_SOURCE);
	expect_message(&t, "document x: http://shown/rec: the connection was lost");
	assert_int_equal(t.err.retryable, 1);
	stop(&t);
	end(&t);
}

static void test_client__pending(void **state)
{
	struct talk t = {0};
	int64_t pending;
	(void)state;
	add_recorded(&t, "changes-limit-0.http");
	add_recorded(&t, "changes-limit.http");
	add_answer(
	    &t, JSON_ANSWER(
		    "{\"results\":[{\"id\":\"doc00001\",\"changes\":[{\"rev\":\"1-d\"}],\"seq\":2}],\"last_seq\":2}"));
	begin(&t);
	assert_int_equal(couch_pending(t.client, SLICE("\"47-g\""), &pending, &t.err), 0);
	assert_int_equal(pending, 0);
	assert_int_equal(couch_pending(t.client, SLICE_NONE, &pending, &t.err), 0);
	assert_true(pending > 0);
	assert_int_equal(couch_pending(t.client, SLICE("1"), &pending, &t.err), 0);
	assert_int_equal(pending, -1);
	stop(&t);
	expect_request(&t, "GET /rec/_changes?limit=0&since=47-g HTTP/1.1\r\n");
	expect_request(&t, "GET /rec/_changes?limit=0&since=0 HTTP/1.1\r\n");
	end(&t);
}

static void test_client__stop_flag_ends_a_question(void **state)
{
	struct talk t = {0};
	atomic_int stopped = 1;
	struct couch_db_info db;
	(void)state;
	t.server.scenes[t.server.count++] = (struct scene){SLICE(""), SCENE_HOLD};
	couch_server_start(&t.server);
	t.url = (struct url){.scheme = URL_HTTP, .shown = "http://shown/rec", .base = t.server.base, .path = "/rec"};
	struct couch_options o = {.url = &t.url, .stop = &stopped};
	assert_int_equal(couch_client_open(&t.client, &o, &t.err), 0);
	assert_int_equal(couch_db_info(t.client, &t.a, &db, &t.err), ERR_STOPPED);
	couch_client_close(t.client);
	shutdown(t.server.listener, SHUT_RDWR);
	couch_server_stop(&t.server);
	end(&t);
}

static void test_client__a_recorded_feed_cannot_be_asked(void **state)
{
	struct url url = {.scheme = URL_FILE, .shown = "file:x", .path = "x"};
	struct couch_options o = {.url = &url};
	struct couch_client *c = NULL;
	(void)state;
	assert_int_equal(couch_client_open(&c, &o, NULL), ERR_USAGE);
	assert_null(c);
	couch_client_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_client__server_and_database_over_one_connection),
	    cmocka_unit_test(test_client__server_below_a_path),
	    cmocka_unit_test(test_client__couchdb_1_does_not_tell_when_it_was_made),
	    cmocka_unit_test(test_client__pouchdb),
	    cmocka_unit_test(test_client__database_is_not_there),
	    cmocka_unit_test(test_client__wrong_password),
	    cmocka_unit_test(test_client__answer_that_is_no_database),
	    cmocka_unit_test(test_client__document_as_it_is),
	    cmocka_unit_test(test_client__ids_become_one_part_of_the_path),
	    cmocka_unit_test(test_client__document_or_database_not_there),
	    cmocka_unit_test(test_client__cut_document_may_be_tried_again),
	    cmocka_unit_test(test_client__pending),
	    cmocka_unit_test(test_client__stop_flag_ends_a_question),
	    cmocka_unit_test(test_client__a_recorded_feed_cannot_be_asked),
	};
	setenv("no_proxy", "*", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
