#!/bin/sh
# Promise 1: SIGKILL at any moment, the same command again, and the end is that of an undisturbed run. The source is the stand-in, so that
# the checkpoint matters. The seed of the moments is printed; SETTLE_SEED repeats one.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; stop_pg; rm -rf "$work"' EXIT

domain=demo-clinic
kills=${SETTLE_KILLS:-12}
seed=${SETTLE_SEED:-$(date +%s)}
echo "# seed $seed"
# moments N: N pauses in milliseconds, short ones more often
moments=$(awk -v seed="$seed" -v n="$kills" 'BEGIN { srand(seed); for (i = 0; i < n; i++) print int(10 + 700 * rand() * rand()) }')

start_pg || exit 99
create_pg_database calm || exit 99
create_pg_database torn || exit 99
start_couchd --load "$top_srcdir/fixtures/demo/demo.json.gz" --load-db demo || exit 99
source=http://127.0.0.1:$couchd_port/demo

# killed_after MS TARGET STATE: 1 when it came to its end before
killed_after() {
	"$settle" migrate $domain -s "$source" -t "$2" --state-dir "$3" --batch-bytes 60000 >"$work/out" 2>"$work/err" &
	pid=$!
	sleep "$(awk -v ms="$1" 'BEGIN { print ms / 1000 }')"
	if kill -KILL $pid 2>/dev/null; then
		wait $pid 2>/dev/null
		return 0
	fi
	wait $pid 2>/dev/null
	return 1
}

# torture NAME TARGET
torture() {
	way=$1
	hits=0
	for ms in $moments; do
		killed_after "$ms" "$2" "$work/state-$way" && hits=$((hits + 1))
	done
	ok "$way: it was killed on the way (seed $seed, $hits times)" test $hits -gt 0
	run migrate $domain -s "$source" -t "$2" --state-dir "$work/state-$way"
	ok "$way: the same command again comes to the end (seed $seed)" test "$status" -eq 1
	outcome "$way" "$2"
	ok "$way: the same differences as an undisturbed run (seed $seed)" cmp "$work/calm.diffs" "$work/$way.diffs"
	ok "$way: the same documents per kind, diffs, missing and tally (seed $seed)" cmp "$work/calm.kinds" "$work/$way.kinds"
}

run migrate $domain -s "$source" -t "$(pg_url calm)" --state-dir "$work/state-calm"
ok "undisturbed run ends" test "$status" -eq 1
outcome calm "$(pg_url calm)"
ok "undisturbed run finds differences" test -s "$work/calm.diffs"

torture torn "$(pg_url torn)"
contents_of calm >"$work/contents.calm"
contents_of torn >"$work/contents.torn"
ok "torn: the same rows as an undisturbed run (seed $seed)" cmp "$work/contents.calm" "$work/contents.torn"

torture sqlite "sqlite:$work/torn.db"

# ---- the server notices late that its client is gone ----

create_pg_database late || exit 99
fault '{"path":"include_docs","action":"stall","ms":3600000}'
"$settle" migrate $domain -s "$source" -t "$(pg_url late)" --state-dir "$work/state-late" >"$work/out" 2>"$work/err" &
pid=$!
is_waiting() {
	test "$(standin '.rules[0].fired')" = 1
}
within 60 is_waiting
backend=$(sql postgres "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' AND datname = 'late'")
kill -STOP "$backend"
kill -KILL $pid
wait $pid 2>/dev/null
(sleep 2 && kill -CONT "$backend") &
waker=$!
run migrate $domain -s "$source" -t "$(pg_url late)" --state-dir "$work/state-late"
wait $waker
ok "late: the lock of a run that was killed is waited for" test "$status" -eq 1
outcome late "$(pg_url late)"
ok "late: the same differences as an undisturbed run" cmp "$work/calm.diffs" "$work/late.diffs"
finish
