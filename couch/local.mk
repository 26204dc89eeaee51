# The room couch/: its library and its unit tests.
noinst_LIBRARIES += couch/libcouch.a
couch_libcouch_a_SOURCES = \
	couch/client.c \
	couch/couch.h \
	couch/couch_internal.h \
	couch/feed.c \
	couch/feed_file.c \
	couch/feed_http.c \
	couch/feed_window.c \
	couch/http.c \
	couch/http_error.c \
	couch/ids.c \
	couch/row.c \
	couch/row_peek.c

COUCH_FIXTURES = \
	fixtures/couch/all-docs.http \
	fixtures/couch/changes-all-docs-style.http \
	fixtures/couch/changes-bad-since.http \
	fixtures/couch/changes-continuous-heartbeat.http \
	fixtures/couch/changes-continuous.http \
	fixtures/couch/changes-db-deleted.http \
	fixtures/couch/changes-limit-0.http \
	fixtures/couch/changes-limit.http \
	fixtures/couch/changes-longpoll.http \
	fixtures/couch/changes-normal.http \
	fixtures/couch/changes-seq-interval.http \
	fixtures/couch/db-info.http \
	fixtures/couch/doc-conflicts.http \
	fixtures/couch/missing-db.http \
	fixtures/couch/root.http \
	fixtures/couch/unauthorized.http \
	fixtures/couch/wrong-password.http
EXTRA_DIST += $(COUCH_FIXTURES)

COUCH_SUPPORT = tests/unit/couch_support.c tests/unit/couch_support.h

UNIT_TESTS += tests/unit/test_couch_client
tests_unit_test_couch_client_SOURCES = tests/unit/test_couch_client.c $(COUCH_SUPPORT)
tests_unit_test_couch_client_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_couch_client_LDADD = $(COUCH_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_couch_feed
tests_unit_test_couch_feed_SOURCES = tests/unit/test_couch_feed.c $(COUCH_SUPPORT)
tests_unit_test_couch_feed_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_couch_feed_LDADD = $(COUCH_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_couch_file
tests_unit_test_couch_file_SOURCES = tests/unit/test_couch_file.c $(COUCH_SUPPORT)
tests_unit_test_couch_file_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_couch_file_LDADD = $(COUCH_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_couch_ids
tests_unit_test_couch_ids_SOURCES = tests/unit/test_couch_ids.c $(COUCH_SUPPORT)
tests_unit_test_couch_ids_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_couch_ids_LDADD = $(COUCH_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_couch_http
tests_unit_test_couch_http_SOURCES = tests/unit/test_couch_http.c $(COUCH_SUPPORT)
tests_unit_test_couch_http_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_couch_http_LDADD = $(COUCH_LIBS) $(CMOCKA_LIBS)
