#!/bin/sh
# Comparing again with a server as the source and PostgreSQL as the target: by feed, by id, and when the source has moved on.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; stop_pg; rm -rf "$work"' EXIT

recorded() {
	run diff show demo-clinic --format json
	cp "$work/out" "$work/$1.diffs"
	run diff show demo-clinic --format json --changes
	cp "$work/out" "$work/$1.changes"
	run stats demo-clinic --format json
	sed 's/.*"kinds"/"kinds"/' "$work/out" >"$work/$1.stats"
}
as_recorded() {
	cmp "$work/$1.diffs" "$work/$2.diffs" && cmp "$work/$1.changes" "$work/$2.changes" && cmp "$work/$1.stats" "$work/$2.stats"
}

start_pg || exit 99
create_pg_database again || exit 99
start_couchd --load "$top_srcdir/fixtures/demo/demo.json.gz" --load-db demo || exit 99
export SETTLE_SOURCE="$couchd_url/demo" SETTLE_TARGET="$(pg_url again)" SETTLE_STATE_DIR="$work/state"
run migrate demo-clinic
recorded first
exits 1 "all cases" diff cases demo-clinic --format json
exits 1 "all forms, from the feed" diff forms demo-clinic --format json
ok "as many as from a file" same "$(cat "$work/out")" '{"compared":2464,"diffs":4,"changes":0,"missing":0,"left":0}'
recorded again
ok "find what the migration found" as_recorded first again
unchanged=$(psql -X -A -t -d "$SETTLE_TARGET" -c "SELECT doc_id FROM documents WHERE doc_type = 'Group' ORDER BY doc_id LIMIT 1")
form=$(sed -n 's/.*"kind":"XFormInstance","id":"\([^"]*\)".*/\1/p' "$work/first.diffs" | head -1)
exits 1 "one form, by its id" diff forms demo-clinic --select "$form" --format json
ok "is one" same "$(cat "$work/out")" '{"compared":1,"diffs":1,"changes":0,"missing":0,"left":0}'
exits 1 "an id that nobody knows" diff forms demo-clinic --select "$form,nobody" --format json
ok "is not left" same "$(cat "$work/out")" '{"compared":1,"diffs":1,"changes":0,"missing":0,"left":0}'
ok "but named" says err 'no document nobody in demo-clinic'
curl -sf -X PUT -H 'Content-Type: application/json' -d '{"domain":"demo-clinic","doc_type":"XFormInstance","form":{}}' "$couchd_url/demo/fresh" >/dev/null
exits 1 "a document that SQL does not have yet" diff forms demo-clinic --select fresh --format json
ok "is left" same "$(cat "$work/out")" '{"compared":0,"diffs":0,"changes":0,"missing":0,"left":1}'
ok "without a word" silent err
curl -sf -X DELETE "$couchd_url/demo/$unchanged?rev=$(curl -sf "$couchd_url/demo/$unchanged" | sed 's/.*"_rev":"\([^"]*\)".*/\1/')" >/dev/null
exits 1 "a document that the source does not have any more" diff forms demo-clinic --select "$unchanged" --format json
ok "is left" same "$(cat "$work/out")" '{"compared":0,"diffs":0,"changes":0,"missing":0,"left":1}'
other=$(psql -X -A -t -d "$SETTLE_TARGET" -c "SELECT form_id FROM forms WHERE user_id <> '' AND doc_type = 'XFormInstance' ORDER BY form_id LIMIT 1")
exits 0 "what rules drop" diff show demo-clinic --ignored --select "$other" --format json
ok "in a form" grep -q "\"id\":\"$other\".*\"rule\":\"XFormInstance\\*: user_id, absent -> any\"" "$work/out"

# The source moves on: what SQL holds is not compared with another revision.
curl -sf "$couchd_url/demo/$form" | sed 's/}$/,"later":1}/' >"$work/form.json"
curl -sf -X PUT -H 'Content-Type: application/json' --data-binary @"$work/form.json" "$couchd_url/demo/$form" >/dev/null
exits 1 "a form with another revision by now" diff forms demo-clinic --select "$form" --format json
ok "is left to migrate" same "$(cat "$work/out")" '{"compared":0,"diffs":0,"changes":0,"missing":0,"left":1}'
recorded moved
ok "and what was recorded stays" as_recorded first moved
finish
