#!/bin/sh
# Comparing again: diff cases, diff forms, diff filter, diff show --ignored and --csv, every --select. On the demo domain.
. "$top_srcdir/tests/cli/lib.sh"
feed=$top_srcdir/fixtures/demo/demo.json.gz
export SETTLE_TARGET="sqlite:$work/t.db" SETTLE_STATE_DIR="$work/state"

# What is recorded: differences, and per kind and rule how many.
recorded() {
	run diff show demo-clinic --format json --profile "${2:-commcare}"
	cp "$work/out" "$work/$1.diffs"
	run stats demo-clinic --format json --profile "${2:-commcare}"
	sed 's/.*"kinds"/"kinds"/' "$work/out" >"$work/$1.stats"
}
as_recorded() {
	cmp "$work/$1.diffs" "$work/$2.diffs" && cmp "$work/$1.stats" "$work/$2.stats"
}
lines() {
	wc -l <"$work/out" | tr -d ' '
}

exits 5 "nothing can be compared again before the migration" diff cases demo-clinic
ok "what comes first is said" says err 'settle migrate demo-clinic'
exits 2 "forms need a source" diff forms demo-clinic
run migrate demo-clinic --source "file:$feed"
recorded first
run migrate demo-clinic --source "file:$feed"
recorded twice
ok "a file read twice leaves everything as it was" as_recorded first twice

# Documents with differences, and with changes: cases and forms. What these numbers should be is for migrate.sh.
count() {
	node -e 'const d = require("fs").readFileSync(process.argv[1], "utf8").split("\n").filter(Boolean).map(JSON.parse);
		console.log(d.filter(x => x.kind.startsWith(process.argv[2])).length)' "$@"
}
run diff show demo-clinic --format json --changes
cp "$work/out" "$work/changes"
cases=$(count "$work/first.diffs" CommCareCase) forms=$(count "$work/first.diffs" XForm) changes=$(count "$work/changes" CommCareCase)
deleted=$(count "$work/first.diffs" CommCareCase-Deleted) deleted_changes=$(count "$work/changes" CommCareCase-Deleted)
missing=18
ok "the demo domain has some of each" test "$cases" -gt 10 -a "$forms" -gt 2 -a "$changes" -gt 10

# ---- diff cases, diff forms ----

exits 1 "diff cases" diff cases demo-clinic
ok "tells how many" grep -qE "^compared 609 cases, $cases with diffs, $changes with changes, $missing missing\$" "$work/out"
recorded cases
ok "finds what the migration found" as_recorded first cases
exits 1 "diff forms" diff forms demo-clinic --source "file:$feed" --format json
ok "tells how many" same "$(cat "$work/out")" '{"compared":2464,"diffs":4,"changes":0,"missing":0,"left":0}'
recorded forms
ok "finds what the migration found" as_recorded first forms
exits 1 "only those with diffs" diff cases demo-clinic --select with-diffs --format json
ok "are as many as were" same "$(cat "$work/out")" "$(sed "s/^.*\"missing\"/{\"compared\":$cases,\"diffs\":$cases,\"changes\":0,\"missing\"/" "$work/out")"
exits 1 "forms with diffs" diff forms demo-clinic --select with-diffs --source "file:$feed" --format json
ok "are as many as were" same "$(cat "$work/out")" '{"compared":4,"diffs":4,"changes":0,"missing":0,"left":0}'
exits 1 "pending: nothing waits, but the migration is not clean" diff cases demo-clinic --select pending --format json
ok "so nothing is compared" same "$(cat "$work/out")" '{"compared":0,"diffs":0,"changes":0,"missing":0,"left":0}'
exits 1 "a kind" diff cases demo-clinic --select CommCareCase-Deleted --format json
ok "is all of it" same "$(cat "$work/out")" "{\"compared\":16,\"diffs\":$deleted,\"changes\":$deleted_changes,\"missing\":0,\"left\":0}"
id=001f2e5f-08b5-4642-892f-6d3597b8dd38
exits 1 "one case" diff cases demo-clinic --select $id --format json
ok "is one" same "$(cat "$work/out")" '{"compared":1,"diffs":0,"changes":1,"missing":0,"left":0}'
exits 2 "another kind's id is none" diff cases demo-clinic --select "CommCareCase-Deleted:$id" --format json
ok "so nothing is compared" same "$(cat "$work/out")" '{"compared":0,"diffs":0,"changes":0,"missing":0,"left":0}'
ok "and it is named" says err "no document CommCareCase-Deleted:$id in demo-clinic"
form=$(sed -n 's/.*"kind":"XFormInstance","id":"\([^"]*\)".*/\1/p' "$work/first.diffs" | head -1)
for command in cases forms show filter patch; do
	exits 2 "diff $command: an id that is nobody's" diff $command demo-clinic --select nobody --source "file:$feed"
	ok "diff $command: names it" says err 'error: no document nobody in demo-clinic'
	exits 2 "diff $command: many" diff $command demo-clinic --select a,b,c,d,e,f --source "file:$feed"
	ok "diff $command: names the first of them" says err '6 of those named are no documents of demo-clinic: a, b, c, d, e, ...'
done
exits 1 "an id that is nobody's beside one that is" diff cases demo-clinic --select "nobody,$id"
ok "is a warning" says err 'warn: no document nobody in demo-clinic'
ok "and the other is compared" says out 'compared 1 cases, 1 with changes'
exits 0 "shown: an id that is nobody's beside one that is" diff show demo-clinic --select "nobody,$form"
ok "shown: is a warning" says err 'warn: no document nobody in demo-clinic'
ok "shown: and the other is there" says out "XFormInstance $form"
SETTLE_TARGET='' exits 2 "shown: without a target the state file tells" diff show demo-clinic --select nobody
exits 2 "a form is no case" diff cases demo-clinic --select "$form"
ok "is said" says err "no case $form in demo-clinic"
ok "and who compares it" says err 'settle diff forms'
exits 2 "a case is no form" diff forms demo-clinic --select "$id" --source "file:$feed"
ok "is said" says err "no form or plain document $id in demo-clinic"
exits 1 "a list may hold both" diff cases demo-clinic --select "$form,$id"
ok "without a word" silent err
exits 2 "forms are no cases" diff cases demo-clinic --select forms
exits 2 "pending is no selection of forms" diff forms demo-clinic --select pending --source "file:$feed"
recorded parts
ok "parts leave the whole as it was" as_recorded first parts

# ---- --select of diff show ----

shown() {
	exits 0 "$1" diff show demo-clinic --format json --select "$2"
	ok "$1: $3" same "$(lines)" "$3"
}
shown "all with diffs" with-diffs $((cases + forms))
shown "all with changes" with-changes "$changes"
shown "forms" forms "$forms"
shown "cases" cases "$cases"
shown "a list of kinds" XFormInstance,CommCareCase-Deleted $((forms + deleted))
named=113262634b7fef0cfc0cdeb1cf02f2ed
shown "an id" $named 1
ok "its differences: type, path, old, new" grep -qx '{"kind":"CommCareCase","id":"'$named'","diffs":\[{"type":"diff","path":\["opened_by"\],"old":"u-0000-other","new":"u-0000"}\]}' "$work/out"
shown "changes have a reason last" with-changes "$changes"
ok "behind what differs" grep -qE '"new":[^{}]*,"reason":"[^"]*"\}' "$work/out"
shown "an id twice" $named,$named 1
shown "a kind and an id" CommCareCase:$named 1
printf '"%s"\r\nCommCareCase,"%s"\n\n"no ""such"", id"\n' $named 4a443453738fc4d025b692dd27141aa1 >"$work/ids.csv"
shown "a file" "$work/ids.csv" 2
(cd "$work" && "$settle" diff show demo-clinic --format json --select ids.csv >named.out 2>named.err)
ok "a CSV file named without ./" same "$(wc -l <"$work/named.out" | tr -d ' ')" 2
printf 'a,b,c\n' >"$work/three"
exits 2 "three fields" diff show demo-clinic --select "$work/three"
ok "are named with their line" says err 'line 1'
printf 'a\n"b\n' >"$work/open"
exits 2 "a quote that is not closed" diff show demo-clinic --select "$work/open"
ok "is named with its line" says err 'line 2'
exits 2 "pending cases have none" diff show demo-clinic --select pending
exits 2 "an empty selection" diff show demo-clinic --select ''

# ---- --csv ----

exits 0 "CSV" diff show demo-clinic --csv --changes
ok "the columns" same "$(head -1 "$work/out")" 'doc_type,doc_id,user_id,server_date,diff_type,path,old_value,new_value,reason'
ok "a line" grep -qE "^CommCareCase,$id,[^,]+,[0-9]{4}-[^,]+Z,complex,@user_id/user_id,\"\"\"u-0006-other\"\"\",\"\"\"u-0006\"\"\",rebuild case$" "$work/out"
cp "$work/changes" "$work/json"
# Reads the CSV back by the book and compares it with the JSON.
ok "says the same as the JSON" node -e '
	const fs = require("fs"), text = fs.readFileSync(process.argv[1], "utf8");
	const rows = [];
	for (let i = 0, row = [], field = ""; i < text.length; i++) {
		if (text[i] === "\"" && field === "") {
			for (i++; text[i] !== "\"" || text[i + 1] === "\""; i++) { if (text[i] === "\"") i++; field += text[i]; }
		} else if (text[i] === ",") { row.push(field); field = ""; }
		else if (text[i] === "\n") { row.push(field); rows.push(row); row = []; field = ""; }
		else field += text[i];
	}
	const all = fs.readFileSync(process.argv[2], "utf8").split("\n").filter(Boolean).map(JSON.parse);
	const of = v => v === undefined ? "" : JSON.stringify(v);
	const norm = s => s === "" ? "" : JSON.stringify(JSON.parse(s));
	const want = all.flatMap(d => d.diffs.map(x => [d.kind, d.id, x.type, x.path.join("/"), of(x.old), of(x.new), x.reason || ""]));
	const got = rows.slice(1).map(r => [r[0], r[1], r[4], r[5], norm(r[6]), norm(r[7]), r[8]]);
	if (JSON.stringify(want) !== JSON.stringify(got)) process.exit(1);
' "$work/out" "$work/json"
SETTLE_TARGET='' run diff show demo-clinic --csv --changes
ok "without a target nobody is known" grep -qE "^CommCareCase,$id,,,complex" "$work/out"

# ---- --ignored ----

exits 0 "what rules drop in a case" diff show demo-clinic --ignored --select $id
ok "with the rule" grep -qE "^CommCareCase $id CommCareCase\\*: _rev, any -> absent$" "$work/out"
exits 0 "as JSON" diff show demo-clinic --ignored --select $id --format json
ok "on a line, with rule and reason" grep -qE '^\{"kind":"CommCareCase","id":"[^"]*","diffs":\[\{.*"reason":"the CouchDB revision".*"rule":"CommCareCase\*: _rev, any -> absent"' "$work/out"
exits 2 "in forms, without a source" diff show demo-clinic --ignored
exits 2 "or in an id that is no case" diff show demo-clinic --ignored --select nobody
exits 0 "in everything" diff show demo-clinic --ignored --source "file:$feed" --format json
tally='const t = {}; for (const l of require("fs").readFileSync(process.argv[1], "utf8").split("\n").filter(Boolean)) for (const d of JSON.parse(l).diffs) t[d.rule] = (t[d.rule] || 0) + 1; console.log(Object.keys(t).sort().map(k => k + " " + t[k]).join("\n"))'
node -e "$tally" "$work/out" >"$work/tally"
run stats demo-clinic --format json
node -e 'const v = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")); console.log(v.ignored.map(i => i.rule + " " + i.count).sort().join("\n"))' "$work/out" >"$work/tally.stats"
ok "adds up to the tally" cmp "$work/tally" "$work/tally.stats"
exits 0 "as CSV" diff show demo-clinic --ignored --select $id --csv
ok "with the rule as reason" grep -q ',"CommCareCase\*: _rev, any -> absent"$' "$work/out"
exits 2 "changes or ignored" diff show demo-clinic --ignored --changes
exits 2 "CSV or JSON" diff show demo-clinic --csv --format json
ok "is said" says err '--csv and --format json are mutually exclusive'

# ---- rules are edited ----

# edit NAME JAVASCRIPT: the built-in profile with something done to p
edit() {
	"$settle" profile show commcare | node -e "
		const p = JSON.parse(require('fs').readFileSync(0, 'utf8'));
		const block = name => p.rules.find(b => b.for === name).rules;
		$2;
		console.log(JSON.stringify(p));
	" >"$work/$1.json"
}
# fresh NAME: what a migration with that profile records
fresh() {
	SETTLE_TARGET="sqlite:$work/$1.db" SETTLE_STATE_DIR="$work/state-$1" run migrate demo-clinic --source "file:$feed" \
		--profile "$work/$1.json"
	keep_target=$SETTLE_TARGET keep_state=$SETTLE_STATE_DIR
	SETTLE_TARGET="sqlite:$work/$1.db" SETTLE_STATE_DIR="$work/state-$1"
	recorded "fresh-$1" "$work/$1.json"
	SETTLE_TARGET=$keep_target SETTLE_STATE_DIR=$keep_state
}
edit more "block('CommCareCase*').push({type: 'missing', path: '*', absent: 'new', reason: 'a test'}); block('XFormInstance*').push({type: 'diff', reason: 'a test'})"
edit less "p.rules.find(b => b.for === 'CommCareCase*').rules = block('CommCareCase*').filter(r => r.path !== 'closed_by'); p.rules.find(b => b.for === 'XFormInstance*').rules = block('XFormInstance*').filter(r => r.path !== 'user_id')"
edit ask "block('XFormInstance*').push({path: 'uid', if: 'supply_point_form', reason: 'a test'})"
for name in more less ask; do
	fresh $name
done

exits 0 "stats tell that rules were edited" stats demo-clinic --profile "$work/more.json"
ok "and what to do" says out 'settle diff filter demo-clinic'
exits 0 "as JSON too" stats demo-clinic --profile "$work/more.json" --format json
ok "by a key of its own" says out '"other_rules":true'
run diff show demo-clinic --format json
cp "$work/out" "$work/before"
exits 1 "filter, but dry" diff filter demo-clinic --profile "$work/more.json" --dry-run
ok "a line for each document" grep -qE '^XFormInstance [^ ]+: [0-9]+ -> [0-9]+ diffs$' "$work/out"
sed '/^looked at/d' "$work/out" >"$work/dry"
ok "and how many there were" grep -qE '^looked at [0-9]+ documents, [0-9]+ are others now; nothing was recorded$' "$work/out"
run diff show demo-clinic --format json
ok "changes nothing" cmp "$work/before" "$work/out"
exits 1 "filter" diff filter demo-clinic --profile "$work/more.json"
sort "$work/dry" >"$work/dry.sorted"
sed '/^looked at/d' "$work/out" | sort >"$work/out.sorted"
ok "tells the same" cmp "$work/dry.sorted" "$work/out.sorted"
recorded more "$work/more.json"
ok "gives what a fresh comparison gives" as_recorded fresh-more more
exits 1 "again" diff filter demo-clinic --profile "$work/more.json"
ok "there is nothing to do" same "$(cat "$work/out")" 'nothing to do: what is stored was told by these rules'

exits 5 "rules that are gone need the source for forms" diff filter demo-clinic --profile "$work/less.json"
ok "a rule is named" says err 'a rule that is gone for XFormInstance*: '
exits 1 "cases need none" diff filter demo-clinic --profile "$work/less.json" --select cases
exits 1 "with the source" diff filter demo-clinic --profile "$work/less.json" --source "file:$feed"
recorded less "$work/less.json"
ok "it gives what a fresh comparison gives" as_recorded fresh-less less
exits 0 "and is told so" stats demo-clinic --profile "$work/less.json" --format json
ok "by silence" not says out other_rules

exits 1 "a migration after an edit" migrate demo-clinic --profile "$work/ask.json" --source "file:$feed"
ok "says that stored differences are older" says err 'settle diff filter demo-clinic'
exits 5 "an added rule that asks the document" diff filter demo-clinic --profile commcare --select forms
run diff cases demo-clinic --profile "$work/ask.json"
run diff forms demo-clinic --profile "$work/ask.json" --source "file:$feed"
recorded ask "$work/ask.json"
ok "comparing all again does as well" as_recorded fresh-ask ask
exits 0 "and ends it" stats demo-clinic --profile "$work/ask.json" --format json
ok "as told" not says out other_rules
# ---- a complete migration ----

export SETTLE_TARGET="sqlite:$work/done.db" SETTLE_STATE_DIR="$work/state-done"
run migrate demo-clinic --source "file:$feed"
recorded open
exits 0 "commit" commit demo-clinic --source "file:$feed" --accept-differences
exits 1 "cases of a complete migration" diff cases demo-clinic --format json
sort "$work/out" >"$work/seen"
run diff show demo-clinic --format json --select cases
cp "$work/out" "$work/known"
run diff show demo-clinic --format json --changes
sort "$work/known" "$work/out" >"$work/known.sorted"
ok "are compared and printed" cmp "$work/seen" "$work/known.sorted"
exits 1 "forms too" diff forms demo-clinic --source "file:$feed"
ok "and nothing is recorded" grep -qE '; nothing was recorded$' "$work/out"
exits 5 "filter records, so it is refused" diff filter demo-clinic --profile "$work/more.json"
exits 5 "with nothing to do too" diff filter demo-clinic
recorded done
ok "all is as it was" as_recorded open done
export SETTLE_TARGET="sqlite:$work/t.db" SETTLE_STATE_DIR="$work/state"

exits 5 "a mapping may not be edited" diff filter demo-clinic --profile documents --source "file:$feed"
finish
