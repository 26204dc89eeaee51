#!/bin/sh
# Table migrations beside what people use for them. BENCH_ROWS narrow rows from server to server (10000000), BENCH_LITE_ROWS from SQLite
# (1500000), BENCH_CASES cases with ten events each (3000), BENCH_ROUNDS times in turn (3); SETTLE which program to measure. Each ratio is one of the
# best times, and names its limit.
set -u
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
# shellcheck source=tests/bench/lib.sh
. "$top_srcdir/tests/bench/lib.sh"
rows=${BENCH_ROWS:-10000000}
lite_rows=${BENCH_LITE_ROWS:-1500000}
cases=${BENCH_CASES:-3000}
rounds=${BENCH_ROUNDS:-3}

tell() { # DATABASE SQL
	sql "$@" >"$work/said" || fail "$2" "$work/said"
}

# The best of all calls under a name: what else runs on the machine only ever adds.
timed() { # NAME COMMAND...: seconds into $work/NAME
	name=$1
	shift
	begin=$(now)
	"$@" >"$work/said" 2>&1 || fail "$*" "$work/said"
	took=$(since "$begin")
	printf '%-60s %8.2f s\n' "$name" "$took"
	printf '%s\n' "$took" >>"$work/$name.all"
	sort -n "$work/$name.all" | head -n 1 >"$work/$name"
}

verdict() { # VALUE most|least LIMIT
	awk -v v="$1" -v how="$2" -v limit="$3" 'BEGIN { print "(at " how " " limit ": " ((how == "most" ? v <= limit : v >= limit) ? "held" : "MISSED") ")" }'
}

ratio() { # A B most|least LIMIT
	value=$(awk -v a="$(cat "$work/$1")" -v b="$(cat "$work/$2")" 'BEGIN { printf "%.2f", a / b }')
	printf '%-60s %8s    %s\n' "$1 / $2" "$value" "$(verdict "$value" "$3" "$4")"
}

pipe() {
	"$pg_bin/psql" -X -q -d source -c 'COPY narrow TO STDOUT (FORMAT binary)' |
		in_pg2 "$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -d target -c 'COPY narrow FROM STDIN (FORMAT binary)'
}

plan() { # NAME SOURCE TARGET [OPTIONS...]
	name=$1 from=$2 to=$3
	shift 3
	"$settle" tables plan "$work/$name.db" --source "$from" --target "$to" "$@" >"$work/said" 2>&1 || fail "plan $name" "$work/said"
}

start_pg -c max_wal_size=8GB >"$work/said" && start_pg2 -c max_wal_size=8GB >"$work/said" || fail 'cannot start PostgreSQL' "$work/said"
create_pg_database source && in_pg2 create_pg_database target && in_pg2 create_pg_database lite && create_pg_database cases &&
	in_pg2 create_pg_database cases || fail 'cannot make databases'

echo "settle bench of tables: $rows rows, $(uname -m), $(nproc) CPUs"
tell source "CREATE TABLE narrow (id bigint, a integer, b integer); INSERT INTO narrow SELECT i, i % 1000, -i FROM generate_series(1, $rows) i"
tell source 'VACUUM ANALYZE narrow'
in_pg2 tell target 'CREATE TABLE narrow (id bigint, a integer, b integer)'
for round in $(seq "$rounds"); do
	in_pg2 tell target 'TRUNCATE narrow'
	in_pg2 tell target CHECKPOINT
	timed 'psql to psql, binary' pipe
	in_pg2 tell target 'DROP TABLE IF EXISTS settle_part'
	in_pg2 tell target 'TRUNCATE narrow'
	in_pg2 tell target CHECKPOINT
	plan "narrow$round" "$(pg_url source)" "$(in_pg2 pg_url target)"
	timed 'settle, one worker' "$settle" tables migrate "$work/narrow$round.db" --yes
done
ratio 'settle, one worker' 'psql to psql, binary' most 1.1
timed 'settle validate' "$settle" tables validate "$work/narrow$rounds.db"
in_pg2 tell target 'DROP TABLE narrow, settle_part'
tell source 'DROP TABLE narrow'

node "$top_srcdir/examples/case-type/generate.js" --cases "$cases" --events $((cases * 10)) | "$pg_bin/psql" -X -q -d cases >"$work/said" 2>&1
in_pg2 "$pg_bin/psql" -X -q -d cases -f "$top_srcdir/examples/case-type/target.sql" >"$work/said" 2>&1
CASE_TYPE=TEST plan cases "$(pg_url cases)" "$(in_pg2 pg_url cases)" --job "$top_srcdir/examples/case-type/job.json"
timed 'a case type' "$settle" tables migrate "$work/cases.db" --apply
printf '%-60s %8s s  %s\n' "a case type, $cases cases" "$(cat "$work/a case type")" "$(verdict "$(cat "$work/a case type")" most 2)"

printf 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER, r REAL, at DATETIME);
WITH RECURSIVE x (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x WHERE i < %s)
INSERT INTO t SELECT i, hex(i * 7919) || '"' name'"', i * 31, i / 7.0, datetime(i * 60, '"'unixepoch'"') FROM x;\n' "$lite_rows" | sqlite3 "$work/t.sqlite"
sqlite3 -csv "$work/t.sqlite" 'SELECT * FROM t' >"$work/t.csv"
in_pg2 tell lite 'CREATE TABLE t (id bigint, name text, n bigint, r double precision, at timestamp)'
for round in $(seq "$rounds"); do
	in_pg2 tell lite 'TRUNCATE t'
	in_pg2 tell lite CHECKPOINT
	timed 'psql \copy of the same rows from CSV' in_pg2 "$pg_bin/psql" -X -q -d lite -c "\\copy t FROM '$work/t.csv' (FORMAT csv)"
	in_pg2 tell lite 'DROP TABLE IF EXISTS settle_part'
	in_pg2 tell lite 'TRUNCATE t'
	in_pg2 tell lite CHECKPOINT
	plan "lite$round" "sqlite:$work/t.sqlite" "$(in_pg2 pg_url lite)"
	timed 'settle from SQLite' "$settle" tables migrate "$work/lite$round.db" --yes
done
ratio 'settle from SQLite' 'psql \copy of the same rows from CSV' most 1.4
if command -v pgloader >/dev/null 2>&1; then
	for round in $(seq "$rounds"); do
		in_pg2 tell lite 'DROP TABLE t'
		timed 'pgloader' in_pg2 pgloader "sqlite://$work/t.sqlite" "postgresql://settle@unix:$pg_dir2:5432/lite"
	done
	ratio 'pgloader' 'settle from SQLite' least 1.8
else
	echo 'pgloader is not here (Debian package pgloader): nothing to compare with'
fi
