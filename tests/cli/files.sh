#!/bin/sh
# diff files and profile: the commands that need no database.
. "$top_srcdir/tests/cli/lib.sh"

cat >"$work/couch.json" <<'END'
{"_id": "c1", "_rev": "1-a", "doc_type": "Thing", "name": "x", "n": 3, "list": [1, 2], "gone": null, "long": "0123456789012345678901234567890123456789"}
END
cat >"$work/sql.json" <<'END'
{"_id": "c1", "_rev": "1-a", "doc_type": "Thing", "name": "y", "n": 3.0, "list": [1, 3], "long": "0123456789012345678901234567890123456789!"}
END
exits 1 "documents that differ" diff files "$work/couch.json" "$work/sql.json" --profile documents
cat >"$work/wanted" <<'END'
Thing c1
  missing ["gone"] null -> (absent)
  diff ["list", 1] 2 -> 3
  diff ["long"]
    - "0123456789012345678901234567890123456789"
    + "0123456789012345678901234567890123456789!"
  diff ["name"] "x" -> "y"
END
sort "$work/wanted" >"$work/wanted.sorted"
sort "$work/out" >"$work/out.sorted"
ok "are told" diff "$work/wanted.sorted" "$work/out.sorted"
exits 1 "as JSON" diff files "$work/couch.json" "$work/sql.json" --profile documents --format json
ok "one object" test "$(wc -l <"$work/out")" -eq 1
ok "with type, path, old and new" says out '{"type":"diff","path":["list",1],"old":2,"new":3}'
ok "an absent side is an absent key, null stays null" says out '{"type":"missing","path":["gone"],"old":null}'
ok "and what was ignored" says out '"ignored":['
exits 0 "documents that are equal" diff files "$work/couch.json" "$work/couch.json" --profile documents
ok "say nothing" silent out
exits 0 "as JSON" diff files "$work/couch.json" "$work/couch.json" --profile documents --format json
ok "empty lists" grep -qx '{"diffs":\[\],"ignored":\[\]}' "$work/out"
exits 1 "raw" diff files --raw "$work/couch.json" "$work/sql.json" --profile documents --format json
ok "ignores nothing" says out '"ignored":[]}'
exits 2 "file that is not there" diff files "$work/none.json" "$work/sql.json"
ok "is named" says err 'none.json'
printf '{"a":' >"$work/cut.json"
exits 2 "file that is not JSON" diff files "$work/couch.json" "$work/cut.json"
ok "is named, with the place" says err 'cut.json: not JSON at byte 5'
exits 2 "directory" diff files "$work" "$work/sql.json"
printf '{"a":1}' >"$work/untyped.json"
exits 1 "document without a doc type: no rule is about it" diff files "$work/untyped.json" "$work/sql.json"
ok "and it is compared" says out "missing"
exits 1 "--kind gives it" diff files "$work/untyped.json" "$work/sql.json" --kind Thing --profile documents
ok "in the heading" says out 'Thing '
ok "without a word, as this profile lists none" silent err
exits 1 "--kind that the profile does not list" diff files "$work/untyped.json" "$work/sql.json" --kind CommCareCas
ok "is warned of" says err 'warn: the profile lists no kind CommCareCas: it is compared without rules of its own'
exits 1 "--kind that it lists" diff files "$work/untyped.json" "$work/sql.json" --kind CommCareCase
ok "is not" silent err
exits 2 "one file" diff files "$work/couch.json"

# xform_ids: forms without actions are not missed.
printf '{"_id":"c","doc_type":"CommCareCase","xform_ids":["f1"]}' >"$work/a.json"
printf '{"_id":"c","doc_type":"CommCareCase","xform_ids":["f1","f2"]}' >"$work/b.json"
run diff files "$work/a.json" "$work/b.json" --format json
ok "a form only in SQL is a difference" says out '"path":["xform_ids'
run diff files "$work/a.json" "$work/b.json" --format json --no-action-forms f0,f2
ok "unless it has no actions" not grep -q '"diffs":\[[^]]*xform_ids' "$work/out"

exits 0 "profile list" profile list
ok "has commcare" says out 'commcare '
ok "and documents" says out 'documents '
exits 0 "as JSON" profile list --format json
ok "a line each" says out '{"name":"commcare","summary":'
for builtin in commcare documents; do
	exits 0 "profile show $builtin" profile show $builtin
	cp "$work/out" "$work/$builtin.json"
	ok "is the file" cmp "$work/out" "$top_srcdir/src/profile/$builtin.json"
	exits 0 "profile check of what was shown" profile check "$work/$builtin.json"
	exits 0 "profile show of a file" profile show "$work/$builtin.json"
done
exits 2 "profile show of nothing known" profile show nothing
printf '{\n  "name": 3\n}\n' >"$work/bad.json"
exits 1 "profile check of a bad one" profile check "$work/bad.json"
ok "names file and line" grep -qE 'bad\.json:[0-9]+:[0-9]+: error: ' "$work/out"
exits 1 "as JSON" profile check "$work/bad.json" --format json
ok "an object a line" grep -qE '^\{"file":.*"line":[0-9]+,"column":[0-9]+,"error":true,"message":' "$work/out"
exits 2 "profile check of what is not there" profile check "$work/none.json"
exits 2 "profile check of what is no JSON" profile check "$work/cut.json"
ok "names the file" says err "$work/cut.json"
finish
