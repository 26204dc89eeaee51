# The room src/snapshot/: its library and its tests.
noinst_LIBRARIES += src/snapshot/libsnapshot.a
src_snapshot_libsnapshot_a_SOURCES = \
	src/snapshot/copy.c \
	src/snapshot/create.c \
	src/snapshot/create_pg.c \
	src/snapshot/create_sqlite.c \
	src/snapshot/crypt.c \
	src/snapshot/crypt.h \
	src/snapshot/database.c \
	src/snapshot/database.h \
	src/snapshot/domains.c \
	src/snapshot/domains.h \
	src/snapshot/files.c \
	src/snapshot/files.h \
	src/snapshot/journal.c \
	src/snapshot/keys.c \
	src/snapshot/keys.h \
	src/snapshot/link.c \
	src/snapshot/link.h \
	src/snapshot/list.c \
	src/snapshot/manifest.c \
	src/snapshot/manifest.h \
	src/snapshot/many.c \
	src/snapshot/many.h \
	src/snapshot/mask.c \
	src/snapshot/mask.h \
	src/snapshot/mask_pg.c \
	src/snapshot/origin.h \
	src/snapshot/pg_tools.c \
	src/snapshot/pg_tools.h \
	src/snapshot/place.c \
	src/snapshot/place.h \
	src/snapshot/restore.c \
	src/snapshot/restore.h \
	src/snapshot/restore_common.c \
	src/snapshot/restore_pg.c \
	src/snapshot/restore_sqlite.c \
	src/snapshot/seal.c \
	src/snapshot/sha256.c \
	src/snapshot/sha256.h \
	src/snapshot/snapshot.h \
	src/snapshot/spawn.c \
	src/snapshot/spawn.h \
	src/snapshot/verify.c \
	src/snapshot/verify.h \
	src/snapshot/workshop.c \
	src/snapshot/workshop.h

SNAPSHOT_TESTS = tests/cli/snapshot.sh tests/cli/snapshot-copy.sh tests/cli/snapshot-kill.sh tests/cli/snapshot-mask.sh \
	tests/cli/snapshot-refusals.sh tests/cli/snapshot-restore.sh tests/cli/snapshot-torn.sh
TESTS += $(SNAPSHOT_TESTS)
EXTRA_DIST += $(SNAPSHOT_TESTS)

# settle that a test can kill at any named step.
check_PROGRAMS += tests/cli/snapshot_torn
tests_cli_snapshot_torn_SOURCES = src/cmd/main.c tests/cli/snapshot_torn.c
tests_cli_snapshot_torn_LDADD = $(CMD_LIBS)
TORN_CALLS = rename renameat2 link unlink rmdir mkdir mknod open fsync PQexec PQexecParams PQputCopyEnd posix_spawn step
tests_cli_snapshot_torn_LDFLAGS = $(TORN_CALLS:%=-Wl,--wrap=%)

UNIT_TESTS += tests/unit/test_snapshot_flip tests/unit/test_snapshot_parts
tests_unit_test_snapshot_flip_SOURCES = tests/unit/test_snapshot_flip.c tests/unit/snapshot_place.h
tests_unit_test_snapshot_flip_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_snapshot_flip_LDADD = $(SNAPSHOT_LIBS) $(CMOCKA_LIBS)
tests_unit_test_snapshot_parts_SOURCES = tests/unit/test_snapshot_parts.c tests/unit/snapshot_place.h
tests_unit_test_snapshot_parts_LDFLAGS = -Wl,--wrap=readdir
tests_unit_test_snapshot_parts_CFLAGS = $(CMOCKA_TEST_CFLAGS)
tests_unit_test_snapshot_parts_LDADD = $(SNAPSHOT_LIBS) $(CMOCKA_LIBS)
