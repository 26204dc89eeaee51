# Tests that belong to no single room, and what the tests share.

# Fuzz targets. With --enable-fuzz libFuzzer drives them; otherwise `make check` replays fixtures/fuzz/NAME through each fuzz_NAME.
FUZZ_TARGETS = tests/fuzz/fuzz_blocks tests/fuzz/fuzz_feed tests/fuzz/fuzz_json tests/fuzz/fuzz_options tests/fuzz/fuzz_profile
check_PROGRAMS += $(FUZZ_TARGETS)
EXTRA_DIST += fixtures/fuzz
if FUZZ
FUZZ_MAIN =
LIBFUZZER_FLAGS = -fsanitize=fuzzer
else
FUZZ_MAIN = tests/fuzz/standalone.c
LIBFUZZER_FLAGS =
TESTS += $(FUZZ_TARGETS)
endif

tests_fuzz_fuzz_blocks_SOURCES = tests/fuzz/fuzz_blocks.c $(FUZZ_MAIN)
tests_fuzz_fuzz_blocks_LDFLAGS = $(LIBFUZZER_FLAGS)
tests_fuzz_fuzz_blocks_LDADD = $(MAPPING_LIBS)

tests_fuzz_fuzz_feed_SOURCES = tests/fuzz/fuzz_feed.c $(FUZZ_MAIN)
tests_fuzz_fuzz_feed_LDFLAGS = $(LIBFUZZER_FLAGS)
tests_fuzz_fuzz_feed_LDADD = $(COUCH_LIBS)

tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c $(FUZZ_MAIN)
tests_fuzz_fuzz_json_LDFLAGS = $(LIBFUZZER_FLAGS)
tests_fuzz_fuzz_json_LDADD = $(BASE_LIBS)

tests_fuzz_fuzz_options_SOURCES = tests/fuzz/fuzz_options.c $(FUZZ_MAIN)
tests_fuzz_fuzz_options_LDFLAGS = $(LIBFUZZER_FLAGS)
tests_fuzz_fuzz_options_LDADD = $(CMD_LIBS)

tests_fuzz_fuzz_profile_SOURCES = tests/fuzz/fuzz_profile.c $(FUZZ_MAIN)
tests_fuzz_fuzz_profile_LDFLAGS = $(LIBFUZZER_FLAGS)
tests_fuzz_fuzz_profile_LDADD = $(PROFILE_LIBS)

TESTS += tests/cli/house.sh
EXTRA_DIST += tests/cli/house.sh tests/tsan.supp

include tests/gen/local.mk
include tests/server/local.mk
include tests/bench/local.mk

# The migration end to end.
TESTS += tests/cli/migrate.sh tests/cli/case-diff.sh tests/cli/losing.sh tests/cli/dry-run.sh tests/cli/heal.sh tests/cli/kill.sh tests/cli/lifecycle.sh tests/cli/lost-state.sh tests/cli/missing.sh tests/cli/multi.sh tests/cli/odd.sh tests/cli/progress.sh tests/cli/proxy.sh tests/cli/refusals.sh tests/cli/rejects.sh tests/cli/restored.sh tests/cli/server-full.sh tests/cli/shutter.sh tests/cli/source.sh tests/cli/sql-only.sh tests/cli/vectors.sh
EXTRA_DIST += tests/torture/writer.js tests/cli/vectors.js tests/cli/expect.js tests/cli/case-diff.sh tests/cli/losing.sh tests/cli/dry-run.sh tests/cli/heal.sh tests/cli/kill.sh tests/cli/lifecycle.sh tests/cli/lost-state.sh tests/cli/migrate.sh tests/cli/missing.sh tests/cli/multi.sh tests/cli/odd-parts.js tests/cli/odd.sh tests/cli/progress.sh tests/cli/proxy.sh tests/cli/refusals.sh tests/cli/rejects.sh tests/cli/restored.sh tests/cli/server-full.sh tests/cli/shutter.sh tests/cli/source.sh tests/cli/sql-only.sh tests/cli/vectors.sh

# Random domains and blows at random moments, a few in `make check`, many in `make check-long`.
TESTS += tests/cli/seeds.sh tests/cli/torture.sh
EXTRA_DIST += tests/cli/seeds.sh tests/cli/torture.sh
.PHONY: check-long
check-long: all
	SETTLE_SEEDS=50 SETTLE_KILLS=200 $(MAKE) $(AM_MAKEFLAGS) check TESTS='tests/cli/seeds.sh tests/cli/torture.sh tests/cli/patch-kill.sh tests/cli/patch-seeds.sh'
	SETTLE_KILLS=100 $(MAKE) $(AM_MAKEFLAGS) check TESTS=tests/cli/tables-kill.sh

# A library that kills settle at a step of its choice (tests/shim/steps.c).
EXTRA_DIST += tests/shim/steps.c
check_DATA = tests/shim/steps.so
CLEANFILES += tests/shim/steps.so
tests/shim/steps.so: tests/shim/steps.c
	$(AM_V_CC)$(MKDIR_P) tests/shim && $(CC) -std=gnu17 -Wall -Wextra -O1 -g -fPIC -shared -o $@ '$(srcdir)/tests/shim/steps.c' -ldl

# Patching end to end.
TESTS += tests/cli/audit-events.sh tests/cli/audit-refused.sh tests/cli/audit-tamper.sh tests/cli/patch-list.sh tests/cli/patch.sh tests/cli/patch-documents.sh tests/cli/patch-kill.sh tests/cli/patch-seeds.sh tests/cli/patch-stale.sh tests/cli/patch-steps.sh
EXTRA_DIST += tests/cli/audit-events.sh tests/cli/audit-refused.sh tests/cli/audit-tamper.sh tests/cli/patch-lib.sh tests/cli/patch-seeds.sh tests/cli/patch-steps.sh tests/cli/patch-list.sh tests/cli/patch.sh tests/cli/patch-documents.sh tests/cli/patch-kill.sh tests/cli/patch-stale.sh
