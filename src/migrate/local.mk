# The room src/migrate/: its library and its unit tests.
noinst_LIBRARIES += src/migrate/libmigrate.a
src_migrate_libmigrate_a_SOURCES = \
	src/migrate/accept.c \
	src/migrate/accept.h \
	src/migrate/again.c \
	src/migrate/again.h \
	src/migrate/again_ids.c \
	src/migrate/again_internal.h \
	src/migrate/batch.c \
	src/migrate/begin.c \
	src/migrate/commit.c \
	src/migrate/dry_run.c \
	src/migrate/finish.c \
	src/migrate/follow.c \
	src/migrate/lifecycle.c \
	src/migrate/lifecycle.h \
	src/migrate/losing.c \
	src/migrate/losing.h \
	src/migrate/without.c \
	src/migrate/without.h \
	src/migrate/pass.c \
	src/migrate/sample.c \
	src/migrate/sample.h \
	src/migrate/session.c \
	src/migrate/session.h \
	src/migrate/shutter.c \
	src/migrate/shutter.h \
	src/migrate/batch.h \
	src/migrate/cases.c \
	src/migrate/cases.h \
	src/migrate/compare.c \
	src/migrate/documents.c \
	src/migrate/fetch.c \
	src/migrate/fetch.h \
	src/migrate/find.c \
	src/migrate/find.h \
	src/migrate/forms.c \
	src/migrate/group.c \
	src/migrate/group.h \
	src/migrate/identity.c \
	src/migrate/identity.h \
	src/migrate/id_reader.c \
	src/migrate/id_reader.h \
	src/migrate/id_stream.c \
	src/migrate/id_stream.h \
	src/migrate/idset.c \
	src/migrate/idset.h \
	src/migrate/known.c \
	src/migrate/known.h \
	src/migrate/mapping.h \
	src/migrate/mapping_case.c \
	src/migrate/mapping_case_json.c \
	src/migrate/mapping_cells.c \
	src/migrate/mapping_cells.h \
	src/migrate/mapping_document.c \
	src/migrate/mapping_form.c \
	src/migrate/mapping_form_rows.c \
	src/migrate/migrate.c \
	src/migrate/migrate.h \
	src/migrate/moment.c \
	src/migrate/moment.h \
	src/migrate/origin.c \
	src/migrate/origin.h \
	src/migrate/pace.c \
	src/migrate/pace.h \
	src/migrate/page.c \
	src/migrate/page.h \
	src/migrate/page_compare.c \
	src/migrate/page_fold.c \
	src/migrate/page_forms.c \
	src/migrate/page_write.c \
	src/migrate/patch_apply.c \
	src/migrate/patch_apply.h \
	src/migrate/patch_case.c \
	src/migrate/patch_case.h \
	src/migrate/patch_document.c \
	src/migrate/patch_document.h \
	src/migrate/patch_forms.h \
	src/migrate/patch_journal.c \
	src/migrate/patch_journal.h \
	src/migrate/patch_planning.c \
	src/migrate/patch_planning.h \
	src/migrate/patch_pass.c \
	src/migrate/patch_pass.h \
	src/migrate/patch_query.c \
	src/migrate/patch_sets.c \
	src/migrate/patch_withdraw.c \
	src/migrate/patch_withdraw.h \
	src/migrate/patched.c \
	src/migrate/patching.h \
	src/migrate/pipeline.c \
	src/migrate/pipeline.h \
	src/migrate/prepare.c \
	src/migrate/prepare.h \
	src/migrate/progress.c \
	src/migrate/progress.h \
	src/migrate/record.c \
	src/migrate/recheck.c \
	src/migrate/recording.c \
	src/migrate/recording.h \
	src/migrate/refilter.c \
	src/migrate/retry.c \
	src/migrate/rows.c \
	src/migrate/rows.h \
	src/migrate/rules_used.c \
	src/migrate/rules_used.h \
	src/migrate/run.h \
	src/migrate/selection.c \
	src/migrate/sql_only.c \
	src/migrate/sql_only.h \
	src/migrate/selection.h \
	src/migrate/scan.c \
	src/migrate/scan.h \
	src/migrate/sides.c \
	src/migrate/stats.c \
	src/migrate/status.c \
	src/migrate/status.h \
	src/migrate/store.c \
	src/migrate/texts.c \
	src/migrate/trail.c \
	src/migrate/trail_run.c \
	src/migrate/trail.h \
	src/migrate/trial.c \
	src/migrate/trial.h \
	src/migrate/verify.c \
	src/migrate/verify.h \
	src/migrate/verify_cases.c \
	src/migrate/verify_documents.c \
	src/migrate/verify_forms.c \
	src/migrate/verify_forms.h \
	src/migrate/verify_item.c \
	src/migrate/verify_rows.c \
	src/migrate/views.c \
	src/migrate/views.h

UNIT_TESTS += tests/unit/test_pipeline
tests_unit_test_pipeline_SOURCES = tests/unit/test_pipeline.c
tests_unit_test_pipeline_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_pipeline_LDADD = $(MIGRATE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_fetch
tests_unit_test_fetch_SOURCES = tests/unit/test_fetch.c $(COUCH_SUPPORT)
tests_unit_test_fetch_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_fetch_LDADD = $(MIGRATE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_group
tests_unit_test_group_SOURCES = tests/unit/test_group.c tests/unit/sql_place.c tests/unit/sql_place.h
tests_unit_test_group_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_group_LDADD = $(MIGRATE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_progress
tests_unit_test_progress_SOURCES = tests/unit/test_progress.c
tests_unit_test_progress_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_progress_LDADD = $(MIGRATE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_pace
tests_unit_test_pace_SOURCES = tests/unit/test_pace.c
tests_unit_test_pace_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_pace_LDADD = $(MIGRATE_LIBS) $(CMOCKA_LIBS)

# The mapping needs no database: these link it alone.
MAPPING_LIBS = src/migrate/libmigrate.a src/explain/libexplain.a $(PROFILE_LIBS)

MAPPING_FORMS = tests/unit/mapping_forms.c tests/unit/mapping_forms.h tests/unit/mapping_docs.h

UNIT_TESTS += tests/unit/test_mapping_case
tests_unit_test_mapping_case_SOURCES = tests/unit/test_mapping_case.c tests/unit/mapping_docs.h tests/unit/random_json.h
tests_unit_test_mapping_case_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_mapping_case_LDADD = $(MAPPING_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_mapping_form
tests_unit_test_mapping_form_SOURCES = tests/unit/test_mapping_form.c $(MAPPING_FORMS) tests/unit/random_json.h
tests_unit_test_mapping_form_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_mapping_form_LDADD = $(MAPPING_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_mapping_rows
tests_unit_test_mapping_rows_SOURCES = tests/unit/test_mapping_rows.c $(MAPPING_FORMS)
tests_unit_test_mapping_rows_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_mapping_rows_LDADD = $(MAPPING_LIBS) $(CMOCKA_LIBS)
