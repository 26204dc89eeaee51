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

put() { # put ID TEXT
	rev=$(curl -s "$couchd_url/db/$1" | sed -n 's/.*"_rev":"\([^"]*\)".*/\1/p')
	curl -s -X PUT -H 'Content-Type: application/json' -d "{${rev:+\"_rev\":\"$rev\",}\"doc_type\":\"Note\",\"text\":\"$2\"}" "$couchd_url/db/$1" >/dev/null
}

curl -s -X PUT "$couchd_url/db" >/dev/null
put one first
exits 0 "first pass" migrate d
end_couchd
cp -r "$work/couch" "$work/backup"
start_couchd --port "$port" --data "$work/couch" || exit 99
exits 0 "a server that was restarted is the same source" migrate d
put one edited
put two new
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

sleep 1.1
curl -s -X DELETE "$couchd_url/db" >/dev/null
curl -s -X PUT "$couchd_url/db" >/dev/null
put one first
exits 5 "a database that was deleted and made anew is refused" migrate d
ok "made anew: says so" says err "not the database this migration began with"
finish
