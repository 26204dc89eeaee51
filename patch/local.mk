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

EXTRA_DIST += fixtures/patch

PATCH_FIXTURE = tests/unit/patch_fixture.c tests/unit/patch_fixture.h

UNIT_TESTS += tests/unit/test_patch_plan
tests_unit_test_patch_plan_SOURCES = tests/unit/test_patch_plan.c $(PATCH_FIXTURE)
tests_unit_test_patch_plan_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_patch_plan_LDADD = $(PATCH_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_patch_form
tests_unit_test_patch_form_SOURCES = tests/unit/test_patch_form.c $(PATCH_FIXTURE)
tests_unit_test_patch_form_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_patch_form_LDADD = $(PATCH_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_patch_xml
tests_unit_test_patch_xml_SOURCES = tests/unit/test_patch_xml.c $(PATCH_FIXTURE)
tests_unit_test_patch_xml_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_patch_xml_LDADD = $(PATCH_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_patch_reconstruct
tests_unit_test_patch_reconstruct_SOURCES = tests/unit/test_patch_reconstruct.c $(PATCH_FIXTURE) tests/unit/random_json.h
tests_unit_test_patch_reconstruct_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_patch_reconstruct_LDADD = $(PATCH_LIBS) $(CMOCKA_LIBS)
