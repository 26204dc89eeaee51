# The room src/cmd/: the program, its manual page, and their tests.
bin_PROGRAMS += settle
settle_SOURCES = src/cmd/main.c
settle_LDADD = $(CMD_LIBS)
dist_man_MANS += src/cmd/settle.1

noinst_LIBRARIES += src/cmd/libcmd.a
src_cmd_libcmd_a_SOURCES = \
	src/cmd/again_print.c \
	src/cmd/again_print.h \
	src/cmd/ask.c \
	src/cmd/ask.h \
	src/cmd/cmd.h \
	src/cmd/cmd_audit.c \
	src/cmd/cmd_check.c \
	src/cmd/cmd_commit.c \
	src/cmd/cmd_diff_again.c \
	src/cmd/cmd_diff_files.c \
	src/cmd/cmd_diff_filter.c \
	src/cmd/cmd_diff_patch.c \
	src/cmd/cmd_diff_show.c \
	src/cmd/cmd_help.c \
	src/cmd/cmd_migrate.c \
	src/cmd/cmd_patch.c \
	src/cmd/cmd_patch_files.c \
	src/cmd/cmd_multi.c \
	src/cmd/cmd_profile.c \
	src/cmd/cmd_rejects.c \
	src/cmd/cmd_reset.c \
	src/cmd/cmd_show.c \
	src/cmd/cmd_snapshot_copy.c \
	src/cmd/cmd_snapshot_create.c \
	src/cmd/cmd_snapshot_keygen.c \
	src/cmd/cmd_snapshot_list.c \
	src/cmd/cmd_snapshot_prune.c \
	src/cmd/cmd_snapshot_restore.c \
	src/cmd/cmd_snapshot_verify.c \
	src/cmd/cmd_stats.c \
	src/cmd/cmd_tables.c \
	src/cmd/cmd_tables.h \
	src/cmd/cmd_tables_clean.c \
	src/cmd/cmd_tables_create.c \
	src/cmd/cmd_tables_migrate.c \
	src/cmd/cmd_tables_plan.c \
	src/cmd/cmd_tables_status.c \
	src/cmd/cmd_tables_validate.c \
	src/cmd/cmd_unfinish.c \
	src/cmd/commands.c \
	src/cmd/context.c \
	src/cmd/context.h \
	src/cmd/csv.c \
	src/cmd/csv.h \
	src/cmd/files.c \
	src/cmd/help.c \
	src/cmd/help.h \
	src/cmd/lookup.c \
	src/cmd/lookup.h \
	src/cmd/marked.c \
	src/cmd/marked.h \
	src/cmd/options.c \
	src/cmd/options.h \
	src/cmd/output.c \
	src/cmd/output.h \
	src/cmd/pager.c \
	src/cmd/pager.h \
	src/cmd/print.c \
	src/cmd/print.h \
	src/cmd/print_stats.c \
	src/cmd/print_dry_run.c \
	src/cmd/print_verdict.c \
	src/cmd/run.c \
	src/cmd/secrets.c \
	src/cmd/secrets.h \
	src/cmd/select.c \
	src/cmd/select.h \
	src/cmd/signals.c \
	src/cmd/signals.h \
	src/cmd/snapshots.c \
	src/cmd/snapshots.h \
	src/cmd/stats_detail.c \
	src/cmd/stats_detail.h

CLI_TESTS = \
	tests/cli/again.sh \
	tests/cli/again-server.sh \
	tests/cli/example.sh \
	tests/cli/files.sh \
	tests/cli/manual.sh \
	tests/cli/output.sh \
	tests/cli/patch-files.sh \
	tests/cli/secrets.sh \
	tests/cli/show.sh \
	tests/cli/usage.sh
TESTS += $(CLI_TESTS)
EXTRA_DIST += $(CLI_TESTS) tests/cli/lib.sh fixtures/example

UNIT_TESTS += tests/unit/test_options tests/unit/test_print
CMD_LIBS = src/cmd/libcmd.a src/tables/libtables.a src/snapshot/libsnapshot.a $(CRYPT_LIBS) $(MIGRATE_LIBS)

tests_unit_test_options_SOURCES = tests/unit/test_options.c
tests_unit_test_options_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_options_LDADD = $(CMD_LIBS) $(CMOCKA_LIBS)

tests_unit_test_print_SOURCES = tests/unit/test_print.c
tests_unit_test_print_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_print_LDADD = $(CMD_LIBS) $(CMOCKA_LIBS)
