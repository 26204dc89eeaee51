#!/bin/sh
# Standard output that fails, colour, signals.
. "$top_srcdir/tests/cli/lib.sh"

status=0
"$settle" help >/dev/full 2>"$work/err" || status=$?
ok "a full disk under stdout is an internal error" test "$status" -eq 6
ok "and is said" says err 'cannot write to standard output: No space left on device'
status=0
"$settle" help >&- 2>"$work/err" || status=$?
ok "so is a closed stdout" test "$status" -eq 6

# What would be told on a closed stream is not written into the file that is opened next.
echo '{"results":[{"seq":1,"id":"a","changes":[{"rev":"1-a"}],"doc":{"_id":"a","_rev":"1-a","doc_type":"D"}}],"last_seq":1}' >"$work/feed.json"
"$settle" migrate d --profile documents -s "file:$work/feed.json" -t "sqlite:$work/t.db" --state-dir "$work/state" >"$work/out" 2>&-
ok "a closed stderr is not the log file" test "$(grep -c 'read 1 documents' "$work/state/log/d.log")" -eq 1
status=0
"$settle" migrate d --profile documents -s file:- -t "sqlite:$work/u.db" --state-dir "$work/stdin" <&- >"$work/out" 2>"$work/err" || status=$?
ok "a closed stdin is a source that cannot be read" test "$status" -eq 3
ok "and is said" says err 'file:-: cannot read the feed: Bad file descriptor'

# The reader goes before a byte is written.
mkfifo "$work/pipe"
(exec 3<"$work/pipe"; sleep 0.1) &
status=0
(sleep 0.5; exec "$settle" help --all) >"$work/pipe" 2>"$work/err" || status=$?
wait
ok "a reader that went away ends it quietly" test "$status" -eq 0
ok "without a word" silent err

printf '{"_id":"a","doc_type":"D","x":1}' >"$work/a.json"
printf '{"_id":"a","doc_type":"D","x":2}' >"$work/b.json"
colored() {
	grep -q "$(printf '\033')" "$work/out"
}
run diff files "$work/a.json" "$work/b.json" --profile documents
ok "no colour in a file" not colored
run diff files "$work/a.json" "$work/b.json" --profile documents --color always
ok "--color always" colored
NO_COLOR=1
export NO_COLOR
run diff files "$work/a.json" "$work/b.json" --profile documents --color always
ok "stands over NO_COLOR" colored
unset NO_COLOR

# A pipe that is never written holds settle up.
mkfifo "$work/never"
rm -f "$work/err"
"$settle" profile check "$work/never" >"$work/out" 2>"$work/err" &
pid=$!
# It has blocked its signals, so that none can come too early.
blocks_signals() {
	grep -q '^Name:.*settle' "/proc/$pid/status" && ! grep -q '^SigBlk:.0*$' "/proc/$pid/status"
}
within 30 blocks_signals
kill -INT "$pid"
within 30 says err 'a second signal'
ok "the first signal asks for a clean break" says err 'a second signal ends settle at once'
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
ok "the second ends it with 128 + its number" test "$status" -eq 143
finish
