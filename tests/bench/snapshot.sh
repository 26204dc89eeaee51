#!/bin/sh
# Snapshots of PostgreSQL beside plain pg_dump -Fd -j2 and pg_restore -j2. Run by `make bench`; BENCH_SNAPSHOT_MB says how large the database is
# (1000), BENCH_SNAPSHOT_ROUNDS how often each is measured (2: the better one counts), SETTLE which program to measure.
# Both sides compress as pg_dump does by default, and both flush what they write. A restore keeps the old database, as it does unless it is told
# otherwise; that is dropped, and the server's buffers are written, while no time is taken.
set -u
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
# shellcheck source=tests/bench/lib.sh
. "$top_srcdir/tests/bench/lib.sh"
megabytes=${BENCH_SNAPSHOT_MB:-1000}

seconds() { # seconds COMMAND...: its wall time
	begin=$(now)
	"$@" >"$work/said" 2>&1 </dev/null || fail "failed: $*" "$work/said"
	since "$begin"
}

line() { # line NAME SECONDS FLOOR LIMIT
	awk -v name="$1" -v s="$2" -v floor="$3" -v limit="$4" 'BEGIN { printf "%-34s %8.2f s  %5.2f times plain (at most %s)\n", name, s, s / floor, limit }'
}

start_pg || exit 1
create_pg_database bench || fail createdb
# Documents as they are: words, numbers and ids; eight tables, so that two jobs have something to share. A row is about 1 KB.
rows=$((megabytes * 1000 / 8))
for n in 1 2 3 4 5 6 7 8; do
	psql -X -q -d bench -c "CREATE TABLE t$n AS SELECT g AS id, md5(g::text) AS key, jsonb_build_object('name', 'case ' || g % 1000,
		'text', (SELECT string_agg(md5((g * 31 + k)::text) || ' some words between', ' ') FROM generate_series(1, 16) k)) AS body
		FROM generate_series(1, $rows) g" -c "ALTER TABLE t$n ADD PRIMARY KEY (id)" -c "ANALYZE t$n" || fail "filling t$n"
done
psql -X -A -t -d bench -c "SELECT 'database: ' || pg_size_pretty(pg_database_size('bench'))"
SETTLE_STATE_DIR=$work/state SETTLE_TARGET=$(pg_url bench)
export SETTLE_STATE_DIR SETTLE_TARGET
"$settle" snapshot keygen "$work/key" >/dev/null || fail keygen

rounds=${BENCH_SNAPSHOT_ROUNDS:-2}
settled() { # COMMAND...: its wall time, with nothing left to write from before
	psql -X -q -d postgres -c CHECKPOINT && sync
	seconds "$@"
}

drop_old() {
	for name in $(psql -X -A -t -d postgres -c "SELECT datname FROM pg_database WHERE datname LIKE 'bench_before_%'"); do
		dropdb "$name"
	done
}

dump='' plain='' enc=''
for round in $(seq "$rounds"); do
	rm -rf "$work/dump" "$work/state/snapshots"
	dump=$(better "$dump" "$(settled pg_dump -Fd -j2 -f "$work/dump" -d bench)")
	plain=$(better "$plain" "$(settled "$settle" snapshot create --name plain)")
	enc=$(better "$enc" "$(settled "$settle" snapshot create --name enc --recipient "$work/key.pub")")
done
line "pg_dump -Fd -j2" "$dump" "$dump" -
line "snapshot create" "$plain" "$dump" 1.15
line "snapshot create --recipient" "$enc" "$dump" 1.3
restore='' plain='' enc=''
for round in $(seq "$rounds"); do
	createdb other || fail "createdb, round $round"
	restore=$(better "$restore" "$(settled pg_restore -j2 -d other "$work/dump")")
	dropdb other
	plain=$(better "$plain" "$(settled "$settle" snapshot restore plain -y)")
	drop_old
	enc=$(better "$enc" "$(settled "$settle" snapshot restore enc -y --key "$work/key")")
	drop_old
done
line "pg_restore -j2" "$restore" "$restore" -
line "snapshot restore" "$plain" "$restore" 1.15
line "snapshot restore, encrypted" "$enc" "$restore" 1.3
