#!/bin/sh
# Patch passes end to end on the demo domain, into both targets: what is patched, what is refused, undoing, the audit trail and
# what it says when somebody altered it.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT

domain=demo-clinic
export source=file:$top_srcdir/fixtures/demo/demo.json.gz
git_author

# What still differs is what expected.json names as refused. A case that only SQL has was marked deleted before, by --forms=missing.
cat >"$work/left.js" <<'END'
const fs = require("fs"), kind = (r) => r.kind + (r.reason === "no Couch case" ? "-Deleted" : "");
const refused = new Set(JSON.parse(fs.readFileSync(process.argv[2])).later.refused.map((r) => `${kind(r)} ${r.id}`));
const lines = (f) => fs.readFileSync(f, "utf8").split("\n").filter(Boolean).map((l) => JSON.parse(l));
const left = new Set(lines(process.argv[3]).concat(lines(process.argv[4])).map((l) => `${l.kind} ${l.id}`));
const bad = [...left].filter((id) => !refused.has(id)), gone = [...refused].filter((id) => !left.has(id));
console.log(JSON.stringify({bad, gone}));
process.exit(refused.size === 0 || bad.length || gone.length ? 1 : 0);
END

settled() { # ARGUMENTS... with target and state directory
	run "$@" -t "$target" --state-dir "$state"
}

same_forms() {
	sed 's/.*"form_id":"//; s/".*//' "$work/list" | cmp - "$work/shown"
}

# what every form and case row says, without what a patch's own time makes different
pass() { # NAME
	settled migrate $domain -s "$source" -q
	ok "$1: migrated" test "$status" -eq 1
	settled show $domain --side sql "$lost" --format json
	settled migrate $domain -s "$source" --patch
	ok "$1: a patch pass leaves what it refuses" test "$status" -eq 1
	ok "$1: and names it, with the reason" says err 'cannot patch CommCareCase 0c9493df080c50ee86342e1e91533006: ["indices",0,"referenced_type"]: only a whole index'
	settled diff show $domain --format json
	cp "$work/out" "$work/diffs"
	settled diff show $domain --changes --format json
	cp "$work/out" "$work/changes"
	ok "$1: what is left is what expected.json names" node "$work/left.js" "$top_srcdir/fixtures/demo/expected.json" "$work/diffs" "$work/changes"
	settled patch list $domain
	ok "$1: patch forms: form id, case id, time" test "$(grep -cE '^[0-9a-f]{32}  [^ ].*[^ ]  20[0-9-]{8}T[0-9:.]*Z$' "$work/out")" -eq "$(wc -l <"$work/out")"
	settled patch list $domain --format json
	cp "$work/out" "$work/list"
	ok "$1: there are patch forms" test "$(wc -l <"$work/list")" -gt 80
	ok "$1: each with form id, case id and time" test "$(grep -cE '^\{"form_id":"[0-9a-f]{32}","case_id":".+","received_on":"[-0-9T:.]+Z"\}$' "$work/list")" -eq "$(wc -l <"$work/list")"
	settled diff show $domain --patched --format json
	ok "$1: what they recorded is shown, a line for each" test "$(grep -cE '^\{"kind":"CommCareCase","id":".+","form_id":"[0-9a-f]{32}","diffs":\[\{"type":"' "$work/out")" -eq "$(wc -l <"$work/list")"
	sed -n 's/.*"form_id":"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/shown"
	ok "$1: of every patch form" same_forms
	patched=$(sed -n '1s/.*"case_id":"//; 1s/".*//p' "$work/list")
	settled diff show $domain --patched --select "$patched" --format json
	ok "$1: of one case" test "$(wc -l <"$work/out")" -eq 1
	settled diff show $domain --patched --select "$patched"
	ok "$1: as text" grep -qF "CommCareCase $patched" "$work/out"
	settled diff show $domain --patched --select "$patched" --csv
	ok "$1: as CSV" grep -q "^CommCareCase,$patched," "$work/out"
	settled diff show $domain --patched --select XFormInstance
	ok "$1: of other kinds there are none" silent out
	settled stats $domain --format json
	ok "$1: patch forms are not counted as documents" says out '{"kind":"XFormInstance","docs":2315,'
	settled diff patch $domain
	ok "$1: patching twice adds nothing" says out '0 patched'
	settled migrate $domain -s "$source" --patch -q
	settled patch list $domain --format json
	ok "$1: nor does another migration" cmp "$work/list" "$work/out"
}

undo() { # NAME
	bad=0
	for form in $(sed 's/.*"form_id":"//; s/".*//' "$work/list"); do
		settled patch reconstruct $domain "$form" --format json
		[ "$status" -eq 0 ] || bad=$((bad + 1))
	done
	ok "$1: every patch can be undone" test $bad -eq 0
	settled patch reconstruct $domain 00000000000000000000000000000000
	ok "$1: what is no patch form is told" test "$status" -eq 2
}

trail() { # NAME
	git=$state/audit.git
	settled audit verify $domain --format json
	ok "$1: the trail is sound" test "$status" -eq 0
	ok "$1: and says so" says out '"sound":true'
	ok "$1: every diff block was undone, with what the trail keeps" says out "\"reconstructed\":{\"from_trail\":$(wc -l <"$work/list"),\"from_sql\":0,\"untold\":0}"
	ok "$1: git finds nothing wrong" git -C "$git" fsck --strict --no-dangling
	ok "$1: git can clone it" git clone -q "$git" "$work/clone-$1"
	ok "$1: every patch form has its files" test "$(find "$work/clone-$1/patches" -type f | wc -l)" -eq $((2 * $(wc -l <"$work/list")))
	ok "$1: with the profile in force" cmp -s "$work/clone-$1/profile.json" "$top_srcdir/src/profile/commcare.json" -n 20
	ok "$1: the author is git's" test "$(git -C "$git" log -1 --format='%an %ae')" = 'Ann Auditor ann@example.org'
	ok "$1: nobody else may look" test "$(stat -c %a "$git")" = 700
	settled audit log $domain --format json
	ok "$1: one commit for each event that changed something" test "$(sed 's/.*"event":"//; s/".*//' "$work/out" | tr '\n' ' ')" = 'end patch end start '
	commit=$(sed -n '2s/.*"commit":"//; 2s/".*//p' "$work/out")
	settled audit show $domain "$commit"
	ok "$1: a commit is shown with its files" grep -q '^added .*patches/' "$work/out"
	form=$(sed -n '1s/.*"form_id":"//; 1s/".*//p' "$work/list")
	settled audit show $domain "$form" --format json
	ok "$1: a patch form by its id" says out "\"form_id\":\"$form\""
	settled audit show $domain nothing
	ok "$1: nothing else" test "$status" -eq 2
}

# altered NAME WHAT: verify names it
altered() {
	settled audit verify $domain
	ok "$1: altered: $2" test "$status" -eq 1
	ok "$1: and named" says out "$2"
}

# tamper NAME: rows, then blobs and refs; each is put back
tamper() {
	form=$(sed -n '2s/.*"form_id":"//; 2s/".*//p' "$work/list")
	case_id=$(sed -n '2s/.*"case_id":"//; 2s/".*//p' "$work/list")
	query "CREATE TABLE kept_forms AS SELECT * FROM forms WHERE form_id = '$form'"
	query "UPDATE forms SET user_id = 'somebody' WHERE form_id = '$form'"
	altered "$1" "forms: user_id of patch form $form"
	query "DELETE FROM forms WHERE form_id = '$form'"
	altered "$1" "forms: patch form $form has 0 rows"
	query "INSERT INTO forms SELECT * FROM kept_forms"
	query "UPDATE form_operations SET operation = 'edit' WHERE form_id = '$form'"
	altered "$1" "form_operations: operation of patch form $form"
	query "UPDATE form_operations SET operation = 'Couch to SQL case patch' WHERE form_id = '$form'"
	query "UPDATE attachments SET content_type = 'text/html' WHERE owner_id = '$form'"
	altered "$1" "attachments: content_type of patch form $form"
	query "UPDATE attachments SET content_type = 'text/xml' WHERE owner_id = '$form'"
	query "UPDATE case_transactions SET kind = 'form' WHERE form_id = '$form'"
	altered "$1" "case_transactions: kind of patch form $form"
	query "UPDATE case_transactions SET kind = 'patch' WHERE form_id = '$form'"
	query "UPDATE cases SET owner_id = owner_id || '!' WHERE case_id = '$case_id'"
	altered "$1" "cases: owner_id of patched case $case_id"
	query "UPDATE cases SET owner_id = substr(owner_id, 1, length(owner_id) - 1) WHERE case_id = '$case_id'"
	query "UPDATE settle_migration SET status = 'complete'"
	altered "$1" "settle_migration.status is complete"
	query "UPDATE settle_migration SET status = 'in-progress'"
	settled audit verify $domain
	ok "$1: put back, it is sound again" test "$status" -eq 0

	git=$state/audit.git
	head=$(git -C "$git" rev-parse $domain)
	git -C "$git" update-ref refs/heads/$domain "$head~1"
	altered "$1" "settle_migration.trail_head is $head, which is not in refs/heads/$domain"
	git -C "$git" update-ref refs/heads/$domain "$(git -C "$git" -c user.name=x -c user.email=x@y commit-tree -p "$head" -m 'by hand' "$head^{tree}")"
	altered "$1" 'it is no event of settle'
	git -C "$git" update-ref -d refs/heads/$domain
	altered "$1" 'has no branch refs/heads/demo-clinic'
	git -C "$git" update-ref refs/heads/$domain "$head"
	path=$(git -C "$git" ls-tree -r --name-only $domain | grep "$form.json")
	cp -r "$git" "$work/git-kept"
	loosen "$git"
	bad=$(git -C "$git" rev-parse "$domain:$path" | sed 's,..,&/,')
	good=$(git -C "$git" rev-parse "$domain:profile.json" | sed 's,..,&/,')
	cp "$git/objects/$good" "$git/objects/$bad"
	altered "$1" "$path: "
	rm -rf "$git"
	mv "$work/git-kept" "$git"
	settled audit verify $domain
	ok "$1: put back, it is sound again" test "$status" -eq 0
}

lost=02da2c13f0a144fc7fe6c08b845cb5ea
start_pg || exit 99
create_pg_database patched || exit 99
db=patched
for way in sqlite pg; do
	state=$work/state-$way
	target=sqlite:$work/t.db
	[ $way = sqlite ] || target=$(pg_url $db)
	pass $way
	undo $way
	trail $way
	tamper $way
done

# What was before is what was before: of every case, from a target that was not patched.
state=$work/state-before
target=sqlite:$work/before.db
settled migrate $domain -s "$source" -q
bad=0
checked=0
while IFS= read -r line; do
	form=${line#*\"form_id\":\"}
	form=${form%%\"*}
	case_id=${line#*\"case_id\":\"}
	case_id=${case_id%%\"*}
	"$settle" patch reconstruct $domain "$form" -t "sqlite:$work/t.db" --state-dir "$work/state-sqlite" --format json >"$work/undone" 2>/dev/null
	"$settle" show $domain "$case_id" --side sql -t "$target" --state-dir "$state" --format json >"$work/before" 2>/dev/null || echo null >"$work/before"
	node -e 'const fs = require("fs"), r = (f) => JSON.parse(fs.readFileSync(f)); require("assert").deepStrictEqual(r(process.argv[1]), r(process.argv[2]))' \
		"$work/undone" "$work/before" || bad=$((bad + 1))
	checked=$((checked + 1))
done <<END
$("$settle" patch list $domain -t "sqlite:$work/t.db" --state-dir "$work/state-sqlite" --format json | awk 'NR % 6 == 1')
END
ok "undone is as it was in a target that was never patched ($checked cases)" test $bad -eq 0

# A trail that cannot be written stops the pass before SQL is changed.
mkdir -p "$state/aside"
mv "$state/audit.git" "$state/aside/"
touch "$state/audit.git"
settled diff patch $domain
ok "no trail, no patches" test "$status" -eq 5
settled patch list $domain
ok "nothing was patched" silent out
settled stats $domain --format json
ok "nor planned" says out '"pending":0'
rm "$state/audit.git"
mv "$state/aside/audit.git" "$state/"

# What was not compared is not everything.
settled diff patch $domain --select pending
ok "pending cases cannot be patched" test "$status" -eq 2
ok "the way is named" says err 'diff cases demo-clinic --select pending'
settled patch list $domain
ok "nothing was patched by it" silent out

# a name that neither side knows is not proven sound
settled audit verify nobody
ok "verify of an unknown domain is refused" test "$status" -eq 5
ok "by name" says err 'nobody is not-started'
mv "$state/audit.git" "$state/aside/"
query "CREATE TABLE kept AS SELECT domain, trail_head FROM settle_migration" >/dev/null
query "UPDATE settle_migration SET trail_head = NULL" >/dev/null
settled audit verify $domain
ok "a trail that is gone is a finding" test "$status" -eq 1
ok "though SQL was made to forget it" says out 'settle_migration.status is in-progress, but there is no audit trail'
query "UPDATE settle_migration SET trail_head = (SELECT k.trail_head FROM kept k WHERE k.domain = settle_migration.domain)" >/dev/null
query "DROP TABLE kept" >/dev/null
mv "$state/aside/audit.git" "$state/"

# digests only
settled patch preview $domain "$lost" --format json
ok "a preview says what would be written" says out '"updates":["create","update"'
settled diff patch $domain --select "CommCareCase:$lost" --audit-content digest
ok "one case can be patched" says out '1 patched'
settled patch list $domain
ok "and only that" test "$(wc -l <"$work/out")" -eq 1
ok "the trail has its digests" test "$(git -C "$state/audit.git" ls-tree -r --name-only $domain | grep -c patches)" -eq 1
ok "and no contents" not git -C "$state/audit.git" grep -qE '"(block|after)":' $domain -- patches
settled audit verify $domain
ok "which can be checked" test "$status" -eq 0
ok "and the block undone, with what SQL holds" says out "0 with the trail's documents, 1 with SQL's"
query "UPDATE cases SET owner_id = owner_id || '!' WHERE case_id = '$lost'"
altered digest "cases: owner_id of patched case $lost"
query "UPDATE cases SET owner_id = substr(owner_id, 1, length(owner_id) - 1) WHERE case_id = '$lost'"
form=$(sed -n '1s/.*"form_id":"//; 1s/".*//p' "$work/shown")
finish
