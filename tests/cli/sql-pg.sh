#!/bin/sh
# The unit tests of the room sql/ against a PostgreSQL of their own. TAP of the programs, numbered through.
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
. "$top_srcdir/tests/server/pg.sh"
work=$(mktemp -d) || exit 99
trap 'stop_pg; rm -rf "$work"' EXIT
# Autovacuum comes when it likes, and while it reads, no row is everybody's yet.
start_pg -c autovacuum=off || exit 99
create_pg_database settle_test || exit 99
"$pg_bin/psql" -X -q -d settle_test -c "CREATE ROLE settle_password LOGIN PASSWORD 'the right one'" || exit 99
SETTLE_TEST_PG=$(pg_url settle_test)
CMOCKA_MESSAGE_OUTPUT=TAP
export SETTLE_TEST_PG CMOCKA_MESSAGE_OUTPUT

for test in test_sql_open test_sql_put test_sql_transaction test_sql_read test_sql_lock test_sql_model \
	test_sql_pg_open test_sql_pg_failures test_sql_pg_load; do
	"$top_builddir/tests/unit/$test" >"$work/out" 2>"$work/err"
	status=$?
	cat "$work/out" >>"$work/all"
	sed 's/^/# /' "$work/err" >>"$work/all"
	# A program that ends early must not pass because of what it did not print.
	planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$work/out")
	told=$(grep -c -E '^(not )?ok ' "$work/out")
	if test "$status" -ne 0 && ! grep -q '^not ok' "$work/out" || test "${planned:-0}" -ne "$told" || test "$told" -eq 0; then
		echo "not ok - $test ended with status $status after $told of ${planned:-no} tests" >>"$work/all"
	fi
done

awk '/^1\.\.[0-9]+$/ { next }
	/^(not )?ok / { n++; sub(/ok( [0-9]+)? -/, "ok " n " -") }
	{ print }
	END { print "1.." n }' "$work/all"
