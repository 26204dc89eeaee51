#!/bin/sh
# Torture: a live run with a writer in the source, while settle, PostgreSQL and the source are killed and connections cut at random moments.
# At the end rows, differences, changes, missing and documents per kind equal those of an undisturbed run. SETTLE_KILLS says how often
# (8; make check-long: 200), SETTLE_SEED repeats a run.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
domain=torn
kills=${SETTLE_KILLS:-8}
seed=${SETTLE_SEED:-$(($(date +%s) % 1000000))}
echo "# seed $seed, $kills blows"
settle_pid=
writer_pid=
reader_pid=
cleanup() {
	for pid in $settle_pid $writer_pid $reader_pid; do
		kill -KILL "$pid" 2>/dev/null
	done
	stop_couchd
	stop_pg
	rm -rf "$work"
}
trap cleanup EXIT

node "$top_srcdir/tests/gen/domain.js" --seed "$seed" --forms 200 --cases 50 --domain $domain --out "$work/gen" >"$work/gen.log" 2>&1 || {
	sed 's/^/# /' "$work/gen.log"
	exit 99
}
start_pg || exit 99
create_pg_database calm || exit 99
create_pg_database torn || exit 99
mkdir "$work/couch"
start_couchd --data "$work/couch" --load "$work/gen/demo.json.gz" --load-db db || exit 99
port=$couchd_port

pass() { # pass NAME OPTIONS...: one run that ends by itself
	name=$1
	shift
	run migrate $domain -s "http://127.0.0.1:$port/db" -t "$(pg_url "$name")" --state-dir "$work/state-$name" "$@"
}

for db in calm torn; do
	pass $db --live
	ok "$db: first pass" test "$status" -eq 1
done

follow() {
	"$settle" migrate $domain --follow -s "http://127.0.0.1:$port/db" -t "$(pg_url torn)" --state-dir "$work/state-torn" \
		>>"$work/follow.out" 2>>"$work/follow.err" &
	settle_pid=$!
}

# Started again when it has ended: not the target's errors, which it waits out, but the source's may end it.
keep_following() {
	if ! kill -0 "$settle_pid" 2>/dev/null; then
		wait "$settle_pid"
		echo "ended with $?" >>"$work/follow.err"
		follow
	fi
}

blow() { # blow WHICH
	case $1 in
	0 | 1)
		kill -KILL "$settle_pid" 2>/dev/null
		wait "$settle_pid" 2>/dev/null
		follow
		;;
	2)
		stop_pg_server immediate
		restart_pg || exit 99
		;;
	3)
		kill_couchd
		start_couchd --port "$port" --data "$work/couch" || exit 99
		;;
	4)
		fault '{"path":"_changes","times":1,"action":"cut","at":2000}'
		;;
	esac
}

# Readers all the time: they may fail while the server is away, and must disturb nothing.
read_on() {
	while :; do
		"$settle" stats $domain -t "$(pg_url torn)" --state-dir "$work/state-torn"
		"$settle" diff show $domain -t "$(pg_url torn)" --state-dir "$work/state-torn" --format json
		sleep 0.2
	done >"$work/reader.out" 2>&1
}

seconds=$((kills * 6 / 10 + 3))
follow
read_on &
reader_pid=$!
node "$top_srcdir/tests/torture/writer.js" "http://127.0.0.1:$port/db" $domain "$seed" $seconds 40 >"$work/writer.out" 2>&1 &
writer_pid=$!
for plan in $(awk -v seed="$seed" -v n="$kills" 'BEGIN { srand(seed); for (i = 0; i < n; i++) printf "%d:%.2f\n", rand() * 5, 0.05 + rand() }'); do
	sleep "${plan#*:}"
	keep_following
	blow "${plan%%:*}"
done
wait $writer_pid
ok "the writer wrote all the time ($(cat "$work/writer.out") edits)" test "$(cat "$work/writer.out")" -ge 40
writer_pid=
kill -KILL $reader_pid 2>/dev/null
wait $reader_pid 2>/dev/null
reader_pid=
kill -TERM "$settle_pid" 2>/dev/null
wait "$settle_pid" 2>/dev/null
settle_pid=

for db in calm torn; do
	pass $db --live
	ok "$db: catches up (seed $seed)" test "$status" -eq 1
	outcome $db "$(pg_url $db)"
	sed -i 's/"ignored".*//' "$work/$db.kinds"
	contents_of $db >"$work/$db.rows"
done
as_calm() {
	cmp "$work/calm.$1" "$work/torn.$1" || { diff "$work/calm.$1" "$work/torn.$1" | cut -c1-600 | head -n 20; return 1; }
}
ok "the same rows as an undisturbed run (seed $seed)" as_calm rows
ok "the same differences (seed $seed)" as_calm diffs
ok "the same changes (seed $seed)" as_calm changes
ok "the same documents per kind, diffs, missing and changes (seed $seed)" as_calm kinds
rm -f "$work/out" "$work/err"
finish
