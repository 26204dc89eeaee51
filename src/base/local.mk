# The room src/base/: its library and its unit tests.
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES = \
	src/base/arena.c \
	src/base/arena.h \
	src/base/buf.c \
	src/base/buf.h \
	src/base/clock.c \
	src/base/clock.h \
	src/base/datetime.c \
	src/base/datetime.h \
	src/base/err.c \
	src/base/err.h \
	src/base/hex.c \
	src/base/hex.h \
	src/base/hide.c \
	src/base/hide.h \
	src/base/json.h \
	src/base/json_internal.h \
	src/base/json_read.c \
	src/base/json_scan.c \
	src/base/json_scan.h \
	src/base/json_value.c \
	src/base/json_write.c \
	src/base/log.c \
	src/base/log.h \
	src/base/number.c \
	src/base/number.h \
	src/base/pct.c \
	src/base/pct.h \
	src/base/queue.c \
	src/base/queue.h \
	src/base/slice.h \
	src/base/url.c \
	src/base/url.h \
	src/base/utf8.c \
	src/base/utf8.h

UNIT_TESTS += \
	tests/unit/test_arena \
	tests/unit/test_buf \
	tests/unit/test_datetime \
	tests/unit/test_err \
	tests/unit/test_hex \
	tests/unit/test_log \
	tests/unit/test_pct \
	tests/unit/test_queue \
	tests/unit/test_url \
	tests/unit/test_utf8

tests_unit_test_arena_SOURCES = tests/unit/test_arena.c
tests_unit_test_arena_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_arena_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_buf_SOURCES = tests/unit/test_buf.c
tests_unit_test_buf_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_buf_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_datetime_SOURCES = tests/unit/test_datetime.c
tests_unit_test_datetime_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_datetime_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_err_SOURCES = tests/unit/test_err.c
tests_unit_test_err_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_err_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_hex_SOURCES = tests/unit/test_hex.c
tests_unit_test_hex_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_hex_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_LDFLAGS = -Wl,--wrap=clock_mono_us
tests_unit_test_log_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_log_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_pct_SOURCES = tests/unit/test_pct.c
tests_unit_test_pct_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_pct_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_queue_SOURCES = tests/unit/test_queue.c
tests_unit_test_queue_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_queue_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_url_SOURCES = tests/unit/test_url.c
tests_unit_test_url_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_url_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_utf8_SOURCES = tests/unit/test_utf8.c
tests_unit_test_utf8_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_utf8_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += \
	tests/unit/test_json_read \
	tests/unit/test_json_scan \
	tests/unit/test_json_value \
	tests/unit/test_json_write \
	tests/unit/test_number

tests_unit_test_json_read_SOURCES = tests/unit/test_json_read.c tests/unit/lines.h tests/unit/random_json.h
tests_unit_test_json_read_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_json_read_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_json_scan_SOURCES = tests/unit/test_json_scan.c tests/unit/lines.h tests/unit/random_json.h
tests_unit_test_json_scan_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_json_scan_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_json_value_SOURCES = tests/unit/test_json_value.c tests/unit/lines.h tests/unit/random_json.h
tests_unit_test_json_value_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_json_value_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_json_write_SOURCES = tests/unit/test_json_write.c tests/unit/lines.h tests/unit/random_json.h
tests_unit_test_json_write_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_json_write_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

tests_unit_test_number_SOURCES = tests/unit/test_number.c tests/unit/lines.h
tests_unit_test_number_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_number_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

EXTRA_DIST += fixtures/json
