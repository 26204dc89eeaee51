#!/bin/sh
# What a live migration costs its users: the time from the source's answer to a row in PostgreSQL, and the downtime of finish and commit. Run by
# `make bench`; BENCH_DOCS says how many documents lie in the database (200000).
set -u
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
# shellcheck source=tests/bench/lib.sh
. "$top_srcdir/tests/bench/lib.sh"
docs=${BENCH_DOCS:-200000}
follower=
trap 'test -z "$follower" || kill -KILL "$follower" 2>/dev/null; stop_couchd; stop_pg; rm -rf "$work"' EXIT

start_pg || exit 1
create_pg_database lag || exit 1
create_pg_database down || exit 1
mkdir "$work/couch"
corpus "$work/feed.json" --docs "$docs" --seed 1
start_couchd --data "$work/couch" --load "$work/feed.json" --load-db bench || exit 1
curl -s -X PUT "$couchd_url/lag" >/dev/null
curl -s -X PUT -H 'Content-Type: application/json' -d '{"doc_type":"First"}' "$couchd_url/lag/first" >/dev/null

follow="migrate lag --profile documents -s $couchd_url/lag -t $(pg_url lag) --state-dir $work/lag"
# shellcheck disable=SC2086
"$settle" $follow --live >/dev/null 2>&1
# shellcheck disable=SC2086
"$settle" $follow --follow >/dev/null 2>"$work/follow.err" &
follower=$!
sleep 1
"$tools/lag" "$couchd_url/lag" "host=$PGHOST user=$PGUSER dbname=lag" 200 15 || cat "$work/follow.err"
kill -TERM $follower
wait $follower
follower=

bench="bench -s $couchd_url/bench -t $(pg_url down) --state-dir $work/down"
# shellcheck disable=SC2086
"$settle" migrate $bench --live >/dev/null 2>"$work/live.err" || cat "$work/live.err"
begin=$(now)
# shellcheck disable=SC2086
"$settle" migrate $bench --finish --quiet-for 2 >"$work/finish.out" 2>&1 || cat "$work/finish.out"
# shellcheck disable=SC2086
"$settle" commit $bench >"$work/commit.out" 2>&1 || cat "$work/commit.out"
awk -v took="$(since "$begin")" -v n="$docs" \
	'BEGIN { printf "downtime: finish and commit over %d documents take %.2f s, 2 s of quiet not counted\n", n, took - 2 }'
