#!/bin/sh
# A proxy that holds back what a feed brings as long as it stays open: heartbeats never come, silence proves nothing.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/couchd.sh"
follower=
trap 'test -z "$follower" || kill -KILL "$follower" 2>/dev/null; stop_couchd; rm -rf "$work"' EXIT
SETTLE_STATE_DIR=$work/state SETTLE_PROFILE=documents SETTLE_TARGET=sqlite:$work/t.db
export SETTLE_STATE_DIR SETTLE_PROFILE SETTLE_TARGET

start_couchd || exit 99
SETTLE_SOURCE=$couchd_url/notes
export SETTLE_SOURCE
curl -s -X PUT "$couchd_url/notes" >/dev/null

ids_are() {
	test "$(sqlite3 "$work/t.db" 'SELECT group_concat(doc_id) FROM (SELECT doc_id FROM documents ORDER BY 1)')" = "$1"
}

fault '{"path":"feed=(continuous|longpoll)","action":"stall","ms":3600000,"times":0}'
put_note notes one
exits 0 "first pass" migrate d --live
"$settle" migrate d --follow >"$work/follow.out" 2>"$work/follow.err" &
follower=$!
ok "follow: it says what is wrong" within 60 grep -q "a proxy holds them back" "$work/follow.err"
put_note notes two
ok "follow: a document arrives all the same" within 60 ids_are one,two
kill -TERM "$follower"
wait "$follower"
ok "follow: a clean break" test $? -eq 1
follower=

put_note notes three
timeout -k 5 120 "$settle" migrate d --finish --quiet-for 0.5 >"$work/out" 2>"$work/err"
ok "finish: the source is quiet" test $? -eq 0
ok "finish: everything is there" ids_are one,three,two
put_note notes four
exits 5 "commit: a change since then is refused" commit d
exits 0 "it is brought over" migrate d
exits 0 "commit" commit d
finish
