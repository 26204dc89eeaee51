#!/bin/sh
# --shutter at the edges: what was written before the source was closed, writers that it does not stop, and users who may not close it.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/couchd.sh"
writer=
trap 'test -z "$writer" || kill -KILL "$writer" 2>/dev/null; stop_couchd; rm -rf "$work"' EXIT
SETTLE_STATE_DIR=$work/state SETTLE_PROFILE=documents SETTLE_TARGET=sqlite:$work/t.db
export SETTLE_STATE_DIR SETTLE_PROFILE SETTLE_TARGET

start_couchd || exit 99
SETTLE_SOURCE=$couchd_url/notes
export SETTLE_SOURCE
curl -s -X PUT "$couchd_url/notes" >/dev/null

at_the_source() { # at_the_source PATH MEMBER
	curl -s "$couchd_url/notes/$1" | jq -r ".$2"
}
is_closed() {
	test "$(at_the_source _design/settle-d language)" = javascript
}

put_note notes one
exits 0 "first pass" migrate d --live

# The stand-in does not run the function: what is written while its answer is held back stands for what was on its way.
fault '{"method":"PUT","prefix":"/notes/_design","action":"stall","ms":1500}'
(
	while ! is_closed; do
		sleep 0.05
	done
	put_note notes late1
	sleep 0.3
	put_note notes late2
) &
writer=$!
exits 0 "what was written before the source was closed is brought over" migrate d --finish --shutter --quiet-for 3
wait "$writer"
writer=
ok "... all of it" test "$(sqlite3 "$work/t.db" "SELECT group_concat(doc_id) FROM (SELECT doc_id FROM documents ORDER BY 1)")" = late1,late2,one
ok "... and the live phase has ended" test "$(status_of d)" = in-progress
ok "... the source is closed" is_closed
exits 0 "unfinish" unfinish d
ok "unfinish: open again" not is_closed

write_on notes
exits 1 "writers that --shutter does not stop: no go" migrate d --finish --shutter --quiet-for 2
write_no_more
ok "... says what to do" says out "No go: stop the writers"
ok "... the migration stays live" test "$(status_of d)" = live
ok "... and the source is open" not is_closed
ok "... which is published" test "$(at_the_source _local/settle-d status)" = live

fault '{"method":"PUT","prefix":"/notes/_design","action":"status","status":403}'
exits 3 "a user who may not write design documents" migrate d --finish --shutter --quiet-for 0.2
ok "... is told what it takes" says err "a design document needs an admin of the database"
exits 0 "one who may" migrate d --finish --shutter --quiet-for 0.2
exits 0 "commit" commit d
ok "commit is published" test "$(at_the_source _local/settle-d status)" = complete
finish
