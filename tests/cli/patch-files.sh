#!/bin/sh
# patch files: plans and forms of given differences, against fixtures/vectors/patch.json, and fixtures/patch/cases.json, which has a case for each sentence
# of BEHAVIOUR section 9; no database.
. "$top_srcdir/tests/cli/lib.sh"

# holds: is the answer in out what case N of a file wants? Positions in the paths of a vector count as [*].
cat >"$work/holds.js" <<'END'
const fs = require("fs"), assert = require("assert");
const [file, n, answer] = process.argv.slice(2);
const got = JSON.parse(fs.readFileSync(answer)), v = JSON.parse(fs.readFileSync(file))[n], wanted = v.expected;
assert.strictEqual(got.patchable, wanted.patchable);
if (!wanted.patchable) {
	assert.ok(got.refused.length > 0);
	process.exit(0);
}
const star = (p) => typeof p === "number" && file.includes("vectors") ? "[*]" : p;
const any = (block) => ({case_id: block.case_id, diffs: block.diffs.map((d) => ({...d, path: d.path.map(star)}))});
for (const key of ["updates", "properties", "indices"])
	assert.deepStrictEqual(got[key], wanted[key]);
assert.deepStrictEqual(any(got.diff_block), any(wanted.diff_block));
assert.ok(!("before" in got.diff_block));
assert.ok(got.form_xml.includes(`case_id="${v.couch_case._id}"`));
for (const text of v.xml || [])
	assert.ok(got.form_xml.includes(text), text);
END

# every case of a file
cases() { # FILE
	rm -f "$work"/*.case.json
	node -e '
		const fs = require("fs"), list = JSON.parse(fs.readFileSync(process.argv[1]));
		list.forEach((v, i) => {
			fs.writeFileSync(`${process.argv[2]}/${i}.case.json`, JSON.stringify(v.couch_case));
			fs.writeFileSync(`${process.argv[2]}/${i}.diffs.json`, JSON.stringify(v.diffs));
			fs.writeFileSync(`${process.argv[2]}/${i}.name`, v.name);
		});' "$1" "$work"
	i=0
	while [ -f "$work/$i.case.json" ]; do
		run patch files "$work/$i.case.json" "$work/$i.diffs.json" --format json
		ok "$(cat "$work/$i.name")" node "$work/holds.js" "$1" $i "$work/out"
		ok "$(cat "$work/$i.name"): exit status" test "$status" -eq "$(grep -c '"patchable":false' "$work/out")"
		i=$((i + 1))
	done
	ok "there are cases" test $i -gt 10
}

cases "$top_srcdir/fixtures/patch/cases.json"
cases "$top_srcdir/fixtures/vectors/patch.json"

exits 0 "text" patch files "$work/0.case.json" "$work/0.diffs.json"
ok "is the form" says out '<age>35</age>'
ok "one case block and one diff block" test "$(grep -cE '<case |<diff>' "$work/out")" -eq 2
printf '{"_id":"x","doc_type":"XFormInstance"}' >"$work/form.json"
exits 1 "a form" patch files "$work/form.json" "$work/0.diffs.json"
ok "is not patched" says out 'cannot patch: '
run profile show documents
sed '/"patch"/d' "$work/out" >"$work/profile.json"
exits 1 "a profile without a policy" patch files "$work/0.case.json" "$work/0.diffs.json" --profile "$work/profile.json"
exits 2 "a file that is not there" patch files "$work/none.json" "$work/0.diffs.json"
printf '[{"type":"diff"}]' >"$work/bad.json"
exits 2 "differences that cannot be read" patch files "$work/0.case.json" "$work/bad.json"
ok "name the file" says err 'bad.json: difference 1'
printf '{"_id":"x","doc_type":"CommCareCase","p":"a\\u0000]]>\\ud800"}' >"$work/odd.json"
printf '[{"type":"missing","path":["p"],"old":"a\\u0000]]>\\ud800"}]' >"$work/odd-diffs.json"
exits 0 "hostile values" patch files "$work/odd.json" "$work/odd-diffs.json"
ok "are valid XML" xmllint --noout "$work/out"
finish
