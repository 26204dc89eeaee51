#!/bin/sh
# Losing revisions: a server is asked for their bodies, and they stand in settle_conflict as they were read. On SQLite and PostgreSQL.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; stop_pg; rm -rf "$work"' EXIT

bulk() { # bulk DB: documents from stdin, revisions and all
	curl -sf -X POST -H 'Content-Type: application/json' --data-binary @- "$couchd_url/$1/_bulk_docs" >/dev/null
}
conflicts() {
	query 'SELECT doc_id, rev, body FROM settle_conflict ORDER BY doc_id, rev'
}

start_pg || exit 99
start_couchd || exit 99

# fill DB: a form, a case and a plain document that lost something, and one of another domain
fill() {
	curl -sf -X PUT "$couchd_url/$1" >/dev/null
	bulk "$1" <<'END'
{"new_edits":false,"docs":[
{"_id":"form","_rev":"1-aa","doc_type":"XFormInstance","domain":"d","received_on":"2026-01-01T00:00:00.000000Z","form":{"meta":{"userID":"u"},"n":1}},
{"_id":"form","_rev":"1-bb","doc_type":"XFormInstance","domain":"d","received_on":"2026-01-01T00:00:00.000000Z","form":{"meta":{"userID":"u"},"n":2}},
{"_id":"plain","_rev":"1-aa","doc_type":"Application","domain":"d","n":1.10,"s":"\u0000\ud800"},
{"_id":"plain","_rev":"1-bb","doc_type":"Application","domain":"d","n":2},
{"_id":"plain","_rev":"1-cc","doc_type":"Application","domain":"d","n":3},
{"_id":"elsewhere","_rev":"1-aa","doc_type":"Application","domain":"e"},
{"_id":"elsewhere","_rev":"1-bb","doc_type":"Application","domain":"e"}
]}
END
}

# lose WAY TARGET
lose() {
	way=$1
	fill "$way"
	export SETTLE_SOURCE="$couchd_url/$way" SETTLE_TARGET="$2" SETTLE_STATE_DIR="$work/state-$way"
	exits 0 "$way: nothing is left in the source, so that is clean" migrate d --format json
	ok "$way: they are counted" test "$(member conflicts) $(member conflicts_left)" = "3 0"
	conflicts >"$work/$way.rows"
	ok "$way: byte for byte" grep -qF 'plain|1-aa|{"_id":"plain","_rev":"1-aa","doc_type":"Application","domain":"d","n":1.10,"s":"\u0000\ud800"}' \
		"$work/$way.rows"
	ok "$way: each of this domain" same "$(cut -d'|' -f1,2 "$work/$way.rows" | tr '\n' ' ')" "form|1-aa plain|1-aa plain|1-bb "
	exits 0 "$way: stats tell so" stats d
	ok "$way: in words" says out "conflicts  3 (losing revisions; they are kept too)"
	exits 0 "$way: compared again" diff forms d
	exits 0 "$way: and still" stats d --format json
	ok "$way: clean" test "$(member conflicts) $(member conflicts_left) $(member clean)" = "3 0 true"

	bulk "$way" <<'END'
{"new_edits":false,"docs":[{"_id":"plain","_rev":"2-dd","_deleted":true,"_revisions":{"start":2,"ids":["dd","aa"]}},
{"_id":"form","_rev":"2-dd","_deleted":true,"_revisions":{"start":2,"ids":["dd","aa"]}}]}
END
	exits 0 "$way: a conflict that was settled in the source" migrate d --format json
	ok "$way: is none any more" test "$(member conflicts) $(member conflicts_left)" = "1 0"
	ok "$way: in the table too" same "$(conflicts | cut -d'|' -f1,2 | tr '\n' ' ')" "plain|1-bb "
}
create_pg_database losing || exit 99
lose sqlite "sqlite:$work/losing.db"
lose pg "$(pg_url losing)"
ok "both targets hold the same" cmp "$work/sqlite.rows" "$work/pg.rows"

# What cannot be had stays in the source and is said to.
fill large
export SETTLE_SOURCE="$couchd_url/large" SETTLE_TARGET="sqlite:$work/large.db" SETTLE_STATE_DIR="$work/state-large"
printf '{"new_edits":false,"docs":[{"_id":"big","_rev":"1-aa","doc_type":"Application","domain":"d","s":"%s"},{"_id":"big","_rev":"1-bb","doc_type":"Application","domain":"d"}]}' \
	"$(head -c 3000 /dev/zero | tr '\0' x)" | bulk large
exits 1 "a losing revision that is too large" migrate d --max-doc 2048 --format json
ok "is named" says err "losing revision 1-aa is not brought over"
ok "and stays in the source" test "$(member conflicts) $(member conflicts_left)" = "4 1"
exits 0 "stats" stats d
ok "tell both numbers" says out "conflicts  4 (losing revisions; 1 of them not brought over)"
exits 5 "it is not committed" commit d
ok "and why not" says err "1 losing revisions and 0 attachments not brought over"

exits 0 "unless that is said" migrate d --without conflicts --format json
ok "they are still counted" test "$(member conflicts) $(member conflicts_left)" = "4 0"
exits 0 "stats know it" stats d
ok "in words" says out "(losing revisions; they stay in the source, as was said)"
exits 1 "taken back" migrate d --without none
exits 0 "said again" migrate d --without conflicts,attachments
exits 0 "and committed" commit d --yes
exits 0 "the trail knows it" audit log d
ok "as a setting" sh -c "git -C $SETTLE_STATE_DIR/audit.git show d:stats.json | grep -q '\"without\"'"
exits 2 "what is no such thing" migrate d --without deleted
ok "is named" says err '--without wants attachments, conflicts, both or none, not "deleted"'
exits 2 "and so is nothing" migrate d --without ,
ok "said" says err "--without names nothing"

# Attachments are never brought over; a feed that has some is clean when that is said, in its first run too.
export SETTLE_SOURCE="file:$top_srcdir/fixtures/odd/attachments.ndjson" SETTLE_TARGET="sqlite:$work/attached.db" SETTLE_STATE_DIR="$work/state-attached"
exits 0 "attachments stay in the source, on purpose" migrate odd --without attachments --format json
ok "and are counted" test "$(member attachments) $(member attachments_left)" = "7 0"
exits 0 "a later run knows it still" migrate odd --format json
ok "told by stats" test "$(member attachments) $(member attachments_left)" = "7 0"
unset SETTLE_SOURCE

# A server that stumbles is asked again; one that has lost a body by then is not.
fill faults
export SETTLE_SOURCE="$couchd_url/faults" SETTLE_TARGET="sqlite:$work/faults.db" SETTLE_STATE_DIR="$work/state-faults"
fault '{"prefix":"/faults/form?rev=","action":"drop"}'
fault '{"prefix":"/faults/plain?rev=1-aa","action":"status","status":404,"times":0}'
fault '{"prefix":"/faults/plain?rev=1-bb","action":"overwrite","at":60,"bytes":"\u0000","times":0}'
exits 1 "a cut connection, a body that is gone and one that is damaged" migrate d --format json
ok "the damaged one is named" says err "losing revision 1-bb is not brought over: document plain: its text is none that SQL can hold"
ok "one is asked again" says err "trying again"
ok "two stay in the source" test "$(member conflicts) $(member conflicts_left)" = "3 2"
ok "without a body" same "$(conflicts | cut -d'|' -f1,2,3 | grep -c '|$')" 2
no_faults
exits 0 "brought over by name" migrate d --forms plain,form --format json
ok "nothing is left" test "$(member conflicts) $(member conflicts_left)" = "3 0"
finish
