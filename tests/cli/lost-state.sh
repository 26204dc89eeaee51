#!/bin/sh
# The state directory is lost: it is rebuilt from target and source, all of it, whatever stops the rebuild.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; rm -rf "$work"' EXIT

SETTLE_STATE_DIR=$work/state
SETTLE_TARGET=sqlite:$work/demo.db
export SETTLE_STATE_DIR SETTLE_TARGET
start_couchd --load "$top_srcdir/fixtures/demo/demo.json.gz" --load-db demo || exit 99
SETTLE_SOURCE=$couchd_url/demo
export SETTLE_SOURCE

# found NAME: what stats (but the work of the last pass) and diff show tell, into NAME
found() {
	run stats demo-clinic --format json
	jq -S '{status, clean, pending, kinds, ignored}' "$work/out" >"$work/$1"
	run diff show demo-clinic --format json
	sort "$work/out" >>"$work/$1"
	run diff show demo-clinic --changes --format json
	sort "$work/out" >>"$work/$1"
}

exits 1 "the first run" migrate demo-clinic
found before
rm -rf "$work/state"
exits 1 "rebuilt from target and source" migrate demo-clinic --rebuild-state
found after
ok "all is found again, cases that only SQL has too" cmp "$work/before" "$work/after"

rm -rf "$work/state"
fault '{"prefix":"/demo/_changes","action":"status","status":404,"times":0}'
exits 3 "a rebuild that stops before it has read anything" migrate demo-clinic --rebuild-state
exits 5 "is no whole migration" commit demo-clinic --accept-differences
no_faults
exits 1 "and the next run goes on with it" migrate demo-clinic
found after
ok "to the same end" cmp "$work/before" "$work/after"

rm -rf "$work/state"
fault '[{"path":"include_docs","action":"cut","at":3000000},{"path":"include_docs","nth":2,"action":"status","status":404,"times":0}]'
exits 3 "a rebuild that stops in between" migrate demo-clinic --rebuild-state
no_faults
exits 1 "is gone on with by the same command" migrate demo-clinic --rebuild-state
found after
ok "to the same end, too" cmp "$work/before" "$work/after"
exits 1 "then it is over" migrate demo-clinic
ok "and nothing is read again" says err "nothing new"

# ---- a source that was closed ----

rm -rf "$work/state" "$work"/demo.db*
exits 1 "live" migrate demo-clinic --live
exits 1 "finish with --shutter" migrate demo-clinic --finish --quiet-for 0.1 --shutter
rm -rf "$work/state"
exits 1 "state lost and rebuilt" migrate demo-clinic --rebuild-state
exits 0 "unfinish" unfinish demo-clinic
ok "opens the source" test "$(curl -s "$couchd_url/demo/_design/settle-demo-clinic" | jq -r .error)" = not_found
exits 1 "finish with --shutter again" migrate demo-clinic --finish --quiet-for 0.1 --shutter
rm -rf "$work/state"
exits 0 "reset needs no state file" reset demo-clinic --yes
ok "reset opens the source" test "$(curl -s "$couchd_url/demo/_design/settle-demo-clinic" | jq -r .error)" = not_found
exits 1 "live" migrate demo-clinic --live
rm -rf "$work/state"
SETTLE_SOURCE=http://127.0.0.1:9/demo
exits 3 "a reset that cannot ask the source" reset demo-clinic --yes
exits 5 "changes nothing: the state is still lost" unfinish demo-clinic
SETTLE_SOURCE=
exits 0 "a reset without a source" reset demo-clinic --yes
finish
