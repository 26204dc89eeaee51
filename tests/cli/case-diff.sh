#!/bin/sh
# When cases are compared: after the forms, later, or with patches at once; and what goes with what.
. "$top_srcdir/tests/cli/lib.sh"
trap 'rm -rf "$work"' EXIT

use() { # use NAME: a fresh target
	export SETTLE_TARGET="sqlite:$work/$1.db" SETTLE_STATE_DIR="$work/state-$1"
}
kinds() {
	run stats demo-clinic --format json
	sed 's/.*"kinds"/"kinds"/' "$work/out"
}
export SETTLE_SOURCE="file:$top_srcdir/fixtures/demo/demo.json.gz"

use plain
run migrate demo-clinic
kinds >"$work/plain.kinds"

use later
exits 1 "none: cases are left" migrate demo-clinic --case-diff=none --format json
ok "they are pending" test "$(member pending)" -gt 400
ok "and not missing" same "$(sed 's/.*"kind":"CommCareCase","docs":[0-9]*,\([^}]*\)}.*/\1/' "$work/out")" '"diffs":0,"missing":0,"changes":0'
ok "nor in SQL yet" same "$(sqlite3 "$work/later.db" 'SELECT count(*) FROM cases')" 0
exits 5 "so nothing is committed" commit demo-clinic --accept-differences
exits 1 "a later run compares them" migrate demo-clinic --case-diff=after
kinds >"$work/later.kinds"
ok "to the same end" cmp "$work/plain.kinds" "$work/later.kinds"

use patch
run migrate demo-clinic
run migrate demo-clinic --patch
kinds >"$work/patch.kinds"
use as-patch
exits 1 "patch: in the first run" migrate demo-clinic --case-diff=patch
kinds >"$work/as-patch.kinds"
ok "patch: as --patch does in the second" cmp "$work/patch.kinds" "$work/as-patch.kinds"
ok "there was something to patch" sh -c "! cmp -s $work/plain.kinds $work/patch.kinds"
exits 1 "together with the missing forms" migrate demo-clinic --case-diff=patch --forms=missing

exits 2 "another word" migrate demo-clinic --case-diff=asap
ok "is named with those there are" says err '--case-diff wants after, patch or none, not "asap"'
exits 2 "--patch says it already" migrate demo-clinic --patch --case-diff=patch
ok "so only one of them" says err "--patch and --case-diff exclude each other"
exits 2 "--patch brings the missing forms itself" migrate demo-clinic --patch --forms=missing
ok "that is said" says err "--patch and --forms exclude each other"
exits 2 "patches come for all that differs" migrate demo-clinic --case-diff=patch --forms=abc
ok "not for some forms" says err "but for --forms=missing"
finish
