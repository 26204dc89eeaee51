# The room src/profile/: its library and its unit tests.
noinst_LIBRARIES += src/profile/libprofile.a
src_profile_libprofile_a_SOURCES = \
	src/profile/lint.c \
	src/profile/locate.c \
	src/profile/profile.c \
	src/profile/profile.h \
	src/profile/profile_internal.h \
	src/profile/read_columns.c \
	src/profile/read_kinds.c \
	src/profile/read_patch.c \
	src/profile/read_rules.c \
	src/profile/reader.c \
	src/profile/shadow.c
nodist_src_profile_libprofile_a_SOURCES = src/profile/builtin.c

profile_files = src/profile/commcare.json src/profile/documents.json
EXTRA_DIST += $(profile_files) src/profile/embed.awk
CLEANFILES += src/profile/builtin.c

src/profile/builtin.c: $(profile_files) src/profile/embed.awk
	$(AM_V_at)$(MKDIR_P) src/profile
	$(AM_V_GEN)$(AWK) -f $(srcdir)/src/profile/embed.awk \
		commcare=$(srcdir)/src/profile/commcare.json \
		documents=$(srcdir)/src/profile/documents.json >$@-t && mv $@-t $@

UNIT_TESTS += tests/unit/test_profile
tests_unit_test_profile_SOURCES = tests/unit/test_profile.c
tests_unit_test_profile_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_profile_LDADD = $(PROFILE_LIBS) $(CMOCKA_LIBS)
