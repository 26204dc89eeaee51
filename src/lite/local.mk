# The room src/lite/: its library and its unit tests.
noinst_LIBRARIES += src/lite/liblite.a
src_lite_liblite_a_SOURCES = \
	src/lite/lite.c \
	src/lite/lite.h \
	src/lite/lite_backup.c \
	src/lite/lite_internal.h \
	src/lite/lite_stmt.c

LITE_PLACE = tests/unit/lite_place.c tests/unit/lite_place.h

UNIT_TESTS += tests/unit/test_lite_open
tests_unit_test_lite_open_SOURCES = tests/unit/test_lite_open.c $(LITE_PLACE)
tests_unit_test_lite_open_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_lite_open_LDADD = $(LITE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_lite_write
tests_unit_test_lite_write_SOURCES = tests/unit/test_lite_write.c $(LITE_PLACE)
tests_unit_test_lite_write_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_lite_write_LDADD = $(LITE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_lite_migrate
tests_unit_test_lite_migrate_SOURCES = tests/unit/test_lite_migrate.c $(LITE_PLACE)
tests_unit_test_lite_migrate_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_lite_migrate_LDADD = $(LITE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_lite_stmt
tests_unit_test_lite_stmt_SOURCES = tests/unit/test_lite_stmt.c $(LITE_PLACE)
tests_unit_test_lite_stmt_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_lite_stmt_LDADD = $(LITE_LIBS) $(CMOCKA_LIBS)
