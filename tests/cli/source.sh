#!/bin/sh
# A source that is not what it was: made anew, rolled back, swapped. Each is noticed and refused with an explanation.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; rm -rf "$work"' EXIT
SETTLE_STATE_DIR=$work/state SETTLE_PROFILE=documents SETTLE_TARGET=sqlite:$work/t.db
export SETTLE_STATE_DIR SETTLE_PROFILE SETTLE_TARGET

mkdir "$work/couch"
start_couchd --data "$work/couch" || exit 99
port=$couchd_port
SETTLE_SOURCE=$couchd_url/db
export SETTLE_SOURCE

again() { # again DIRECTORY: the server on the same port with this data
	end_couchd
	start_couchd --port "$port" --data "$1" || exit 99
}

curl -s -X PUT "$couchd_url/db" >/dev/null
put_note db one first
exits 0 "first pass" migrate d
end_couchd
cp -r "$work/couch" "$work/backup"
start_couchd --port "$port" --data "$work/couch" || exit 99
exits 0 "a server that was restarted is the same source" migrate d
ok "nothing was read, and at no rate" says out ", 0 documents a second"
SETTLE_SOURCE=http://joe@${couchd_url#http://}/db
exits 0 "another user reads the same source" migrate d
SETTLE_SOURCE=$couchd_url/db
put_note db one edited
put_note db two new
exits 0 "the edit is brought over" migrate d
curl -s -X DELETE "$couchd_url/db/two?rev=$(curl -s "$couchd_url/db/two" | sed -n 's/.*"_rev":"\([^"]*\)".*/\1/p')" >/dev/null
exits 0 "a deleted document is no sign of another source" migrate d

cp -r "$work/backup" "$work/restored"
again "$work/restored"
exits 5 "a source that was rolled back is refused" migrate d
ok "rolled back: says so" says err "the source"
ok "rolled back: names a document" says err "document"
ok "rolled back: says the way out" says err "settle reset"
exits 5 "rolled back: commit is refused too" commit d
again "$work/couch"
exits 0 "the right one again" migrate d

rev=$(curl -s "$couchd_url/db/one" | jq -r ._rev)
curl -s -X POST -H 'Content-Type: application/json' -d "{\"one\":[\"$rev\"]}" "$couchd_url/db/_purge" >/dev/null
put_note db three new
exits 0 "a purged document is no sign of another source" migrate d
ok "purged: told" says err "the source has purged documents"
exits 0 "purged: nor at the next run" migrate d
ok "purged: told once" not says err "purged"

sleep 1.1
curl -s -X DELETE "$couchd_url/db" >/dev/null
curl -s -X PUT "$couchd_url/db" >/dev/null
put_note db one first
exits 5 "a database that was deleted and made anew is refused" migrate d
ok "made anew: says so" says err "not the database this migration began with"

# the feed of a database that goes ends politely, and a sequence of its former life is taken by the one made anew
sleep 1.1
curl -s -X DELETE "$couchd_url/db" >/dev/null
curl -s -X PUT "$couchd_url/db" >/dev/null
put_note db one first
run reset d --yes
timeout -k 5 300 "$settle" migrate d --follow >"$work/follow.out" 2>"$work/follow.err" &
follower=$!
trap 'kill -KILL "$follower" 2>/dev/null; stop_couchd; rm -rf "$work"' EXIT
within 60 grep -q "following the source" "$work/follow.err"
put_note db two second
both_are_there() {
	test "$(query 'SELECT count(*) FROM documents')" = 2
}
within 60 both_are_there
sleep 1.1
# Whoever asks while it is made hears that the server is busy: what is refused is the new one, not that there is none for a moment.
fault '{"method":"GET","action":"status","status":503,"times":0}'
curl -s -X DELETE "$couchd_url/db" >/dev/null
curl -s -X PUT "$couchd_url/db" >/dev/null
put_note db stranger first
no_faults
status=0
wait "$follower" || status=$?
ok "made anew while it is followed: refused" test "$status" -eq 5
ok "made anew while it is followed: says so" grep -q "not the database this migration began with" "$work/follow.err"
ok "made anew while it is followed: nothing of it is taken" test -z \
	"$(sqlite3 "$work/t.db" "SELECT doc_id FROM documents WHERE doc_id = 'stranger'")"
finish
