#!/bin/sh
# Patches of plain documents (profile documents) into both targets: rows that were altered behind settle's back are set to what
# Couch says, each by a form that can be undone; what is refused; the audit trail and its check.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; stop_pg; rm -rf "$work"' EXIT

domain=things
source=file:$work/feed.json

settled() {
	run "$@" -s "$source" -t "$target" --state-dir "$state" --profile documents
}

# 31 documents with everything that JSON and XML make difficult
cat >"$work/feed.js" <<'END'
const docs = [], odd = ["]]>", "\u0000\u0001\u001f", "\r\n\t", "<&>\"'", "\ufffe\uffff", "caf\u00e9 \u{1f6cb}", ""];
for (let i = 0; i < 30; i++)
	docs.push({_id: `doc-${String(i).padStart(2, "0")}`, _rev: "1-abc", doc_type: i % 3 ? "Thing" : "Other thing", n: i, text: odd[i % odd.length],
		list: [i, {[odd[(i + 1) % odd.length]]: [null, true]}, "x"], "*": "star", xform_ids: ["b", "a"]});
const rows = docs.map((doc, i) => JSON.stringify({seq: i + 1, id: doc._id, changes: [{rev: doc._rev}], doc}));
rows.push('{"seq":31,"id":"doc-30","changes":[{"rev":"1-abc"}],"doc":{"_id":"doc-30","_rev":"1-abc","n":1.50,"big":123456789012345678901234567890,"huge":1e400,"lone":"\\ud800"}}');
console.log('{"results":[\n' + rows.join(",\n") + '\n],"last_seq":31}');
END
node "$work/feed.js" >"$work/feed.json"

alter() {
	case $target in
	sqlite:*)
		query "UPDATE documents SET body = json_set(body, '\$.altered', json('{\"by\":[\"hand\",1.50]}'), '\$.n', 'x', '\$.\"*\"', 1) WHERE doc_id < 'doc-05';
			UPDATE documents SET body = json_remove(json_set(body, '\$.list[1]', 7, '\$.xform_ids', json('[\"c\"]')), '\$.text') WHERE doc_id >= 'doc-05' AND doc_id < 'doc-10';
			UPDATE documents SET body = json_object('_id', doc_id), raw = NULL WHERE doc_id IN ('doc-28', 'doc-29', 'doc-30');
			UPDATE documents SET raw = NULL WHERE doc_id = 'doc-22'"
		;;
	*)
		query "UPDATE documents SET body = body || '{\"altered\":{\"by\":[\"hand\",1.50]},\"n\":\"x\",\"*\":1}' WHERE doc_id < 'doc-05';
			UPDATE documents SET body = jsonb_set(body, '{list,1}', '7') || '{\"xform_ids\":[\"c\"]}' WHERE doc_id >= 'doc-05' AND doc_id < 'doc-10';
			UPDATE documents SET body = body - 'text' WHERE doc_id >= 'doc-05' AND doc_id < 'doc-10';
			UPDATE documents SET body = jsonb_build_object('_id', doc_id), raw = NULL WHERE doc_id IN ('doc-28', 'doc-29', 'doc-30');
			UPDATE documents SET raw = NULL WHERE doc_id = 'doc-22'"
		;;
	esac
}

# sides FILE: what SQL tells of each document
sides() {
	for id in $(query "SELECT doc_id FROM documents ORDER BY doc_id"); do
		"$settle" show $domain "$id" --side sql --format json -t "$target" --state-dir "$state" --profile documents || return 1
	done | node "$work/canonical.js" >"$1"
}

cat >"$work/canonical.js" <<'END'
// one JSON document a line: keys in order, numbers as they are
const order = (v) => Array.isArray(v) ? v.map(order) : v && typeof v === "object"
	? Object.fromEntries(Object.keys(v).sort().map((k) => [k, order(v[k])])) : v;
for (const line of require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean)) console.log(JSON.stringify(order(JSON.parse(line))));
END

# undone FILE: as sides, but of patched documents what the first patch form of each says was before
undone() {
	settled patch list $domain --format json
	sort -r -t, -k3,3 "$work/out" | sed 's/{"form_id":"\(.*\)","case_id":"\(.*\)","received_on.*/\2 \1/' >"$work/first"
	while read -r id form; do
		"$settle" patch reconstruct $domain "$form" --format json -t "$target" --state-dir "$state" --profile documents >"$work/undone-$id" || return 1
	done <"$work/first"
	for id in $(query "SELECT doc_id FROM documents ORDER BY doc_id"); do
		if [ -f "$work/undone-$id" ]; then
			cat "$work/undone-$id"
			rm "$work/undone-$id"
		else
			"$settle" show $domain "$id" --side sql --format json -t "$target" --state-dir "$state" --profile documents
		fi
	done | node "$work/canonical.js" >"$1"
}

pass() { # NAME
	settled migrate $domain -q
	ok "$1: migrated" test "$status" -eq 0
	sides "$work/right"
	alter
	sides "$work/altered"
	settled audit verify $domain
	ok "$1: unpatched rows are no matter of the trail" test "$status" -eq 0
	settled diff forms $domain
	ok "$1: what was altered differs" says out '14 with diffs'
	settled patch preview $domain doc-02 --format json
	ok "$1: a preview tells the form" says out '"patchable":true,"updates":["update"],"properties":{},"indices":{},"diff_block":{"case_id":"doc-02"'
	ok "$1: with the document" says out '<document id=\"doc-02\" rev=\"1-abc\" kind=\"Thing\">{'
	run diff patch $domain -t "$target" --state-dir "$state" --profile documents
	ok "$1: without a source there is nothing to set rows to" test "$status" -eq 2
	ok "$1: which is said" says err 'plain documents are patched from the source, and there is none'
	settled diff patch $domain
	ok "$1: patched, all is clean" test "$status" -eq 0
	ok "$1: each that differed" says out '14 patched, 0 refused'
	sides "$work/patched"
	ok "$1: SQL says what it said before" cmp "$work/right" "$work/patched"
	settled patch list $domain --format json
	cp "$work/out" "$work/list"
	ok "$1: with a form for each" test "$(grep -cE '^\{"form_id":"[0-9a-f]{32}","case_id":"doc-[0-9]{2}","received_on":"[-0-9T:.]+Z"\}$' "$work/list")" -eq 14
	settled diff show $domain --patched --select doc-03 --format json
	ok "$1: what it recorded is shown" says out '{"kind":"Other thing","id":"doc-03","form_id":"'
	ok "$1: with both sides" says out '{"type":"type","path":["n"],"patch":true,"old":3,"new":"x","reason":"copy check"}'
	settled diff show $domain --patched --select Thing
	ok "$1: and selected by kind" not says out 'Other thing'
	settled diff forms $domain
	ok "$1: comparing again finds nothing" test "$status" -eq 0
	settled diff patch $domain
	ok "$1: patching twice adds nothing" says out '0 patched, 0 refused'
	settled migrate $domain --patch -q
	settled patch list $domain --format json
	ok "$1: nor does another migration" cmp "$work/list" "$work/out"
	settled stats $domain --format json
	ok "$1: patch forms are no documents" says out '{"kind":"Thing","docs":20,'
	undone "$work/undone"
	ok "$1: every patch can be undone" cmp "$work/altered" "$work/undone"
}

# The same documents again, some of them: what was before the first patch and what was before the second.
again() { # NAME
	query "UPDATE documents SET body = '{\"_id\":\"doc-03\",\"second\":true}' WHERE doc_id = 'doc-03'"
	settled audit verify $domain
	ok "$1: a patched row that was altered is found" says out 'documents: body of patched document doc-03 is not what its patch form says'
	settled migrate $domain --patch -q
	ok "$1: migrate --patch finds and patches it" test "$status" -eq 0
	settled patch list $domain --format json
	ok "$1: with one more form" test "$(wc -l <"$work/out")" -eq 15
	second=$(grep -vxFf "$work/list" "$work/out" | sed 's/.*"form_id":"//; s/".*//')
	cp "$work/out" "$work/list"
	settled patch reconstruct $domain "$second" --format json
	ok "$1: the second patch can be undone" says out '{"_id":"doc-03","second":true}'
	undone "$work/undone"
	ok "$1: and the first as before" cmp "$work/altered" "$work/undone"
	settled audit verify $domain
	ok "$1: the trail is sound" test "$status" -eq 0
	query "DELETE FROM documents WHERE doc_id = 'doc-03'"
	settled audit verify $domain
	ok "$1: a patched row that is gone is named" says out 'documents: patched document doc-03 is not there'
	settled migrate $domain --patch -q
	ok "$1: a migration brings it" test "$status" -eq 0
	settled patch list $domain --format json
	ok "$1: without a patch" cmp "$work/list" "$work/out"
}

# altered NAME WHAT: verify names it
altered() {
	settled audit verify $domain
	ok "$1: altered: $2" test "$status" -eq 1
	ok "$1: and named" says out "$2"
}

trail() { # NAME
	git=$state/audit.git
	ok "$1: git finds nothing wrong" git -C "$git" fsck --strict --no-dangling
	ok "$1: every form has its files" test "$(git -C "$git" ls-tree -r --name-only $domain | grep -c ^patches/)" -eq 30
	form=$(sed -n '2s/.*"form_id":"//; 2s/".*//p' "$work/list")
	settled audit show $domain "$form" --format json
	ok "$1: one of them is shown" says out "\"form_id\":\"$form\""
	query "UPDATE forms SET user_id = 'somebody' WHERE form_id = '$form'"
	altered "$1" "forms: user_id of patch form $form"
	query "UPDATE forms SET user_id = '' WHERE form_id = '$form'"
	settled audit verify $domain
	ok "$1: put back, it is sound" test "$status" -eq 0
	query "CREATE TABLE kept_attachments AS SELECT * FROM attachments WHERE owner_id = '$form'"
	query "DELETE FROM attachments WHERE owner_id = '$form'"
	altered "$1" "attachments: patch form $form has 0 rows, the trail says 1"
	query "INSERT INTO attachments SELECT * FROM kept_attachments"
	query "UPDATE documents SET doc_type = 'Stolen' WHERE doc_id = 'doc-04'"
	altered "$1" 'documents: doc_type of patched document doc-04 is not what its patch form says'
	query "UPDATE documents SET doc_type = 'Thing' WHERE doc_id = 'doc-04'"
	settled audit verify $domain
	ok "$1: and so it is again" test "$status" -eq 0
}

# What has changed in the source since, or is gone, is left alone.
refused() { # NAME
	alter
	settled diff forms $domain
	sed 's/"1-abc"\(.*"doc-04","_rev":\)"1-abc"/"2-new"\1"2-new"/; s/.*"id":"doc-05".*/{"seq":6,"id":"doc-05","changes":[{"rev":"2-gone"}],"deleted":true},/' "$work/feed.json" >"$work/later.json"
	cp "$work/feed.json" "$work/earlier.json"
	cp "$work/later.json" "$work/feed.json"
	settled diff patch $domain --select doc-04,doc-05,doc-06
	ok "$1: what cannot be patched is refused" says out '1 patched, 2 refused'
	ok "$1: another revision" says err 'cannot patch Thing doc-04: the source holds another revision than SQL: `settle migrate` brings it'
	ok "$1: no document" says err 'cannot patch Thing doc-05: the source has no such document'
	mv "$work/earlier.json" "$work/feed.json"
	settled migrate $domain --patch -q
	ok "$1: when the source says again what it said, it is patched" test "$status" -eq 0
	settled audit verify $domain
	ok "$1: the trail is sound at last" test "$status" -eq 0
}

# A row that does not take what it is set to: nothing is left of the patch but an event that says so.
stubborn() { # NAME
	query "UPDATE documents SET body = '{\"_id\":\"doc-21\"}' WHERE doc_id = 'doc-21'"
	settled diff forms $domain
	settled patch list $domain --format json
	cp "$work/out" "$work/list"
	case $target in
	sqlite:*) query "CREATE TRIGGER stubborn AFTER UPDATE ON documents WHEN NEW.doc_id = 'doc-21' BEGIN UPDATE documents SET body = OLD.body WHERE doc_id = 'doc-21'; END" ;;
	*)
		query "CREATE FUNCTION stubborn() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.body = OLD.body; RETURN NEW; END'"
		query "CREATE TRIGGER stubborn BEFORE UPDATE ON documents FOR EACH ROW WHEN (NEW.doc_id = 'doc-21') EXECUTE FUNCTION stubborn()"
		;;
	esac
	settled diff patch $domain
	ok "$1: a row that cannot be set is refused" says out '0 patched, 1 refused'
	ok "$1: by name" says err 'cannot patch Other thing doc-21: SQL does not hold what its row is set to'
	ok "$1: it still differs" test "$status" -eq 1
	settled patch list $domain --format json
	ok "$1: no form is left in SQL" cmp "$work/list" "$work/out"
	settled audit verify $domain
	ok "$1: nor in the trail" test "$status" -eq 0
	case $target in
	sqlite:*) query "DROP TRIGGER stubborn" ;;
	*) query "DROP TRIGGER stubborn ON documents" ;;
	esac
	settled diff patch $domain --audit-content digest
	ok "$1: when it can be, it is" test "$status" -eq 0
	settled audit verify $domain
	ok "$1: digests can be checked" test "$status" -eq 0
	query "UPDATE attachments SET bytes = '' WHERE owner_id IN (SELECT form_id FROM forms WHERE received_on = (SELECT max(received_on) FROM forms))"
	altered "$1" 'patch form'
}

# Killed when the trail has the patches and SQL has not; then somebody alters one of the rows once more.
stale() { # NAME
	query "UPDATE documents SET body = '{\"_id\":\"one\"}' WHERE doc_id IN ('doc-24', 'doc-25')"
	settled diff forms $domain
	(
		LD_PRELOAD=$top_builddir/tests/shim/steps.so STEPS_KILL=trail
		ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
		export LD_PRELOAD STEPS_KILL ASAN_OPTIONS
		exec "$settle" diff patch $domain -s "$source" -t "$target" --state-dir "$state" --profile documents
	) >"$work/out" 2>"$work/err" </dev/null
	ok "$1: killed after the audit commit" test $? -eq 137
	query "UPDATE documents SET body = '{\"_id\":\"two\"}' WHERE doc_id = 'doc-24'"
	settled diff patch $domain
	ok "$1: the next pass comes to its end" test "$status" -eq 0
	ok "$1: it withdraws what no longer fits" grep -q 'doc-24 has changed since its patch was planned: patch form [0-9a-f]* is withdrawn' "$work/err"
	ok "$1: and only that" test "$(grep -c 'is withdrawn' "$work/err")" -eq 1
	ok "$1: and patches it anew" says out '1 patched, 0 refused'
	settled patch list $domain --format json
	form=$(grep '"doc-24"' "$work/out" | sed 's/.*"form_id":"//; s/".*//')
	settled patch reconstruct $domain "$form" --format json
	ok "$1: from what it was then" says out '{"_id":"two"}'
	settled audit verify $domain
	ok "$1: the trail agrees" test "$status" -eq 0
}

start_pg || exit 99
create_pg_database patched || exit 99
db=patched
for way in sqlite pg; do
	state=$work/state-$way
	target=sqlite:$work/t.db
	[ $way = sqlite ] || target=$(pg_url $db)
	pass $way
	again $way
	trail $way
	refused $way
	stale $way
	stubborn $way
done

# From a server: the documents are asked for by their ids.
start_couchd --load "$top_srcdir/fixtures/demo/demo.json.gz" --load-db demo || exit 99
source=$couchd_url/demo
domain=demo
state=$work/state-server
target=sqlite:$work/server.db
settled migrate $domain -q
query "UPDATE documents SET body = json_set(body, '$.by', 'hand') WHERE doc_id IN (SELECT doc_id FROM documents WHERE doc_type = 'XFormInstance' ORDER BY doc_id LIMIT 4)"
settled diff forms $domain
ok "server: what was altered differs" says out ' 4 with diffs'
moved=$(query "SELECT doc_id FROM documents WHERE doc_type = 'XFormInstance' ORDER BY doc_id LIMIT 1")
curl -sf "$couchd_url/demo/$moved" | sed 's/}$/,"later":1}/' >"$work/moved.json"
curl -sf -X PUT -H 'Content-Type: application/json' --data-binary @"$work/moved.json" "$couchd_url/demo/$moved" >/dev/null
settled patch preview $domain "$moved"
ok "server: a preview sees that the source has moved on" says out 'cannot patch: the source holds another revision than SQL'
settled diff patch $domain
ok "server: the others are patched" says out '3 patched, 1 refused'
settled migrate $domain --patch -q
ok "server: the new revision is migrated, not patched" test "$status" -eq 0
settled patch list $domain
ok "server: so there are three forms" test "$(wc -l <"$work/out")" -eq 3
settled audit verify $domain
ok "server: and the trail is sound" test "$status" -eq 0

# no database
echo '{"_id":"a","_rev":"1-x","doc_type":"Thing","n":1}' >"$work/doc.json"
echo '[{"type":"type","path":["n"],"old":1,"new":"one"}]' >"$work/diffs.json"
run patch files "$work/doc.json" "$work/diffs.json" --profile documents --format json
ok "patch files plans a document too" says out '{"patchable":true,"updates":["update"],"properties":{},"indices":{},"diff_block":{"case_id":"a","diffs":[{"path":["n"],"patch":true,"old":1,"new":"one"}]}'
run patch files "$work/doc.json" "$work/diffs.json" --format json
ok "other profiles do not" says out '"refused":"profile commcare patches no Thing"'
finish
