#!/bin/sh
# The worked example of the README says what settle says; typed columns in both databases.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT
example=$top_srcdir/fixtures/example

# The README's block of commands, run in a copy, has to print what stands there.
mkdir "$work/bin" "$work/example" "$work/tmp"
ln -s "$(readlink -f "$settle")" "$work/bin/settle"
cp "$example"/*.json "$work/example"
awk '/^## /{here = 0} /^## Another kind of database/{here = 1} here && sub(/^    /, "")' "$top_srcdir/README.md" | sed "s|/tmp/|$work/tmp/|g" >"$work/wanted"
ok "the README has an example" test "$(grep -c '^\$ ' "$work/wanted")" -ge 5
PATH=$work/bin:$PATH
export PATH SETTLE_STATE_DIR="$work/state"
sed -n 's/^\$ //p' "$work/wanted" | while IFS= read -r command; do
	printf '$ %s\n' "$command"
	(cd "$work/example" && sh -c "$command" </dev/null 2>"$work/err")
done >"$work/printed"
ok "which says what settle says" diff "$work/wanted" "$work/printed"

# ---- odd values in columns, the same in both databases ----

cat >"$work/odd.json" <<'END'
{"name": "odd", "domain_field": null, "type_field": "type", "other_kinds": "compared", "kinds": [],
 "columns": {"it's \"odd\"": {
  "date": {"path": ["d"], "type": "date"}, "at": {"path": ["t"], "type": "timestamp"}, "int": {"path": ["i"], "type": "integer"},
  "num": {"path": ["n"], "type": "number"}, "yes": {"path": ["b"], "type": "boolean"}, "a \"text\"": {"path": ["x", "it's"], "type": "text"}}},
 "rules": []}
END
node -e '
	const dates = ["2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "2024-13-01", "2024-04-31",
		"2024-1-1", "20240101", "now", "infinity", "", " 2024-01-01", "2024-01-01 ", 20240101, null, true, {}, ["2024-01-01"]];
	const times = ["2024-02-29T23:59:59Z", "2023-02-29T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z", "2024-01-01T00:00:00.123456Z",
		"2024-01-01T00:00:00.1234567Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00+01:00", "now", "2024-01-01", 1, null];
	const ints = [0, -1, "12", "+5", "--5", "1.5", 1.5, "123456789012345678", "1234567890123456789", "x", "", null, true, [1], "99999999999999999999999999"];
	const nums = ["1.5", "-0.5", "1e5", "1e9999", ".5", "5.", "01", "x", "", "NaN", null, {}, 7, 2.5];
	const bools = [true, false, "true", "false", "yes", 1, 0, null];
	const texts = ["a", "", null, 1, true, "it\u0027s"];
	const n = Math.max(dates.length, times.length, ints.length);
	const rows = [];
	for (let k = 0; k < n; k++) {
		const id = "d" + String(k).padStart(2, "0");
		const doc = {_id: id, _rev: "1-a", type: "it\u0027s \"odd\"", x: {"it\u0027s": texts[k]}, d: dates[k], t: times[k], i: ints[k], n: nums[k], b: bools[k]};
		rows.push(JSON.stringify({seq: k + 1, id, changes: [{rev: "1-a"}], doc}));
	}
	rows.push(JSON.stringify({seq: n + 1, id: "other", changes: [{rev: "1-a"}], doc: {_id: "other", _rev: "1-a", type: "other"}}));
	console.log("{\"results\":[\n" + rows.join(",\n") + "\n],\"last_seq\":" + (n + 1) + "}");
' >"$work/odd-feed.json"
exits 0 "a profile with odd names" profile check "$work/odd.json"
exits 0 "into SQLite" migrate odd --profile "$work/odd.json" -s "file:$work/odd-feed.json" -t "sqlite:$work/odd.db" --state-dir "$work/s1"
exits 0 "again, where the view is" migrate odd --profile "$work/odd.json" -s "file:$work/odd-feed.json" -t "sqlite:$work/odd.db" --state-dir "$work/s1"
start_pg || exit 99
create_pg_database odd || exit 99
exits 0 "into PostgreSQL" migrate odd --profile "$work/odd.json" -s "file:$work/odd-feed.json" -t "$(pg_url odd)" --state-dir "$work/s2"
exits 0 "again, where the view is" migrate odd --profile "$work/odd.json" -s "file:$work/odd-feed.json" -t "$(pg_url odd)" --state-dir "$work/s2"
columns='doc_id, "date", "int", "yes", "a ""text"""'
sqlite3 -separator '|' "$work/odd.db" "SELECT $columns FROM \"it's \"\"odd\"\"\" ORDER BY doc_id" >"$work/sqlite.rows"
psql -X -A -t -d "$(pg_url odd)" -c "SELECT doc_id, \"date\", \"int\", \"yes\"::int, \"a \"\"text\"\"\" FROM \"it's \"\"odd\"\"\" ORDER BY doc_id" >"$work/pg.rows"
ok "the same rows" diff "$work/sqlite.rows" "$work/pg.rows"
ok "as many as there are" test "$(wc -l <"$work/pg.rows")" -eq 21
ok "dates of the calendar only" test "$(cut -d'|' -f2 "$work/pg.rows" | grep -c .)" -eq 4
ok "whole numbers that fit only" test "$(cut -d'|' -f3 "$work/pg.rows" | grep -c .)" -eq 5
sqlite3 "$work/odd.db" "SELECT doc_id || coalesce(substr(\"at\", 1, 19), '') FROM \"it's \"\"odd\"\"\" ORDER BY doc_id" >"$work/sqlite.rows"
psql -X -A -t -d "$(pg_url odd)" -c "SELECT doc_id || coalesce(to_char(\"at\" AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS'), '') FROM \"it's \"\"odd\"\"\" ORDER BY doc_id" >"$work/pg.rows"
ok "the same times" diff "$work/sqlite.rows" "$work/pg.rows"
ok "some of them" test "$(grep -c T "$work/pg.rows")" -eq 2
ok "numbers of both" test "$(psql -X -A -t -d "$(pg_url odd)" -c "SELECT count(\"num\") FROM \"it's \"\"odd\"\"\"")" -eq 5

# What is not settle's is left alone.
sqlite3 "$work/taken.db" 'CREATE TABLE patient (x)'
exits 4 "a name that is taken" migrate clinic --profile "$example/profile.json" -s "file:$example/feed.json" -t "sqlite:$work/taken.db" --state-dir "$work/s3"
ok "is named" says err 'view patient: something that settle did not make'

# ---- what profile check finds ----

# finds TEXT COLUMNS
finds() {
	printf '{"name": "x", "domain_field": null, "type_field": "type", "kinds": [{"name": "e", "class": "event"}],\n "columns": %s,\n "rules": []}\n' "$2" >"$work/bad.json"
	exits 1 "$1" profile check "$work/bad.json"
	ok "with line and column" grep -qE "bad.json:2:[0-9]+: error: .*$1" "$work/out"
}
finds 'differs from "A" only in case' '{"p": {"A": {"path": ["a"], "type": "text"}, "a": {"path": ["b"], "type": "text"}}}'
finds 'differs from "P" only in case' '{"P": {"a": {"path": ["a"], "type": "text"}}, "p": {"a": {"path": ["b"], "type": "text"}}}'
finds 'no longer than 63 bytes' "{\"p\": {\"$(printf 'x%.0s' $(seq 64))\": {\"path\": [\"a\"], \"type\": \"text\"}}}"
finds 'has a column "doc_id" already' '{"p": {"doc_id": {"path": ["a"], "type": "text"}}}'
finds 'name of a table of settle' '{"Forms": {"a": {"path": ["a"], "type": "text"}}}'
finds 'is no plain document' '{"e": {"a": {"path": ["a"], "type": "text"}}}'
finds 'unknown type' '{"p": {"a": {"path": ["a"], "type": "varchar"}}}'
finds 'needs "path"' '{"p": {"a": {"type": "text"}}}'
finds 'list of keys' '{"p": {"a": {"path": [], "type": "text"}}}'
finds 'whole number' '{"p": {"a": {"path": [-1], "type": "text"}}}'
finds 'cannot be a column' '{"p": {"a": {"path": ["a\"b"], "type": "text"}}}'
finish
