# The room patch/: its library and its unit tests.
noinst_LIBRARIES += patch/libpatch.a
patch_libpatch_a_SOURCES = \
	patch/block.c \
	patch/document.c \
	patch/form.c \
	patch/patch.h \
	patch/patch_internal.h \
	patch/plan.c \
	patch/reconstruct.c \
	patch/xml_read.c \
	patch/xml_text.c \
	patch/xml_write.c

UNIT_TESTS += tests/unit/test_patch
tests_unit_test_patch_SOURCES = tests/unit/test_patch.c tests/unit/random_json.h
tests_unit_test_patch_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_patch_LDADD = $(PATCH_LIBS) $(CMOCKA_LIBS)
EXTRA_DIST += fixtures/patch
