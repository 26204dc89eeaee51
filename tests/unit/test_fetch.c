/* fetch: how long a feed that breaks is taken up again, and whether it is still the same source. */
#include "config.h"

#include "couch_support.h"
#include "migrate/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define BEGUN "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define ROW(SEQ, ID) "{\"seq\":\"" SEQ "\",\"id\":\"" ID "\",\"changes\":[{\"rev\":\"1-a\"}]}\n"

struct reader {
	struct couch_server server;
	struct url url;
	struct fetch_options o;
	struct fetch *f;
	struct err err;
	int asked; /* for the identity */
	int other_from;
};

static void add_scene(struct reader *r, struct slice answer)
{
	r->server.scenes[r->server.count++] = (struct scene){answer, SCENE_CLOSE};
}

/* Answers, says nothing for some milliseconds, and cuts. */
static void add_silence(struct reader *r)
{
	r->server.scenes[r->server.count++] = (struct scene){SLICE(CHUNKED), SCENE_PAUSE};
}

static int same(void *context, struct err *err)
{
	struct reader *r = context;

	return ++r->asked == r->other_from ? err_set(err, ERR_STATE, "another database") : 0;
}

static void begin(struct reader *r, int tries)
{
	couch_server_start(&r->server);
	r->url = (struct url){.scheme = URL_HTTP, .shown = "http://shown/db", .base = r->server.base, .path = "/db"};
	r->o = (struct fetch_options){
	    .couch = {.url = &r->url},
	    .feed = {.kind = COUCH_FEED_CONTINUOUS},
	    .batch_bytes = 1 << 20,
	    .batch_docs = 1,
	    .same = same,
	    .context = r,
	    .tries = tries,
	    .first_backoff_ms = 1,
	};
	assert_int_equal(fetch_open(&r->f, &r->o, &r->err), 0);
}

static void end(struct reader *r)
{
	fetch_close(r->f);
	couch_server_stop(&r->server);
	couch_server_release(&r->server);
}

/* The only document of the next batch. */
static void expect_document(struct reader *r, const char *id)
{
	struct batch *b = NULL;

	assert_int_equal(fetch_next(r->f, &b, &r->err), 0);
	assert_non_null(b);
	assert_int_equal(b->docs.n, 1);
	assert_true(slice_is(b->docs.v[0].row.id, id));
	batch_free(b);
}

static void expect_error(struct reader *r, int code, const char *message)
{
	struct batch *b = NULL;

	assert_int_equal(fetch_next(r->f, &b, &r->err), code);
	assert_null(b);
	if (!strstr(r->err.msg, message))
		fail_msg("\"%s\" not in: %s", message, r->err.msg);
}

static void test_fetch__a_source_that_is_gone_is_given_up(void **state)
{
	struct reader r = {0};

	(void)state;
	begin(&r, 3);
	couch_server_stop(&r.server);
	expect_error(&r, ERR_SOURCE, "gave up after 3 tries");
	fetch_close(r.f);
	couch_server_release(&r.server);
}

static void test_fetch__what_refuses_for_ever_is_given_up(void **state)
{
	static const char busy[] = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	struct reader r = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		add_scene(&r, slice_of(busy));
	begin(&r, 2);
	expect_error(&r, ERR_SOURCE, "gave up after 2 tries");
	end(&r);
}

static void test_fetch__each_row_makes_it_patient_again(void **state)
{
	struct reader r = {0};

	(void)state;
	add_scene(&r, SLICE(""));
	add_scene(&r, SLICE(BEGUN ROW("1-x", "a") "{\"seq\":"));
	add_scene(&r, SLICE(""));
	add_scene(&r, SLICE(BEGUN ROW("2-x", "b") "{\"seq\":"));
	add_scene(&r, SLICE(""));
	add_scene(&r, SLICE(BEGUN ROW("3-x", "c")));
	begin(&r, 2);
	expect_document(&r, "a");
	expect_document(&r, "b");
	expect_document(&r, "c");
	fetch_close(r.f);
	couch_server_stop(&r.server);
	assert_non_null(strstr(r.server.requests.ptr, "since=2-x "));
	couch_server_release(&r.server);
}

static void test_fetch__a_proxy_that_cuts_silent_feeds_is_borne(void **state)
{
	struct reader r = {0};

	(void)state;
	for (int i = 0; i < 4; i++)
		add_silence(&r);
	add_scene(&r, SLICE(BEGUN ROW("1-x", "a")));
	begin(&r, 1);
	expect_document(&r, "a");
	end(&r);
}

static void test_fetch__of_another_database_nothing_is_given_out(void **state)
{
	struct reader r = {.other_from = 2};

	(void)state;
	add_scene(&r, SLICE(BEGUN ROW("1-x", "a") "{\"seq\":"));
	add_scene(&r, SLICE(BEGUN ROW("1-y", "stranger")));
	begin(&r, 2);
	expect_document(&r, "a");
	expect_error(&r, ERR_STATE, "another database");
	assert_int_equal(r.asked, 2);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fetch__a_source_that_is_gone_is_given_up),
	    cmocka_unit_test(test_fetch__what_refuses_for_ever_is_given_up),
	    cmocka_unit_test(test_fetch__each_row_makes_it_patient_again),
	    cmocka_unit_test(test_fetch__a_proxy_that_cuts_silent_feeds_is_borne),
	    cmocka_unit_test(test_fetch__of_another_database_nothing_is_given_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
