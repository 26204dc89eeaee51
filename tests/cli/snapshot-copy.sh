#!/bin/sh
# Copies of snapshots for another environment: another key, the same name, and nothing that must not travel.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT
SETTLE_STATE_DIR=$work/state
export SETTLE_STATE_DIR
for key in mine theirs; do
	exits 0 "key $key" snapshot keygen "$work/$key"
done

# ---- PostgreSQL, everything ----

start_pg || exit 99
create_pg_database shop || exit 99
psql -X -q -d shop -c "CREATE TABLE t AS SELECT g AS id, md5(g::text) AS v FROM generate_series(1, 1000) g"
exits 0 "a snapshot" snapshot create --name enc --recipient "$work/mine.pub" -t "$(pg_url shop)"
exits 0 "a plain one" snapshot create --name plain -t "$(pg_url shop)"
exits 2 "a copy is for somebody" snapshot copy enc --to "$work/copies" --key "$work/mine"
exits 2 "and goes somewhere" snapshot copy enc --recipient "$work/theirs.pub" --key "$work/mine"
exits 2 "without the key there is none" snapshot copy enc --to "$work/copies" --recipient "$work/theirs.pub"
for from in enc plain; do
	exits 0 "$from: copy" snapshot copy $from --to "$work/copies" --recipient "$work/theirs.pub" --key "$work/mine"
	ok "$from: it has its well-known name, and is alone" test "$(ls "$work/copies")" = snapshot-for-copy
	exits 0 "$from: the other key opens it" snapshot verify snapshot-for-copy --dir "$work/copies" --key "$work/theirs"
	exits 2 "$from: the first one does not" snapshot verify snapshot-for-copy --dir "$work/copies" --key "$work/mine"
	ok "$from: nothing plain is in it" test "$(find "$work/copies" -type f ! -name '*.enc' ! -name .lock | wc -l)" -eq 2
done
run snapshot show snapshot-for-copy --dir "$work/copies" --format json
ok "it says what it is a copy of" says out '"copy_of":"plain"'
create_pg_database elsewhere || exit 99
exits 0 "it can be restored elsewhere" snapshot restore snapshot-for-copy --dir "$work/copies" --key "$work/theirs" -t "$(pg_url elsewhere)" \
	--state-dir "$work/there" -y --drop-old
sums="SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM t"
ok "with every row" test "$(psql -X -A -t -d elsewhere -c "$sums")" = "$(psql -X -A -t -d shop -c "$sums")"

snapshots=$work/state/snapshots
exits 5 "a snapshot that is no copy is not replaced by one" snapshot copy enc --to "$snapshots" --name plain --recipient "$work/theirs.pub" --key "$work/mine"
ok "which is told" says err "$snapshots/plain is a snapshot, and no copy of one"
ok "with the way out" says err "give another --name"
exits 0 "it is as it was" snapshot verify plain
ok "and can be read" test -f "$snapshots/plain/dump/toc.dat"

# ---- a damaged one ----

file=$(ls "$work"/state/snapshots/enc/dump/*.gz.enc | head -n 1)
flip "$file" 100
exits 5 "a damaged snapshot is not copied" snapshot copy enc --to "$work/copies" --recipient "$work/theirs.pub" --key "$work/mine"
ok "and the file is named" says err "${file##*/}"
exits 0 "the copy from before stays" snapshot verify snapshot-for-copy --dir "$work/copies" --key "$work/theirs"

# ---- SQLite, not everything ----

sqlite3 "$work/t.db" "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, phone TEXT, town TEXT, \"od\"\"d\" TEXT, mail TEXT NOT NULL UNIQUE);
	INSERT INTO people VALUES (1, 'SecretAnn', 'Phone1', 'Town', 'OddOne', 'a'), (2, 'SecretBob', 'Phone2', NULL, 'OddTwo', 'b'), (3, 'SecretAnn', NULL, 'Town', NULL, 'c');
	CREATE TABLE letters (text TEXT); INSERT INTO letters VALUES ('PrivateLetter');
	CREATE TABLE history (old TEXT); CREATE TRIGGER keep AFTER UPDATE ON people BEGIN INSERT INTO history VALUES (OLD.name); END;
	CREATE TRIGGER keep2 AFTER DELETE ON letters BEGIN INSERT INTO history VALUES (OLD.text); END;
	CREATE INDEX names ON people (name); ANALYZE"
exits 0 "SQLite: a snapshot" snapshot create --name lite --recipient "$work/mine.pub" -t "sqlite:$work/t.db"
echo '{"people.name": "hash", "people.phone": null, "people.town": {"value": "Somewhere"}, "people.od\"d": null}' >"$work/mask.json"
exits 0 "SQLite: a masked copy" snapshot copy lite --to "$work/copies" --recipient "$work/theirs.pub" --key "$work/mine" --exclude-table letters --mask "$work/mask.json"
exits 0 "SQLite: is good" snapshot verify snapshot-for-copy --dir "$work/copies" --key "$work/theirs"
sqlite3 "$work/there.db" 'CREATE TABLE x (y)'
exits 0 "SQLite: restored elsewhere" snapshot restore snapshot-for-copy --dir "$work/copies" --key "$work/theirs" -t "sqlite:$work/there.db" --state-dir "$work/there" -y --drop-old
ok "SQLite: masked" test "$(sqlite3 "$work/there.db" 'SELECT count(*), count(phone), count(town), count("od""d"), min(town), count(DISTINCT name), min(length(name)) FROM people')" = \
	"3|0|2|0|Somewhere|2|64"
ok "SQLite: equal values stay equal" test "$(sqlite3 "$work/there.db" 'SELECT a.name = b.name FROM people a, people b WHERE a.id = 1 AND b.id = 3')" = 1
ok "SQLite: excluded rows did not travel" test "$(sqlite3 "$work/there.db" 'SELECT count(*) FROM letters')" = 0
ok "SQLite: no trigger saw them" test "$(sqlite3 "$work/there.db" 'SELECT count(*) FROM history')" = 0
ok "SQLite: no byte of them is in the file" not grep -qaE 'Secret|Phone[12]|PrivateLetter|Odd(One|Two)' "$work/there.db"
run snapshot show snapshot-for-copy --dir "$work/copies" --format json
ok "SQLite: the manifest says what is missing" says out '"excluded":["letters"],"masked":["people.name"'
# refused TEXT MASK
refused() {
	printf '%s' "$2" >"$work/bad.json"
	exits 2 "a mask of $2" snapshot copy lite --to "$work/copies" --recipient "$work/theirs.pub" --key "$work/mine" --mask "$work/bad.json"
	ok "says '$1'" says err "$1"
}
refused "no such column" '{"people.none": null}'
refused "no such table" '{"nobody.name": "hash"}'
refused "table.column" '{"name": null}'
refused 'must be null' '{"people.name": "shred"}'
refused 'no JSON object' '[]'
refused "bad.json" '{'
refused "UNIQUE constraint failed" '{"people.mail": {"value": "x"}}'
refused "NOT NULL constraint failed" '{"people.mail": null}'
exits 2 "a table that is not there" snapshot copy lite --to "$work/copies" --recipient "$work/theirs.pub" --key "$work/mine" --exclude-table none
ok "what failed left nothing" test "$(ls "$work/copies")" = snapshot-for-copy
finish
