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
	tests/cli/snapshot-restore.sh
TESTS += $(SNAPSHOT_TESTS)
EXTRA_DIST += $(SNAPSHOT_TESTS)
