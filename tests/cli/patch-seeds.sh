#!/bin/sh
# Invented domains from random seeds, patched again and again: what still differs is what the generator's own model of a patch pass refuses;
# every patch gives back the case before it, whatever patches came since; a second pass patches nothing. SETTLE_SEEDS says how many (2),
# SETTLE_SEED which one comes first; both are printed. Every seed into SQLite, the first and every fifth into PostgreSQL too.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/cli/patch-lib.sh"
trap 'stop_pg; rm -rf "$work"' EXIT

domain=demo-clinic
source=file:$work/feed.json
more=
count=${SETTLE_SEEDS:-2}
first=${SETTLE_SEED:-$(($(date +%s) % 10000000))}
sample=${SETTLE_SAMPLE:-8}
echo "# $count seeds from SETTLE_SEED=$first on"

# left.js EXPECTED exact|within DIFFS CHANGES: is what differs what is refused?
cat >"$work/left.js" <<'END'
const fs = require("fs"), kind = (r) => r.kind + (r.reason === "no Couch case" ? "-Deleted" : ""); // marked so by --forms=missing
const refused = new Set(JSON.parse(fs.readFileSync(process.argv[2])).later.refused.map((r) => `${kind(r)} ${r.id}`));
const lines = (f) => fs.readFileSync(f, "utf8").split("\n").filter(Boolean).map((l) => JSON.parse(l));
const left = new Set(lines(process.argv[4]).concat(lines(process.argv[5])).map((l) => `${l.kind} ${l.id}`));
const bad = [...left].filter((id) => !refused.has(id)), gone = [...refused].filter((id) => !left.has(id));
console.log(JSON.stringify({bad, gone}));
process.exit(bad.length || (process.argv[3] === "exact" && gone.length) ? 1 : 0);
END

# edit.js SEED ROUND FEED: Couch cases get another revision with other texts, hostile ones among them; names, owners, closed cases
cat >"$work/edit.js" <<'END'
const fs = require("fs"), { Rng } = require(process.argv[2]), [seed, round, feed] = process.argv.slice(3);
const rng = new Rng(Number(seed) * 100 + Number(round)), texts = ["edited", "]]> <&>\"'", "\u0000\u0001", "a\r\nb\tc ", "\ufffe\uffff", "\ud800 x", "\u{1f6cb} \u00e9", ""];
const doc = JSON.parse(fs.readFileSync(feed, "utf8"));
for (const row of doc.results) {
	const c = row.doc;
	if (!c || c.doc_type !== "CommCareCase" || c.domain !== "demo-clinic" || !rng.chance(600))
		continue;
	c._rev = `${100 + Number(round)}-edited`;
	row.changes = [{rev: c._rev}];
	c.edited = `${rng.pick(texts)}${round}`;
	if (rng.chance(300))
		delete c.edited_twice;
	else
		c.edited_twice = rng.pick(texts);
	if (rng.chance(300))
		c.name = `${c.name || "N"} ${round}`;
	if (rng.chance(200))
		c.owner_id = `owner-${round}`;
	if (rng.chance(100) && !c.closed)
		Object.assign(c, {closed: true, closed_on: c.modified_on, closed_by: c.user_id});
}
fs.writeFileSync(feed, '{"results":[\n' + doc.results.map((r) => JSON.stringify(r)).join(",\n") + '\n],"last_seq":' + JSON.stringify(doc.last_seq) + "}\n");
END

cat >"$work/canonical.js" <<'END'
// keys in the order of their bytes, as canonical JSON has them
const by = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const order = (v) => Array.isArray(v) ? v.map(order) : v && typeof v === "object"
	? new Map(Object.keys(v).sort(by).map((k) => [k, order(v[k])])) : v;
const text = (v) => v instanceof Map ? `{${[...v].map(([k, x]) => `${JSON.stringify(k)}:${text(x)}`).join(",")}}`
	: Array.isArray(v) ? `[${v.map(text).join(",")}]` : JSON.stringify(v);
console.log(text(order(JSON.parse(require("fs").readFileSync(0, "utf8")))));
END

side() { # ID: the SQL side as canonical JSON, null when there is none
	settled show $domain "$1" --side sql --format json
	[ "$status" -eq 0 ] || echo null >"$work/out"
	grep -q . "$work/out" || echo null >"$work/out"
	node "$work/canonical.js" <"$work/out"
}

# pass NAME ROUND exact|within: one migration with patches; the sampled cases' sides before it are kept
pass() {
	rm -rf "$work/before"
	mkdir "$work/before"
	settled migrate $domain -s "$source" -q
	ok "$1: compared" test "$status" -le 1
	settled patch list $domain --format json
	cp "$work/out" "$work/list.before"
	for list in "" --changes; do
		settled diff show $domain $list --select CommCareCase --format json
		grep -v '^{[^,]*,"id":"[^"]*[\\]' "$work/out" | sed 's/^{"kind":"CommCareCase","id":"//; s/","diffs":.*//'
	done | LC_ALL=C sort -u | awk -v seed="$seed$2" 'BEGIN { srand(seed) } { print rand(), $0 }' | sort | sed "s/^[^ ]* //; ${sample}q" >"$work/sampled"
	n=0
	while read -r id; do
		n=$((n + 1))
		side "$id" >"$work/before/$n"
	done <"$work/sampled"
	settled migrate $domain -s "$source" --patch -q
	ok "$1: patched" test "$status" -le 1
	settled diff show $domain --format json
	cp "$work/out" "$work/left.diffs"
	settled diff show $domain --changes --format json
	cp "$work/out" "$work/left.changes"
	ok "$1: what still differs is what is refused" node "$work/left.js" "$work/gen/expected.json" "$3" "$work/left.diffs" "$work/left.changes"
	settled patch list $domain --format json
	cp "$work/out" "$work/list"
	ok "$1: there are patches" test "$(wc -l <"$work/list")" -gt "$(wc -l <"$work/list.before")"
	n=0
	while read -r id; do
		n=$((n + 1))
		form=$(grep -vxFf "$work/list.before" "$work/list" | grep -F "\"case_id\":\"$id\"" | sed 's/.*"form_id":"//; s/".*//')
		[ -z "$form" ] || cp "$work/before/$n" "$work/undo/$form"
	done <"$work/sampled"
	settled diff patch $domain
	ok "$1: a second pass patches nothing" says out '0 patched'
}

# Every kept patch form gives back what was before it.
undo() { # NAME
	wrong=0
	forms=0
	for file in "$work"/undo/*; do
		settled patch reconstruct $domain "${file##*/}" --format json
		cmp "$file" "$work/out" || wrong=$((wrong + 1))
		forms=$((forms + 1))
	done
	ok "$1: each of $forms patches gives back the case before it, byte for byte" test $wrong -eq 0
}

check() { # NAME
	rm -rf "$work/undo"
	mkdir "$work/undo"
	cp "$work/gen/demo.json" "$work/feed.json"
	pass "$1" 0 exact
	undo "$1"
	for round in 1 2; do
		node "$work/edit.js" "$(cd "$top_srcdir" && pwd)/tests/gen/prng.js" "$seed" $round "$work/feed.json" || exit 99
		pass "$1, edited $round" $round within
		undo "$1, edited $round"
	done
	ok "$1: there were some" test "$forms" -gt 3
	settled patch list $domain --format json
	ok "$1: there are cases of several patches" test "$(sed 's/.*"case_id":"\(.*\)","received_on.*/\1/' "$work/out" | sort | uniq -c | awk '$1 > 2' | wc -l)" -gt 0
	settled audit verify $domain
	ok "$1: the trail is sound" test "$status" -eq 0
	ok "$1: git says so too" git -C "$state/audit.git" fsck --strict --no-dangling
}

start_pg || exit 99
seed=$first
while [ "$seed" -lt $((first + count)) ]; do
	rm -rf "$work/gen" "$work"/state-* "$work"/t.db*
	node "$top_srcdir/tests/gen/domain.js" --seed "$seed" --forms 400 --cases 100 --plain --out "$work/gen" >/dev/null || exit 99
	state=$work/state-sqlite
	target=sqlite:$work/t.db
	check "seed $seed, sqlite"
	if [ $(((seed - first) % 5)) -eq 0 ]; then
		create_pg_database "seed_$seed" || exit 99
		state=$work/state-pg
		target=$(pg_url "seed_$seed")
		check "seed $seed, pg"
	fi
	seed=$((seed + 1))
done
finish
