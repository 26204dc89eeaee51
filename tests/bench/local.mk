# `make bench`: settle beside the floor it stands on (tests/bench/bench.sh). Nothing of it runs in `make check`.
BENCH_TOOLS = tests/bench/measure tests/bench/yajl_parse tests/bench/bare_sqlite tests/bench/fill_state tests/bench/lag
EXTRA_PROGRAMS += $(BENCH_TOOLS)
CLEANFILES += $(BENCH_TOOLS)
tests_bench_measure_SOURCES = tests/bench/measure.c
tests_bench_yajl_parse_SOURCES = tests/bench/yajl_parse.c
tests_bench_yajl_parse_LDADD = $(YAJL_LIBS)
tests_bench_bare_sqlite_SOURCES = tests/bench/bare_sqlite.c
tests_bench_bare_sqlite_LDADD = $(SQLITE_LIBS)
tests_bench_fill_state_SOURCES = tests/bench/fill_state.c
tests_bench_fill_state_LDADD = $(STATE_LIBS)
tests_bench_lag_SOURCES = tests/bench/lag.c
tests_bench_lag_LDADD = $(PQ_LIBS) $(CURL_LIBS) $(BASE_LIBS)
EXTRA_DIST += tests/bench/lib.sh tests/bench/patch.sh tests/bench/snapshot.sh tests/bench/tables.sh tests/bench/live.sh tests/bench/missing.sh tests/bench/lists.sh tests/bench/bench.sh tests/bench/corpus.js

.PHONY: bench
bench: settle tests/server/couchd $(BENCH_TOOLS)
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' $(SHELL) '$(srcdir)/tests/bench/bench.sh'
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' $(SHELL) '$(srcdir)/tests/bench/live.sh'
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' $(SHELL) '$(srcdir)/tests/bench/missing.sh'
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' $(SHELL) '$(srcdir)/tests/bench/lists.sh'
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' $(SHELL) '$(srcdir)/tests/bench/tables.sh'
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' $(SHELL) '$(srcdir)/tests/bench/snapshot.sh'
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' $(SHELL) '$(srcdir)/tests/bench/patch.sh'
