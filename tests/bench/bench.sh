#!/bin/sh
# What settle costs beside the floor it stands on: reading, parsing, bare SQLite, bare PostgreSQL. Run by `make bench`; BENCH_DOCS says how
# many documents (200000), BENCH_DIR where the files go (a directory under TMPDIR, removed at the end), SETTLE which program to measure.
set -u
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
# shellcheck source=tests/bench/lib.sh
. "$top_srcdir/tests/bench/lib.sh"
docs=${BENCH_DOCS:-200000}
if test -n "${BENCH_DIR:-}"; then
	rm -rf "$work"
	work=$BENCH_DIR
	mkdir -p "$work" || exit 1
	trap stop_pg EXIT
fi
feed=$work/feed.json
ticks=$(getconf CLK_TCK)

run() { # run NAME COMMAND...: wall, CPU and RSS into $work/NAME, output into $work/NAME.out
	name=$1
	shift
	"$tools/measure" "$work/$name" "$@" >"$work/$name.out" 2>&1 || fail "$name failed: $*" "$work/$name.out"
}

show() { # show NAME TEXT [FURTHER]
	printf '%-46s %9.2f %9.2f %9.1f  %s\n' "$2" "$(field "$1" 1)" "$(field "$1" 2)" "$(field "$1" 3)" "${3:-}"
}

ratio() { # ratio TEXT A B
	awk -v text="$1" -v a="$2" -v b="$3" 'BEGIN { printf "%-46s %9.2f\n", text, (b > 0 ? a / b : 0) }'
}

server_cpu() { # seconds of CPU of the PostgreSQL server and its ended backends
	pid=$(head -n 1 "$pg_dir/data/postmaster.pid")
	# A backend's time counts when it has ended, shortly after its client.
	while pgrep -P "$pid" -f '\[local\]' >/dev/null; do
		sleep 0.1
	done
	sed 's/.*) //' "/proc/$pid/stat" | awk -v ticks="$ticks" '{ printf "%.2f", ($12 + $13 + $14 + $15) / ticks }'
}

server_spent() { # server_spent NAME BEFORE: into $work/NAME.server, and as text
	awk -v a="$2" -v b="$(server_cpu)" 'BEGIN { printf "%.2f\n", b - a }' >"$work/$1.server"
	echo "server CPU $(cat "$work/$1.server")"
}

with_server() { # with_server NAME: CPU of client and server
	awk -v a="$(field "$1" 2)" -v b="$(cat "$work/$1.server")" 'BEGIN { print a + b }'
}

migrate() { # migrate NAME TARGET
	run "$1" "$settle" migrate bench --source "file:$feed" --target "$2" --state-dir "$work/state-$1" --profile commcare --no-progress
}

# The tables of (e) in a database of their own, with primary keys and nothing else.
pg_bare_tables() {
	"$pg_bin/pg_dump" --schema-only --section=pre-data settled >"$work/tables.sql" || return 1
	"$pg_bin/psql" -X -q -A -t -d settled >"$work/keys.sql" <<-'SQL'
	SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s;', conrelid::regclass, conname, pg_get_constraintdef(oid))
	FROM pg_constraint WHERE contype = 'p' AND connamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace);
	SQL
	create_pg_database bare || return 1
	for part in tables keys; do # each in a session of its own: the dump empties the search path
		"$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -d bare -f "$work/$part.sql" >"$work/bare.out" 2>&1 || return 1
	done
}

# One \copy a table, out of (e) into files, and the script that brings them in.
pg_dump_rows() {
	mkdir -p "$work/rows" && : >"$work/in.sql" && : >"$work/out.sql"
	"$pg_bin/psql" -X -q -A -t -d settled -c "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
		WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1" >"$work/tables" || return 1
	n=0
	while read -r table; do
		n=$((n + 1))
		printf "\\\\copy %s to '%s'\n" "$table" "$work/rows/$n" >>"$work/out.sql"
		printf "\\\\copy %s from '%s'\n" "$table" "$work/rows/$n" >>"$work/in.sql"
	done <"$work/tables"
	"$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -d settled -f "$work/out.sql" >"$work/dump.out" 2>&1
}

echo "settle bench: $docs documents, $(uname -m), $(nproc) CPUs"
corpus "$feed" --docs "$docs"
echo "feed: $(wc -c <"$feed") bytes, four forms to a case"
echo
printf '%-46s %9s %9s %9s\n' '' 'wall s' 'CPU s' 'RSS MiB'

cat "$feed" >/dev/null # so that everybody finds it in the page cache
run reading dd if="$feed" of=/dev/null bs=1M
show reading '(a) reading the file'
run yajl "$tools/yajl_parse" "$feed"
show yajl '(b) yajl alone'

migrate sqlite "sqlite:$work/settled.sqlite"
show sqlite '(c) settle into SQLite' "$(du -k "$work/settled.sqlite" | cut -f1) KiB"
run bare_all "$tools/bare_sqlite" "$work/settled.sqlite" "$work/bare.sqlite"
read -r wall cpu rows <"$work/bare_all.out"
echo "$wall $cpu $(field bare_all 3)" >"$work/bare"
show bare '(d) bare prepared inserts of the same rows' "$rows rows; inserts only, without the reading of the rows"

# shellcheck disable=SC2119 # no option of postgres is wanted
start_pg -c full_page_writes=off >"$work/pg.out" || fail 'cannot start PostgreSQL' "$work/pg.out"
create_pg_database settled || fail 'cannot make a database'
before=$(server_cpu)
migrate pg "$(pg_url settled)"
show pg '(e) settle into PostgreSQL' "$(server_spent pg "$before")"
pg_bare_tables || fail 'cannot make the bare tables' "$work/bare.out"
pg_dump_rows || fail 'cannot dump the rows' "$work/dump.out"
before=$(server_cpu)
run copy "$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -d bare -f "$work/in.sql"
show copy '(f) psql \copy of the same rows' "$(server_spent copy "$before")"

echo
ratio 'c/d wall' "$(field sqlite 1)" "$(field bare 1)"
ratio 'c/d CPU' "$(field sqlite 2)" "$(field bare 2)"
ratio 'e/f wall' "$(field pg 1)" "$(field copy 1)"
ratio 'e/f CPU, client and server' "$(with_server pg)" "$(with_server copy)"
awk -v n="$docs" -v c="$(field sqlite 1)" -v e="$(field pg 1)" 'BEGIN { printf "%-46s %9.0f %9.0f\n", "documents a second into SQLite, PostgreSQL", n / c, n / e }'
cat <<'NOTES'

(c) and (e) read the feed, check every copy, fold and compare the cases, and keep the state file (WAL, synchronous=FULL: its commits are on
the disk before the target's). (c) and (d) have the same settings: WAL, synchronous=NORMAL, 16 MiB of cache, a checkpoint every 64 MiB of
WAL; (d) makes the same tables with their primary keys in transactions of 1000 rows, in the order settle stored them, (c) in transactions of
eight batches of about 840 documents, and makes the further indexes at the end. (e) and (f) use the same server with synchronous_commit as
it comes (on), fsync=off and full_page_writes=off; (f) fills tables with the primary keys in place and no further index. CPU is the client's;
the server's stands beside it. Wall time means something on a machine that does nothing else.
NOTES
