#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"

#include "base/json.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A log and the file it writes to. */
struct kept_log {
	FILE *stream;
	struct log *log;
};

/* The clock by which the status line is drawn anew stands still unless a test moves it (-Wl,--wrap=clock_mono_us). */
static int64_t now_us;

int64_t __wrap_clock_mono_us(void);

int64_t __wrap_clock_mono_us(void)
{
	return now_us;
}

static struct kept_log open_log(enum log_level level, enum log_format format)
{
	struct kept_log m = {.stream = tmpfile()};
	assert_non_null(m.stream);
	m.log = log_new(m.stream, level, format);
	return m;
}

/* What was written, after the log is closed; freed by the caller. */
static char *close_log(struct kept_log *m)
{
	log_free(m->log);
	long size = ftell(m->stream);
	char *text = calloc(1, (size_t)size + 1);
	rewind(m->stream);
	assert_int_equal(fread(text, 1, (size_t)size, m->stream), size);
	fclose(m->stream);
	return text;
}

static void check_line(const char *said, const char *written)
{
	struct kept_log m = open_log(LOG_INFO, LOG_TEXT);
	log_at(m.log, LOG_INFO, "%s", said);
	char *text = close_log(&m);
	const char *line = strstr(text, "info: ");
	assert_non_null(line);
	text[strlen(text) - 1] = 0;
	assert_string_equal(line + strlen("info: "), written);
	free(text);
}

static void test_log_at__passwords_are_hidden_wherever_a_url_stands(void **state)
{
	(void)state;
	check_line("no argument \"http://me:s3cret@h/db\"", "no argument \"http://me:***@h/db\"");
	check_line("http://me:s3/cr@et@h:1/db and postgres://:x@/y", "http://me:***@h:1/db and postgres://:***@/y");
	check_line("host=h password=s3cret user=me", "host=h password=*** user=me");
	check_line("Passwd=s3cret", "Passwd=***");
	check_line("http://me@h/db id=a:b@c", "http://me@h/db id=a:b@c");
	check_line("http://h:5984/db/org:me@x", "http://h:5984/db/org:me@x");
	check_line("http://h/db/a@b, password=", "http://h/db/a@b, password=");
	check_line("://", "://");
	check_line("http://me:@h", "http://me:@h");
}

static void test_log_at__terminals_get_no_control_characters(void **state)
{
	(void)state;
	check_line("id=a\nb\033[31m\177", "id=a b [31m ");
	check_line("id=a\302\23331m\302\205", "id=a 31m ");
	check_line("id=\302\240\303\251", "id=\302\240\303\251");
}

static void test_log_at__levels_above_are_left_out(void **state)
{
	(void)state;
	struct kept_log m = open_log(LOG_INFO, LOG_TEXT);
	log_at(m.log, LOG_INFO, "read=%d", 3);
	log_at(m.log, LOG_DETAIL, "not this");
	log_at(m.log, LOG_ERROR, "broken");
	log_at(NULL, LOG_ERROR, "nowhere");
	log_err(NULL, LOG_ERROR, &(struct err){.msg = "nowhere"});
	log_progress(NULL, "nowhere");
	log_progress_enable(NULL);
	log_free(NULL);
	char *text = close_log(&m);
	assert_string_equal(text + strlen("2026-11-20T03:04:05Z"), strstr(text, " info: read=3\n"));
	assert_non_null(strstr(text, " error: broken\n"));
	assert_null(strstr(text, "not this"));
	free(text);
}

static void test_log_err__hint_on_a_line_of_its_own(void **state)
{
	(void)state;
	struct kept_log m = open_log(LOG_WARN, LOG_TEXT);
	struct err err = ERR_INIT;
	(void)err_set(&err, ERR_STATE, "no state");
	log_err(m.log, LOG_WARN, &err);
	(void)err_hint(&err, "make some");
	log_err(m.log, LOG_ERROR, &err);
	log_err(m.log, LOG_INFO, &err);
	char *text = close_log(&m);
	assert_non_null(strstr(text, " warn: no state\n"));
	assert_non_null(strstr(text, " error: no state\nhint: make some\n"));
	assert_null(strstr(text, "info"));
	free(text);
}

static void test_log_at__odd_bytes_cannot_break_the_line(void **state)
{
	(void)state;
	struct kept_log m = open_log(LOG_INFO, LOG_TEXT);
	log_at(m.log, LOG_INFO, "id=%s", "a\nb\x1b[2J\xff\xed\xa0\x80 \xc3\xa9");
	char *text = close_log(&m);
	assert_non_null(strstr(text, "id=a b [2J\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xc3\xa9\n"));
	free(text);
}

static void test_log_at__long_lines_are_cut(void **state)
{
	(void)state;
	struct kept_log m = open_log(LOG_INFO, LOG_TEXT);
	log_at(m.log, LOG_INFO, "%0100000d", 1);
	char *text = close_log(&m);
	assert_in_range(strlen(text), 1000, 10000);
	assert_string_equal(text + strlen(text) - 4, "...\n");
	free(text);
}

static void test_log_json__one_object_a_line(void **state)
{
	(void)state;
	struct kept_log m = open_log(LOG_INFO, LOG_JSON);
	struct err err = ERR_INIT;
	(void)err_set(&err, ERR_STATE, "said \"no\"");
	(void)err_hint(&err, "ask again");
	log_err(m.log, LOG_WARN, &err);
	log_at(m.log, LOG_INFO, "two");
	char *text = close_log(&m);
	struct arena a = ARENA_INIT;
	struct json v;
	char *line = strtok_r(text, "\n", &text), *start = line;
	assert_int_equal(json_read(slice_of(line), &a, 0, &v, NULL, NULL), 0);
	assert_true(slice_is(json_get_text(&v, "level"), "warn"));
	assert_true(slice_is(json_get_text(&v, "msg"), "said \"no\""));
	assert_true(slice_is(json_get_text(&v, "hint"), "ask again"));
	assert_int_equal(json_get_text(&v, "time").len, 27);
	line = strtok_r(NULL, "\n", &text);
	assert_int_equal(json_read(slice_of(line), &a, 0, &v, NULL, NULL), 0);
	assert_null(json_gets(&v, "hint"));
	arena_release(&a);
	free(start);
}

static void test_log_progress__is_drawn_wiped_and_drawn_again(void **state)
{
	(void)state;
	struct kept_log m = open_log(LOG_INFO, LOG_TEXT);
	log_progress(m.log, "not enabled");
	log_progress_enable(m.log);
	log_progress(m.log, "1 of 9");
	now_us += 199999;
	log_progress(m.log, "2 of 9, too soon");
	log_at(m.log, LOG_INFO, "line");
	log_progress(m.log, "");
	log_progress(m.log, "");
	log_at(m.log, LOG_INFO, "last");
	char *text = close_log(&m);
	char *line = strstr(text, "line\n");
	assert_non_null(line);
	assert_int_equal(strncmp(text, "\r1 of 9\033[K\r\033[K2", 15), 0);
	assert_int_equal(strncmp(line, "line\n\r1 of 9\033[K\r\033[K2", 20), 0);
	assert_null(strstr(text, "too soon"));
	assert_null(strstr(text, "enabled"));
	free(text);
}

static void test_log_progress__is_drawn_anew_five_times_a_second(void **state)
{
	(void)state;
	struct kept_log m = open_log(LOG_INFO, LOG_TEXT);
	char shown[16];
	log_progress_enable(m.log);
	for (int i = 0; i < 100; i++, now_us += 40000) {
		snprintf(shown, sizeof(shown), "(%d)", i);
		log_progress(m.log, shown);
	}
	char *text = close_log(&m);
	for (int i = 0; i < 100; i++) {
		snprintf(shown, sizeof(shown), "(%d)", i);
		assert_int_equal(strstr(text, shown) != NULL, i % 5 == 0);
	}
	free(text);
}

static void test_log_progress__is_cut_to_the_width_in_characters(void **state)
{
	(void)state;
	struct kept_log m = open_log(LOG_INFO, LOG_TEXT);
	char wide[401] = "";
	for (size_t i = 0; i < 400; i += 2)
		memcpy(wide + i, "\xc3\xa9", 2);
	log_progress_enable(m.log);
	log_progress(m.log, wide);
	char *text = close_log(&m);
	assert_int_equal(strspn(text + 1, "\xc3\xa9"), 2 * 79);
	free(text);
}

static void test_log_also_to__appends_to_a_private_file(void **state)
{
	(void)state;
	char dir[] = "/tmp/settle-log-XXXXXX", path[64];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/run.log", dir);
	for (int i = 0; i < 2; i++) {
		struct kept_log m = open_log(LOG_INFO, LOG_TEXT);
		assert_int_equal(log_also_to(m.log, path, NULL), 0);
		assert_int_equal(log_also_to(m.log, path, NULL), 0);
		log_at(m.log, LOG_INFO, "run %d", i);
		log_at(m.log, LOG_INFO, "end %d", i);
		free(close_log(&m));
	}
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	FILE *f = fopen(path, "r");
	char text[400] = "";
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_non_null(strstr(text, "run 0\n"));
	assert_non_null(strstr(text, "end 0\n"));
	assert_non_null(strstr(text, "run 1\n"));
	assert_non_null(strstr(text, "end 1\n"));
	unlink(path);
	rmdir(dir);
}

static void test_log_also_to__failures_are_told(void **state)
{
	(void)state;
	struct kept_log m = open_log(LOG_INFO, LOG_TEXT);
	struct err err = ERR_INIT;
	assert_int_equal(log_also_to(m.log, "/nonexistent/run.log", &err), ERR_STATE);
	assert_int_equal(err.native, ENOENT);
	assert_non_null(strstr(err.msg, "/nonexistent/run.log"));
	assert_int_not_equal(err.hint[0], 0);
	assert_int_equal(log_also_to(m.log, "/dev/full", &err), 0);
	log_at(m.log, LOG_INFO, "one");
	log_at(m.log, LOG_INFO, "two");
	char *text = close_log(&m);
	char *told = strstr(text, "the log file takes no more: No space left on device\n");
	assert_non_null(told);
	assert_null(strstr(told + strlen("the log file takes no more"), "takes no more"));
	assert_non_null(strstr(text, " info: one\n"));
	assert_non_null(strstr(text, " info: two\n"));
	free(text);
}

static void *chatter(void *log)
{
	for (int i = 0; i < 500; i++) {
		log_at(log, LOG_INFO, "all of this stays together");
		log_progress(log, "status");
	}
	return NULL;
}

static void test_log__threads_do_not_mix_lines(void **state)
{
	(void)state;
	struct kept_log m = open_log(LOG_INFO, LOG_TEXT);
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, chatter, m.log), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	char *text = close_log(&m), *rest = NULL;
	int lines = 0;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), lines++)
		assert_string_equal(line + strlen("2026-11-20T03:04:05Z info: "), "all of this stays together");
	assert_int_equal(lines, 2000);
	free(text);
}

static void test_log_level_parse__knows_all_names(void **state)
{
	(void)state;
	enum log_level level = LOG_ERROR;
	assert_int_equal(log_level_parse("trace", &level), 0);
	assert_int_equal(level, LOG_TRACE);
	assert_int_equal(log_level_parse("detail", &level), 0);
	assert_int_equal(level, LOG_DETAIL);
	assert_int_equal(log_level_parse("loud", &level), -1);
	assert_int_equal(log_level_parse("", &level), -1);
	assert_int_equal(level, LOG_DETAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_log_at__levels_above_are_left_out),
	    cmocka_unit_test(test_log_err__hint_on_a_line_of_its_own),
	    cmocka_unit_test(test_log_at__odd_bytes_cannot_break_the_line),
	    cmocka_unit_test(test_log_at__long_lines_are_cut),
	    cmocka_unit_test(test_log_json__one_object_a_line),
	    cmocka_unit_test(test_log_progress__is_drawn_wiped_and_drawn_again),
	    cmocka_unit_test(test_log_progress__is_drawn_anew_five_times_a_second),
	    cmocka_unit_test(test_log_progress__is_cut_to_the_width_in_characters),
	    cmocka_unit_test(test_log_also_to__appends_to_a_private_file),
	    cmocka_unit_test(test_log_also_to__failures_are_told),
	    cmocka_unit_test(test_log__threads_do_not_mix_lines),
	    cmocka_unit_test(test_log_at__passwords_are_hidden_wherever_a_url_stands),
	    cmocka_unit_test(test_log_at__terminals_get_no_control_characters),
	    cmocka_unit_test(test_log_level_parse__knows_all_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
