# The room src/audit/: its library and its unit tests.
noinst_LIBRARIES += src/audit/libaudit.a
src_audit_libaudit_a_SOURCES = \
	src/audit/audit.c \
	src/audit/audit.h \
	src/audit/audit_internal.h \
	src/audit/pack.c \
	src/audit/read.c \
	src/audit/sha1.c \
	src/audit/sha1.h \
	src/audit/tree.c

UNIT_TESTS += tests/unit/test_audit
tests_unit_test_audit_SOURCES = tests/unit/test_audit.c
tests_unit_test_audit_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_audit_LDADD = $(AUDIT_LIBS) $(CMOCKA_LIBS)
