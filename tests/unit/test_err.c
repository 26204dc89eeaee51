#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

#include <errno.h>
#include <string.h>

static void test_err_set__clears_what_was_there(void **state)
{
	(void)state;
	struct err err = {
	    .code = ERR_TARGET, .native = 7, .retryable = 1, .sqlstate = "40001", .msg = "m", .hint = "h"};
	assert_int_equal(err_set(&err, ERR_SOURCE, "no answer from %s", "host"), ERR_SOURCE);
	assert_int_equal(err.code, ERR_SOURCE);
	assert_int_equal(err.native, 0);
	assert_int_equal(err.retryable, 0);
	assert_string_equal(err.sqlstate, "");
	assert_string_equal(err.msg, "no answer from host");
	assert_string_equal(err.hint, "");
}

static void test_err_set__may_quote_the_old_message(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	(void)err_set(&err, ERR_SYNTAX, "old");
	(void)err_set(&err, ERR_SOURCE, "feed: %s", err.msg);
	assert_string_equal(err.msg, "feed: old");
}

static void test_err_set__makes_one_line(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	(void)err_set(&err, ERR_TARGET,
		      "ERROR:  relation\n\tdoes not\x1b"
		      "exist\r\n");
	assert_string_equal(err.msg, "ERROR:  relation does not exist");
}

static void test_err_set__cuts_long_text_between_characters(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char text[2000];
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	for (int lead = 0; lead < 2; lead++) {
		(void)err_set(&err, ERR_SOURCE, "%s%s", lead ? "x" : "", text);
		size_t len = strlen(err.msg);
		assert_in_range(len, sizeof(err.msg) - 4, sizeof(err.msg) - 1);
		assert_string_equal(err.msg + len - 3, "...");
		assert_int_equal((unsigned char)err.msg[len - 4], 0xa9);
	}
}

static void test_err_sys__says_what_the_system_said(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_int_equal(err_sys(&err, ERR_STATE, ENOENT, "cannot open %s", "x.db"), ERR_STATE);
	assert_string_equal(err.msg, "cannot open x.db: No such file or directory");
	assert_int_equal(err.native, ENOENT);
}

static void test_err_prefix__keeps_the_end_of_the_message(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	(void)err_set(&err, ERR_SYNTAX, "no comma");
	(void)err_hint(&err, "put one in %s", "place");
	assert_int_equal(err_prefix(&err, "document %s", "d1"), ERR_SYNTAX);
	assert_string_equal(err.msg, "document d1: no comma");
	assert_string_equal(err.hint, "put one in place");
	char id[3000];
	memset(id, 'i', sizeof(id) - 1);
	id[sizeof(id) - 1] = 0;
	assert_int_equal(err_prefix(&err, "%s", id), ERR_SYNTAX);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_non_null(strstr(err.msg, ": document d1: no comma"));
	assert_int_equal(err_prefix(&err, "%s", "again"), ERR_SYNTAX);
	assert_int_equal(strncmp(err.msg, "again: iii", 10), 0);
	for (size_t i = 0; i + 2 < sizeof(id); i += 2)
		memcpy(id + i, "\xc3\xa9", 3);
	(void)err_set(&err, ERR_SYNTAX, "odd");
	(void)err_prefix(&err, "%s", id);
	assert_string_equal(err.msg + strlen(err.msg) - 7, "\xc3\xa9: odd");
	(void)err_set(&err, ERR_SYNTAX, "even");
	(void)err_prefix(&err, "%s", id);
	assert_string_equal(err.msg + strlen(err.msg) - 8, "\xc3\xa9: even");
}

static void test_err__null_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_BUSY, "x"), ERR_BUSY);
	assert_int_equal(err_sys(NULL, ERR_STATE, EIO, "x"), ERR_STATE);
	assert_int_not_equal(err_prefix(NULL, "x"), 0);
	assert_int_not_equal(err_hint(NULL, "x"), 0);
}

static void test_err_exit_code__somebody_else_is_state_and_other_conditions_are_internal(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	for (int code = ERR_USAGE; code <= ERR_INTERNAL; code++)
		assert_int_equal((err_set(&err, (enum err_code)code, "x"), err_exit_code(&err)), code);
	(void)err_set(&err, ERR_NOTFOUND, "x");
	assert_int_equal(err_exit_code(&err), ERR_INTERNAL);
	(void)err_set(&err, ERR_BUSY, "x");
	assert_int_equal(err_exit_code(&err), ERR_STATE);
	(void)err_set(&err, ERR_NONE, "x");
	assert_int_equal(err_exit_code(&err), ERR_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_err_set__clears_what_was_there),
	    cmocka_unit_test(test_err_set__may_quote_the_old_message),
	    cmocka_unit_test(test_err_set__makes_one_line),
	    cmocka_unit_test(test_err_set__cuts_long_text_between_characters),
	    cmocka_unit_test(test_err_sys__says_what_the_system_said),
	    cmocka_unit_test(test_err_prefix__keeps_the_end_of_the_message),
	    cmocka_unit_test(test_err__null_is_allowed),
	    cmocka_unit_test(test_err_exit_code__somebody_else_is_state_and_other_conditions_are_internal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
