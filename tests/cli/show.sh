#!/bin/sh
# The commands that look at a migration: stats, diff show, show; and what migrate prints. On the demo domain.
. "$top_srcdir/tests/cli/lib.sh"
feed=$top_srcdir/fixtures/demo/demo.json.gz
expected=$top_srcdir/fixtures/demo/expected.json
export SETTLE_TARGET="sqlite:$work/t.db" SETTLE_STATE_DIR="$work/state"

# json FILE EXPRESSION: prints what the expression makes of `v`, the JSON in FILE (an array of its lines with `lines`)
json() {
	node -e '
		const text = require("fs").readFileSync(process.argv[1], "utf8");
		const lines = text.split("\n").filter(Boolean);
		const v = process.argv[2].includes("lines") ? null : JSON.parse(text);
		const r = eval(process.argv[2]);
		console.log(typeof r === "string" ? r : JSON.stringify(r));
	' "$@"
}

exits 1 "migrate: something is left" migrate demo-clinic --source "file:$feed" --format json
ok "one object" test "$(wc -l <"$work/out")" -eq 1
keys='["domain","status","source","target","profile","clean","pending","checkpoint","read","written","unchanged","deleted","skipped","rejected","conflicts","conflicts_left","attachments","attachments_left","kinds","ignored","ledgers","duplicate_keys"'
ok "the object of the contract" same "$(json "$work/out" 'Object.keys(v)')" "$keys,\"elapsed_s\",\"docs_per_s\",\"bytes\"]"
counts='["read","written","unchanged","deleted","skipped","rejected"].map(k => (v.later || v)[k])'
ok "work counters" same "$(json "$work/out" "$counts")" "$(json "$expected" "$counts")"
ok "and they balance" same "$(json "$work/out" 'v.written + v.unchanged + v.deleted + v.skipped + v.rejected - v.read')" 0
ok "not clean" same "$(json "$work/out" 'v.clean')" false
ok "the log is kept" test -s "$work/state/log/demo-clinic.log"
ok "by nobody else's eyes" same "$(stat -c %a "$work/state" "$work/state/log" "$work/state/log/demo-clinic.log" | tr '\n' ' ')" '700 700 600 '

# From here on nothing is written.
fingerprint() {
	(cd "$work" && find state t.db -type f ! -name '*-shm' ! -name '*-wal' -exec sha256sum {} + | sort)
}
fingerprint >"$work/before"

exits 0 "stats" stats demo-clinic
ok "a table" grep -qE '^Kind +Docs +Diffs +Missing +Changes$' "$work/out"
ok "zero prints blank" grep -qE '^Group +2 *$' "$work/out"
ok "and what brings missing documents over" says out 'Run again with --forms=missing to migrate missing docs'
ok "no rules" not grep -q 'Ignored differences' "$work/out"
exits 0 "stats --verbose" stats demo-clinic --verbose
ok "tells what rules ignored" grep -qE '^ +[0-9]+  CommCareCase' "$work/out"
ok "and names what is missing" grep -qE '^  CommCareCase [0-9a-z]' "$work/out"
exits 0 "stats --verbose as JSON" stats --format json demo-clinic --verbose
ok "as many as the table counts" same "$(json "$work/out" 'v.missing.length')" "$(json "$work/out" 'v.kinds.reduce((n, k) => n + k.missing, 0)')"
ok "no rejects, no losing revisions" same "$(json "$work/out" '[v.rejects, v.conflicting]')" '[[],[]]'
# A pager on a terminal, and only there.
PAGER='sed s/^/page:/' script -qec "'$settle' diff show demo-clinic --select forms" "$work/typescript" </dev/null >/dev/null
ok "on a terminal PAGER shows it" grep -q '^page:.*XFormInstance' "$work/typescript"
PAGER=cat script -qec "'$settle' diff show demo-clinic --select forms" "$work/typescript" </dev/null >/dev/null
ok "cat is no pager" grep -q 'XFormInstance' "$work/typescript"
PAGER=true script -qec "'$settle' diff show demo-clinic; echo status \$?" "$work/typescript" </dev/null >/dev/null
ok "one that leaves early is no error" grep -q '^status 0' "$work/typescript"
PAGER='sed s/^/page:/' run diff show demo-clinic --select forms
ok "without a terminal there is none" not grep -q '^page:' "$work/out"
exits 0 "stats as JSON" stats --format json demo-clinic
ok "the object of the contract" same "$(json "$work/out" 'Object.keys(v)')" "$keys]"
kinds='(v.later || v).kinds.filter(k => k.docs || k.diffs || k.missing || k.changes).map(k => [k.kind, k.docs, k.diffs, k.missing, k.changes].join()).sort()'
ok "documents per kind" same "$(json "$work/out" "$kinds")" "$(json "$expected" "$kinds")"

exits 0 "diff show" diff show demo-clinic
ok "kind and id, then its differences" grep -qE '^CommCareCase 0ed361406f419714c89957481f2465b2$' "$work/out"
ok "type, path, old and new" says out '  diff ["notes"] "ok 👍🏽" -> "naïve café"'
exits 0 "diff show as JSON" diff show demo-clinic --format json
cp "$work/out" "$work/all"
ids='lines.map(JSON.parse).map(d => d.kind + " " + d.id).sort().join("\n")'
ok "a line each document" same "$(json "$work/out" "$ids")" "$(json "$expected" 'v.later.diffs.map(d => d.kind + " " + d.id).sort().join("\n")')"
ok "kind, id, diffs" same "$(json "$work/out" 'lines.every(l => Object.keys(JSON.parse(l)).join() === "kind,id,diffs")')" true
ok "ordered" same "$(json "$work/out" 'lines.map(JSON.parse).map(d => d.kind + " " + d.id).join("\n")')" "$(json "$work/out" "$ids")"
exits 0 "--select forms" diff show demo-clinic --format json --select forms
ok "only forms" same "$(json "$work/out" 'lines.length && lines.every(l => JSON.parse(l).kind.startsWith("XForm"))')" true
exits 0 "--select KIND" diff show demo-clinic --format json --select CommCareCase
ok "only that kind" same "$(json "$work/out" 'lines.length')" "$(grep -c '"kind":"CommCareCase"' "$work/all")"
exits 0 "--select id" diff show demo-clinic --format json --select 0ed361406f419714c89957481f2465b2
ok "only that document" same "$(json "$work/out" 'lines.length')" 1
exits 0 "--changes" diff show demo-clinic --changes
ok "kind, id and reason" grep -qE '^CommCareCase 001f2e5f-08b5-4642-892f-6d3597b8dd38 rebuild case$' "$work/out"
ok "then its changes" says out '  complex ["@user_id", "user_id"] "u-0006-other" -> "u-0006"'
exits 0 "--changes as JSON" diff show demo-clinic --changes --format json
ok "a line each changed document" same "$(json "$work/out" "$ids")" "$(json "$expected" 'v.later.changes.map(d => d.kind + " " + d.id).sort().join("\n")')"
ok "each with its reason" same "$(json "$work/out" 'lines.every(l => JSON.parse(l).diffs.every(d => d.reason))')" true
exits 0 "--changes of one kind" diff show demo-clinic --changes --format json --select CommCareCase-Deleted
ok "only its changes" same "$(json "$work/out" 'lines.length > 0 && lines.every(l => JSON.parse(l).kind === "CommCareCase-Deleted")')" true
exits 2 "--select of a file that is not there" diff show demo-clinic --select ./none
exits 5 "a domain of which nothing is known" diff show other
ok "says what comes first" says err 'settle migrate other'

id=001f2e5f-08b5-4642-892f-6d3597b8dd38
exits 0 "show" show demo-clinic $id
ok "kind and id" says out "CommCareCase $id"
ok "Couch's side marked" says out '-   "@user_id": "u-0006-other"'
ok "SQL's side marked" says out '+   "user_id": "u-0006"'
ok "what a rule expects marked otherwise" grep -q '^~   "_rev"' "$work/out"
ok "what is equal unmarked" grep -q '^    "_id"' "$work/out"
exits 0 "one side is plain JSON" show demo-clinic $id --side sql
ok "with the document" same "$(json "$work/out" 'v._id')" $id
exits 0 "the other side too" show demo-clinic $id --side couch --format json
ok "on one line" test "$(wc -l <"$work/out")" -eq 1
ok "with its revision" same "$(json "$work/out" 'typeof v._rev')" string
exits 0 "both as JSON" show demo-clinic $id --format json
ok "kind, id, sides, differences" same "$(json "$work/out" 'Object.keys(v)')" '["kind","id","couch","sql","diffs"]'
form=$(json "$work/all" 'lines.map(JSON.parse).find(d => d.kind === "XFormInstance").id')
exits 0 "a form, of which settle keeps no Couch side" show demo-clinic "$form"
ok "is told by SQL alone" says out 'couch (absent)'
exits 0 "with the source" show demo-clinic "$form" --source "file:$feed"
ok "by both" not grep -q absent "$work/out"
exits 2 "a side that is not there" show demo-clinic "$form" --side couch
exits 2 "a document that is not there" show demo-clinic nothing
ok "is named" says err nothing
fingerprint >"$work/after"
ok "readers write nothing" cmp "$work/before" "$work/after"

# diff show stops when its reader does.
status=0
{ "$settle" diff show demo-clinic 2>"$work/err" || echo $? >"$work/failed"; } | head -1 >"$work/out"
ok "a reader that goes away" test ! -e "$work/failed"
ok "is no error" silent err

# Kinds that no profile lists, more of them than are read at once; somebody changed all of them in SQL.
export SETTLE_TARGET="sqlite:$work/t3.db" SETTLE_STATE_DIR="$work/state3" SETTLE_PROFILE=documents
node -e 'const of = (kind, n, id) => { for (let i = 0; i < n; i++) { const _id = id || kind + "-" + i;
	console.log(JSON.stringify({seq: _id, id: _id, changes: [{rev: "1-a"}], doc: {_id, _rev: "1-a", doc_type: kind}})); } };
	of("A", 1200); of("A", 1, "B"); of("B", 3); of("BB", 700); of("C", 2);' >"$work/kinds.ndjson"
exits 0 "a database of unlisted kinds" migrate kinds --source "file:$work/kinds.ndjson"
sqlite3 "$work/t3.db" "UPDATE documents SET body = json_set(body, '\$.more', 1)"
exits 1 "of which every document differs" diff forms kinds --source "file:$work/kinds.ndjson"
selects() { # selects SELECTION LINES
	exits 0 "--select $1" diff show kinds --format json --select "$1"
	ok "--select $1: $2" same "$(wc -l <"$work/out" | tr -d ' ')" "$2"
}
selects A 1201
selects B 4
ok "the document of that id and those of that kind, each once" same "$(json "$work/out" "$ids")" "$(printf 'A B\nB B-0\nB B-1\nB B-2')"
selects BB 700
selects C 2
selects A:B 1
exits 2 "--select B:B, an id of another kind" diff show kinds --format json --select B:B
ok "is named" says err "no document B:B in kinds"
selects C:C-1 1
selects A-7,C-1,A-1199 3
unset SETTLE_PROFILE

# A clean break, and the same command again.
export SETTLE_TARGET="sqlite:$work/t2.db" SETTLE_STATE_DIR="$work/state2"
gzip -dc "$feed" >"$work/feed.json"
mkfifo "$work/slow"
{ head -c 2000000 "$work/feed.json"; exec sleep 600; } >"$work/slow" &
writer=$!
"$settle" migrate demo-clinic --source file:- <"$work/slow" >"$work/out" 2>"$work/err" &
pid=$!
ok "a migration has begun" within 120 test -s "$SETTLE_STATE_DIR/audit.git/refs/heads/demo-clinic"
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
kill "$writer" 2>/dev/null
ok "a clean break exits 1" test "$status" -eq 1
ok "and prints how far it came" says out 'in-progress'
ok "it is not clean" grep -q '^clean  *no' "$work/out"
status=0
"$settle" migrate demo-clinic --source file:- --format json <"$work/feed.json" >"$work/out" 2>"$work/err" || status=$?
ok "the same command goes on" test "$status" -eq 1
ok "and ends as if nothing had been" same "$(json "$work/out" "$kinds")" "$(json "$expected" "$kinds")"
exits 5 "another source is refused" migrate demo-clinic --source "file:$feed"
ok "and named" says err 'file:-'
exits 3 "a feed that is cut" migrate other --source "file:$work/none.json"
finish
