# The room src/audit/: its library and its unit tests.
noinst_LIBRARIES += src/audit/libaudit.a
src_audit_libaudit_a_SOURCES = \
	src/audit/audit.c \
	src/audit/audit.h \
	src/audit/audit_internal.h \
	src/audit/changes.c \
	src/audit/pack.c \
	src/audit/read.c \
	src/audit/sha1.c \
	src/audit/sha1.h \
	src/audit/tree.c

AUDIT_PLACE = tests/unit/audit_place.c tests/unit/audit_place.h

UNIT_TESTS += tests/unit/test_audit_event
tests_unit_test_audit_event_SOURCES = tests/unit/test_audit_event.c $(AUDIT_PLACE)
tests_unit_test_audit_event_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_audit_event_LDADD = $(AUDIT_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_audit_files
tests_unit_test_audit_files_SOURCES = tests/unit/test_audit_files.c $(AUDIT_PLACE)
tests_unit_test_audit_files_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_audit_files_LDADD = $(AUDIT_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_audit_open
tests_unit_test_audit_open_SOURCES = tests/unit/test_audit_open.c $(AUDIT_PLACE)
tests_unit_test_audit_open_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_audit_open_LDADD = $(AUDIT_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_audit_damage
tests_unit_test_audit_damage_SOURCES = tests/unit/test_audit_damage.c $(AUDIT_PLACE)
tests_unit_test_audit_damage_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_audit_damage_LDADD = $(AUDIT_LIBS) $(CMOCKA_LIBS)
