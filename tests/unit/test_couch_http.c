#include "config.h"

#include "base/clock.h"
#include "couch_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "pa:ss/word"

/* A database of the server, and a feed's rows read from it. */
struct fetch {
	struct couch_server server;
	struct url url;
	struct couch_options o;
	struct couch_feed_options f;
	struct buf rows;
	struct err err;
};

static void add_scene(struct fetch *t, struct slice answer, enum scene_end end)
{
	t->server.scenes[t->server.count++] = (struct scene){answer, end};
}

static void begin(struct fetch *t)
{
	couch_server_start(&t->server);
	t->url = (struct url){.scheme = URL_HTTP, .shown = "http://shown/rec", .base = t->server.base, .path = "/rec"};
	t->o.url = &t->url;
	t->rows = (struct buf)BUF_INIT(1 << 20);
}

static int fetch_rows(struct fetch *t)
{
	struct couch_feed *f = NULL;
	int rc = couch_feed_open(&f, &t->o, &t->f, &t->err);
	if (!rc)
		rc = rows_as_text(f, &t->rows, &t->err);
	couch_feed_close(f);
	return rc;
}

static void end(struct fetch *t)
{
	couch_server_stop(&t->server);
	couch_server_release(&t->server);
	buf_release(&t->rows);
}

/* Everything at once: one answer, one feed. The rows and requests are released by end_all. */
static int fetch_from(struct fetch *t, struct slice answer, enum scene_end scene_end)
{
	add_scene(t, answer, scene_end);
	begin(t);
	int rc = fetch_rows(t);
	couch_server_stop(&t->server);
	return rc;
}

static void end_all(struct fetch *t)
{
	couch_server_release(&t->server);
	buf_release(&t->rows);
}

static void expect_message(const struct err *err, const char *message)
{
	if (!strstr(err->msg, message))
		fail_msg("\"%s\" not in: %s", message, err->msg);
	assert_null(strstr(err->msg, SECRET));
	assert_null(strstr(err->hint, SECRET));
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;
	for (const char *at = text; at && (at = strstr(at, part)); at++)
		n++;
	return n;
}

/* ---- what is asked ---- */

static void test_feed_http__normal_feed(void **state)
{
	struct buf answer;
	struct fetch t = {.o = {.user = "admin", .password = SECRET}};
	(void)state;
	fixture_load("changes-normal.http", &answer);
	assert_int_equal(fetch_from(&t, buf_slice(&answer), SCENE_KEEP), 0);
	assert_int_equal(count(t.rows.ptr, "\n"), 45);
	assert_int_equal(
	    count(t.server.requests.ptr,
		  "GET /rec/_changes?feed=normal&include_docs=true&conflicts=true&attachments=false HTTP/1.1\r\n"),
	    1);
	assert_int_equal(count(t.server.requests.ptr, "Authorization: Basic YWRtaW46cGE6c3Mvd29yZA==\r\n"), 1);
	assert_int_equal(count(t.server.requests.ptr, "Accept: application/json\r\n"), 1);
	end_all(&t);
	buf_release(&answer);
}

static void expect_question(struct couch_feed_options f, const char *question)
{
	struct buf answer;
	struct fetch t = {.f = f};
	fixture_load("changes-limit-0.http", &answer);
	assert_int_equal(fetch_from(&t, buf_slice(&answer), SCENE_KEEP), 0);
	if (!count(t.server.requests.ptr, question))
		fail_msg("\"%s\" not in: %s", question, t.server.requests.ptr);
	assert_int_equal(count(t.server.requests.ptr, "Authorization"), 0);
	end_all(&t);
	buf_release(&answer);
}

static void test_feed_http__since_is_what_the_server_gave(void **state)
{
	(void)state;
	expect_question((struct couch_feed_options){.ids_only = 1, .since = SLICE("\"47-g1AA_-\"")},
			"_changes?feed=normal&since=47-g1AA_- HTTP");
	expect_question((struct couch_feed_options){.ids_only = 1, .since = SLICE("\"a\\u0020\\\"b/\"")},
			"&since=a%20%22b%2F HTTP");
	expect_question((struct couch_feed_options){.ids_only = 1, .since = SLICE("1002")}, "&since=1002 HTTP");
	expect_question((struct couch_feed_options){.ids_only = 1, .since = SLICE("[3, \"x\"]")},
			"&since=%5B3%2C%20%22x%22%5D HTTP");
	expect_question((struct couch_feed_options){.ids_only = 1, .since = SLICE("null")}, "&since=0 HTTP");
}

static void test_feed_http__options_become_parameters(void **state)
{
	(void)state;
	expect_question((struct couch_feed_options){.ids_only = 1, .limit = 12, .seq_interval = 100},
			"_changes?feed=normal&limit=12&seq_interval=100 HTTP");
	expect_question((struct couch_feed_options){.ids_only = 1, .kind = COUCH_FEED_CONTINUOUS, .heartbeat_ms = 1500},
			"_changes?feed=continuous&heartbeat=1500 HTTP");
	expect_question((struct couch_feed_options){.ids_only = 1, .kind = COUCH_FEED_LONGPOLL},
			"_changes?feed=longpoll&heartbeat=10000 HTTP");
}

static void test_feed_http__unreadable_since_is_refused(void **state)
{
	struct url url = {
	    .scheme = URL_HTTP, .shown = "http://shown/rec", .base = "http://127.0.0.1:1", .path = "/rec"};
	struct couch_options o = {.url = &url};
	struct couch_feed_options f = {.since = SLICE("\"half")};
	struct couch_feed *feed = NULL;
	struct err err = ERR_INIT;
	(void)state;
	assert_int_equal(couch_feed_open(&feed, &o, &f, &err), ERR_SYNTAX);
	assert_null(feed);
	expect_message(&err, "sequence");
}

static void test_feed_http__password_comes_from_netrc(void **state)
{
	struct buf answer;
	struct fetch t = {.o = {.user = "joe"}};
	char home[] = "/tmp/settle-netrc-XXXXXX", path[64];
	const char *old = getenv("HOME");
	char saved[4096];
	(void)state;
	snprintf(saved, sizeof(saved), "%s", old ? old : "/");
	assert_non_null(mkdtemp(home));
	snprintf(path, sizeof(path), "%s/.netrc", home);
	FILE *file = fopen(path, "w");
	fputs("machine 127.0.0.1 login joe password secret\n", file);
	fclose(file);
	setenv("HOME", home, 1);
	fixture_load("changes-limit-0.http", &answer);
	assert_int_equal(fetch_from(&t, buf_slice(&answer), SCENE_KEEP), 0);
	assert_int_equal(count(t.server.requests.ptr, "Authorization: Basic am9lOnNlY3JldA==\r\n"), 1);
	setenv("HOME", saved, 1);
	unlink(path);
	rmdir(home);
	end_all(&t);
	buf_release(&answer);
}

/* ---- feeds that wait ---- */

static void test_feed_http__continuous_feed_with_heartbeats(void **state)
{
	struct buf answer;
	struct fetch t = {.f = {.kind = COUCH_FEED_CONTINUOUS}};
	atomic_int stop = 0;
	struct couch_feed *f = NULL;
	enum couch_next what;
	struct couch_row row;
	int beats = 0, rc;
	(void)state;
	fixture_load("changes-continuous-heartbeat.http", &answer);
	add_scene(&t, buf_slice(&answer), SCENE_HOLD);
	begin(&t);
	t.o.stop = &stop;
	assert_int_equal(couch_feed_open(&f, &t.o, &t.f, &t.err), 0);
	do {
		rc = couch_feed_next(f, &what, &row, &t.err);
		beats += !rc && what == COUCH_HEARTBEAT;
	} while (!rc && what == COUCH_HEARTBEAT);
	assert_int_equal(rc, 0);
	assert_int_equal(what, COUCH_ROW);
	assert_in_range(beats, 0, 4); /* as many as came in a packet of their own */
	assert_true(slice_is(row.id, "late"));
	/* The last heartbeat, and then silence until somebody stops it. */
	assert_int_equal(couch_feed_next(f, &what, &row, &t.err), 0);
	assert_int_equal(what, COUCH_HEARTBEAT);
	atomic_store(&stop, 1);
	assert_int_equal(couch_feed_next(f, &what, &row, &t.err), ERR_STOPPED);
	couch_feed_close(f);
	end(&t);
	buf_release(&answer);
}

struct stopper {
	struct couch_server *server;
	atomic_int stop;
};

/* Not before the server was asked: who is stopped earlier may never ask, and the server would wait for that. */
static void *set_stop(void *context)
{
	struct stopper *s = context;
	couch_server_await(s->server, 1);
	clock_sleep_ms(50);
	atomic_store(&s->stop, 1);
	return NULL;
}

static void test_feed_http__stop_flag_ends_the_silence(void **state)
{
	static const char *const heard[] = {"", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{"};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct fetch t = {.f = {.kind = COUCH_FEED_CONTINUOUS}};
		struct stopper s = {.server = &t.server};
		pthread_t thread;
		t.o.stop = &s.stop;
		pthread_create(&thread, NULL, set_stop, &s);
		assert_int_equal(fetch_from(&t, slice_of(heard[i]), SCENE_HOLD), ERR_STOPPED);
		pthread_join(thread, NULL);
		end_all(&t);
	}
}

static void test_feed_http__long_poll(void **state)
{
	struct buf answer;
	struct fetch t = {.f = {.kind = COUCH_FEED_LONGPOLL}};
	(void)state;
	fixture_load("changes-longpoll.http", &answer);
	assert_int_equal(fetch_from(&t, buf_slice(&answer), SCENE_KEEP), 0);
	assert_int_equal(count(t.rows.ptr, "|late2|1-0785e9eb543380151003dc452c3a001a|"), 1);
	end_all(&t);
	buf_release(&answer);
}

static void test_feed_http__deleted_database_ends_a_continuous_feed(void **state)
{
	struct buf answer;
	struct fetch t = {.f = {.kind = COUCH_FEED_CONTINUOUS}};
	(void)state;
	fixture_load("changes-db-deleted.http", &answer);
	assert_int_equal(fetch_from(&t, buf_slice(&answer), SCENE_KEEP), 0);
	end_all(&t);
	buf_release(&answer);
}

/* ---- what goes wrong ---- */

static void test_feed_http__cut_in_the_middle_may_be_tried_again(void **state)
{
	struct buf answer, whole;
	struct fetch all = {0};
	(void)state;
	fixture_load("changes-limit.http", &answer);
	assert_int_equal(fetch_from(&all, buf_slice(&answer), SCENE_KEEP), 0);
	whole = all.rows;
	for (size_t at = 0; at < answer.len - 1; at += 29) {
		struct fetch t = {0};
		assert_int_equal(fetch_from(&t, (struct slice){answer.ptr, at}, SCENE_CLOSE), ERR_SOURCE);
		assert_true(slice_starts(buf_slice(&whole), buf_slice(&t.rows)));
		assert_int_equal(t.err.retryable, 1);
		if (t.rows.len)
			expect_message(&t.err, "last good sequence \"");
		end_all(&t);
	}
	couch_server_release(&all.server);
	buf_release(&whole);
	buf_release(&answer);
}

static void test_feed_http__feed_that_ends_politely_but_early_is_cut(void **state)
{
	struct fetch t = {0};
	(void)state;
	assert_int_equal(
	    fetch_from(&t,
		       SLICE("HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n{\"results\":[{\"seq\":1,\"id\":\"a\"}\n"),
		       SCENE_KEEP),
	    ERR_SOURCE);
	expect_message(&t.err, "byte 31 of the feed (last good sequence 1): the feed ends before its \"last_seq\"");
	assert_int_equal(t.err.retryable, 1);
	end_all(&t);
}

static void expect_refusal(struct slice answer, const char *message, const char *hint, int native, int retryable)
{
	struct fetch t = {.o = {.user = "admin", .password = SECRET}};
	assert_int_equal(fetch_from(&t, answer, SCENE_CLOSE), ERR_SOURCE);
	expect_message(&t.err, message);
	if (!strstr(t.err.hint, hint))
		fail_msg("\"%s\" not in hint: %s", hint, t.err.hint);
	assert_int_equal(t.err.native, native);
	assert_int_equal(t.err.retryable, retryable);
	end_all(&t);
}

static void expect_recorded_refusal(const char *name, const char *message, const char *hint, int native)
{
	struct buf answer;
	fixture_load(name, &answer);
	expect_refusal(buf_slice(&answer), message, hint, native, 0);
	buf_release(&answer);
}

static void test_feed_http__refusals_say_what_to_do(void **state)
{
	(void)state;
	expect_recorded_refusal(
	    "wrong-password.http",
	    "http://shown/rec: the server refuses the user \"admin\": unauthorized: Name or password is incorrect.",
	    "SETTLE_SOURCE_PASSWORD", 401);
	expect_recorded_refusal("missing-db.http", "no such database (404 not_found: Database does not exist.)",
				"last part of the URL", 404);
	expect_recorded_refusal("changes-bad-since.http",
				"400 bad_request: Malformed sequence supplied in 'since' parameter.", "", 400);
	expect_refusal(SLICE("HTTP/1.1 403 Forbidden\r\nContent-Length: "
			     "39\r\n\r\n{\"error\":\"forbidden\",\"reason\":\"no way\"}\n"),
		       "403 forbidden: no way", "_security", 403, 0);
	expect_refusal(SLICE("HTTP/1.1 301 Moved\r\nLocation: https://other/rec\r\nContent-Length: 0\r\n\r\n"),
		       "the server answered 301", "https://other/rec", 301, 0);
	expect_refusal(SLICE("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>"),
		       "502, and not in CouchDB's way", "", 502, 1);
	expect_refusal(SLICE("HTTP/1.1 500 Oops\r\n\r\n{\"error\":\"badarg\",\"reason\":\"oops\"}"), "500 badarg: oops",
		       "", 500, 1);
	expect_refusal(SLICE("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), "503", "", 503, 1);
	expect_refusal(SLICE("HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n"), "429", "--max-rate", 429, 1);
	expect_refusal(SLICE("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n<html></html"), "looks like HTML", "", 0, 0);
	expect_refusal(SLICE("SSH-2.0-OpenSSH_9.2\r\n"), "does not speak HTTP", "", 1, 0);
}

static void test_feed_http__no_user_is_told_how_to_name_one(void **state)
{
	struct buf answer;
	struct fetch t = {0};
	(void)state;
	fixture_load("unauthorized.http", &answer);
	assert_int_equal(fetch_from(&t, buf_slice(&answer), SCENE_KEEP), ERR_SOURCE);
	expect_message(
	    &t.err, "the server wants a user and a password: unauthorized: You are not authorized to access this db.");
	assert_non_null(strstr(t.err.hint, "http://USER@HOST/DB"));
	end_all(&t);
	buf_release(&answer);
}

static void test_feed_http__nobody_listens(void **state)
{
	struct fetch t = {.server = {.count = 0}};
	(void)state;
	begin(&t);
	couch_server_stop(&t.server); /* nothing listens at that port any more */
	assert_int_equal(fetch_rows(&t), ERR_SOURCE);
	expect_message(&t.err, "http://shown/rec: cannot connect");
	assert_int_equal(t.err.retryable, 1);
	end_all(&t);
}

/* One part of a name has at most 63 characters: no name server is asked, and none can be slow. */
#define NO_SUCH_HOST    \
	"no-such-host-" \
	"0123456789012345678901234567890123456789012345678901234567890123.invalid"

static void test_feed_http__unknown_host(void **state)
{
	struct url url = {
	    .scheme = URL_HTTP, .shown = "http://shown/rec", .base = "http://" NO_SUCH_HOST, .path = "/rec"};
	struct fetch t = {.o = {.url = &url}, .rows = BUF_INIT(10)};
	(void)state;
	assert_int_equal(fetch_rows(&t), ERR_SOURCE);
	expect_message(&t.err, "the host's name is not known");
}

static void test_feed_http__plain_answer_to_https_is_a_tls_error(void **state)
{
	struct fetch t = {0};
	char base[64];
	(void)state;
	/* The client's greeting has no blank line in it: the server hears it and waits until the client gives up. */
	add_scene(&t, SLICE(""), SCENE_CLOSE);
	begin(&t);
	snprintf(base, sizeof(base), "https://127.0.0.1:%d", t.server.port);
	t.url.base = base;
	t.url.scheme = URL_HTTPS;
	t.o.connect_timeout_s = 1;
	assert_int_equal(fetch_rows(&t), ERR_SOURCE);
	assert_true(strstr(t.err.msg, "TLS: ") || strstr(t.err.msg, "cannot connect: "));
	shutdown(t.server.listener, SHUT_RDWR);
	end(&t);
}

static void test_feed_http__silence_is_a_stall(void **state)
{
	/* What is heard at all must come within the time too. */
	static const struct {
		const char *heard, *message;
		int seconds;
	} cases[] = {
	    {"", "no answer within 1 seconds", 1},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"results\":[\n{\"seq\":1,\"id\":\"a\"},",
	     "nothing came for 4 seconds", 4},
	};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct fetch t = {.o = {.stall_timeout_s = cases[i].seconds}};
		assert_int_equal(fetch_from(&t, slice_of(cases[i].heard), SCENE_HOLD), ERR_SOURCE);
		expect_message(&t.err, cases[i].message);
		assert_int_equal(t.err.retryable, 1);
		end_all(&t);
	}
}

static void test_feed_http__waiting_feed_has_the_patience_of_two_heartbeats(void **state)
{
	struct fetch t = {.o = {.stall_timeout_s = 1}, .f = {.kind = COUCH_FEED_LONGPOLL, .heartbeat_ms = 500}};
	(void)state;
	assert_int_equal(fetch_from(&t, SLICE(""), SCENE_HOLD), ERR_SOURCE);
	expect_message(&t.err, "no answer within 2 seconds");
	end_all(&t);
}

static void test_feed_http__more_than_the_inbox_arrives_whole(void **state)
{
	struct buf answer = BUF_INIT(1 << 26);
	struct couch_feed *f = NULL;
	struct fetch t = {0};
	enum couch_next what;
	struct couch_row row;
	uint64_t rows = 0;
	(void)state;
	buf_str(&answer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"results\":[");
	for (int i = 0; i < 60000; i++)
		buf_fmt(&answer, "%s{\"seq\":%d,\"id\":\"%d\",\"doc\":{\"text\":\"%0100d\"}}", i ? ",\n" : "", i, i, i);
	buf_str(&answer, "],\"last_seq\":5}");
	add_scene(&t, buf_slice(&answer), SCENE_CLOSE);
	begin(&t);
	assert_int_equal(couch_feed_open(&f, &t.o, &t.f, &t.err), 0);
	while (couch_feed_next(f, &what, &row, &t.err) == 0 && what == COUCH_ROW) {
		char id[16];
		snprintf(id, sizeof(id), "%d", (int)rows++);
		assert_true(slice_is(row.id, id));
	}
	assert_int_equal(what, COUCH_END);
	assert_int_equal(rows, 60000);
	couch_feed_close(f);
	end(&t);
	buf_release(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_feed_http__normal_feed),
	    cmocka_unit_test(test_feed_http__since_is_what_the_server_gave),
	    cmocka_unit_test(test_feed_http__options_become_parameters),
	    cmocka_unit_test(test_feed_http__unreadable_since_is_refused),
	    cmocka_unit_test(test_feed_http__password_comes_from_netrc),
	    cmocka_unit_test(test_feed_http__continuous_feed_with_heartbeats),
	    cmocka_unit_test(test_feed_http__stop_flag_ends_the_silence),
	    cmocka_unit_test(test_feed_http__long_poll),
	    cmocka_unit_test(test_feed_http__deleted_database_ends_a_continuous_feed),
	    cmocka_unit_test(test_feed_http__cut_in_the_middle_may_be_tried_again),
	    cmocka_unit_test(test_feed_http__feed_that_ends_politely_but_early_is_cut),
	    cmocka_unit_test(test_feed_http__refusals_say_what_to_do),
	    cmocka_unit_test(test_feed_http__no_user_is_told_how_to_name_one),
	    cmocka_unit_test(test_feed_http__nobody_listens),
	    cmocka_unit_test(test_feed_http__unknown_host),
	    cmocka_unit_test(test_feed_http__plain_answer_to_https_is_a_tls_error),
	    cmocka_unit_test(test_feed_http__silence_is_a_stall),
	    cmocka_unit_test(test_feed_http__waiting_feed_has_the_patience_of_two_heartbeats),
	    cmocka_unit_test(test_feed_http__more_than_the_inbox_arrives_whole),
	};
	setenv("no_proxy", "*", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
