#!/bin/sh
# Masked copies of PostgreSQL snapshots: what must not travel is nowhere in them, what is left holds together, and what was made on the way is gone.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT
SETTLE_STATE_DIR=$work/state
export SETTLE_STATE_DIR
start_pg -c log_statement=all || exit 99
create_pg_database shop || exit 99
create_pg_database elsewhere || exit 99
psql -X -q -v ON_ERROR_STOP=1 -d shop >/dev/null <<'SQL' || echo "not ok - the database"
CREATE ROLE reader;
CREATE EXTENSION citext;
COMMENT ON EXTENSION citext IS 'ours';
CREATE TABLE loose (name citext);
INSERT INTO loose VALUES ('SecretLoose');
CREATE DOMAIN mail AS varchar(20) CHECK (VALUE LIKE 'SecretMail%' OR length(VALUE) = 20);
CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, email mail UNIQUE, phone text, uid uuid, doc jsonb, bytes bytea, born date, code char(4),
	upper_name text GENERATED ALWAYS AS (upper(name)) STORED);
INSERT INTO people SELECT g, 'SecretName' || g % 50, 'SecretMail' || g, nullif('SecretPhone' || g, 'SecretPhone7'), md5(g::text)::uuid, jsonb_build_object('a', 'SecretDoc' || g),
	convert_to('SecretBytes' || g, 'UTF8'), '1977-07-07', 'SECR' FROM generate_series(1, 100) g;
CREATE INDEX ON people (name);
CREATE TABLE mails (id serial PRIMARY KEY, email mail REFERENCES people (email), what text);
INSERT INTO mails (email, what) SELECT email, 'SecretWhat' FROM people;
CREATE TABLE letters (text text);
INSERT INTO letters VALUES ('SecretLetter');
CREATE SCHEMA "odd "" schema; --";
CREATE TABLE "odd "" schema; --"."ta.b""le" ("co""l" text, letters text);
INSERT INTO "odd "" schema; --"."ta.b""le" VALUES ('SecretOdd', NULL);
CREATE TABLE "odd "" schema; --".letters (text text);
CREATE TABLE parts (k int, v text) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
INSERT INTO parts VALUES (1, 'SecretPart');
CREATE TABLE older (v text);
CREATE TABLE newer () INHERITS (older);
INSERT INTO newer VALUES ('SecretHeir');
CREATE MATERIALIZED VIEW names AS SELECT name FROM people;
CREATE VIEW seen AS SELECT name FROM people;
CREATE TABLE history (old text);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.history VALUES (OLD.name); RETURN NEW; END $$;
CREATE TRIGGER keep BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION keep();
CREATE RULE keep AS ON UPDATE TO mails DO ALSO INSERT INTO history VALUES (OLD.what);
ALTER TABLE people ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
GRANT SELECT ON people TO reader;
COMMENT ON TABLE people IS 'who they are';
SELECT lo_from_bytea(4711, 'SecretObject');
ANALYZE;
SQL
for key in mine theirs; do
	exits 0 "key $key" snapshot keygen "$work/$key"
done
pg=$(pg_url shop)
exits 0 "a snapshot" snapshot create --name plain -t "$pg"
exits 0 "an encrypted one" snapshot create --name enc -t "$pg" --recipient "$work/mine.pub"
cat >"$work/mask.json" <<'JSON'
{"people.name": "hash", "loose.name": "hash", "people.email": "hash", "public.mails.email": "hash", "mails.what": {"value": "it's \"x\""}, "people.phone": {"value": "none"},
	"people.uid": "hash", "people.doc": "hash", "people.bytes": "hash", "people.born": {"value": "1900-01-01"}, "people.code": null,
	"\"odd \"\" schema; --\".\"ta.b\"\"le\".co\"l": "hash", "parts.v": null, "older.v": {"value": "x"}}
JSON
# masked NAME ARGUMENTS...: a masked copy of that snapshot
masked() {
	name=$1
	shift
	run snapshot copy "$name" --to "$work/copies" --recipient "$work/theirs.pub" --key "$work/mine" -t "$pg" "$@"
}
nothing_left() {
	test "$(databases)" = "elsewhere shop " && test -z "$(find "$work/state/copy" -mindepth 1 ! -name .lock)" && test "$(ls "$work/copies")" = "${1-snapshot-for-copy}"
}
there() {
	psql -X -A -t -d elsewhere -c "$1"
}

for name in plain enc; do
	masked $name --mask "$work/mask.json" --exclude-table public.letters
	ok "$name: a masked copy" test $status -eq 0
	ok "$name: nothing is left beside it" nothing_left
	exits 0 "$name: it is good" snapshot verify snapshot-for-copy --dir "$work/copies" --key "$work/theirs"
	exits 0 "$name: restored elsewhere" snapshot restore snapshot-for-copy --dir "$work/copies" --key "$work/theirs" -t "$(pg_url elsewhere)" --state-dir "$work/there" -y --drop-old
	pg_dump -d elsewhere >"$work/dump.sql"
	ok "$name: nothing secret travelled" not grep -Eq "Secret(Name|Mail[0-9]|Phone|Doc|Bytes|What|Letter|Odd|Part|Heir|Object|Loose)|SECRETNAME|1977-07-07|SECR" "$work/dump.sql"
	ok "$name: nor its hex" not grep -q "$(printf 'SecretBytes' | od -An -tx1 | tr -d ' \n')" "$work/dump.sql"
	ok "$name: nor a statistic" test "$(there "SELECT count(*) FROM pg_stats WHERE most_common_vals::text LIKE '%Secret%'")" -eq 0
	ok "$name: what is computed was computed anew" test "$(there 'SELECT bool_and(upper_name = upper(name)) FROM people')" = t
	ok "$name: the materialized view too" test "$(there 'SELECT count(*) FROM names JOIN people USING (name)')" -eq 200
	ok "$name: equal values stay equal, different ones different" test "$(there 'SELECT count(*), count(DISTINCT name), count(DISTINCT email), count(DISTINCT uid) FROM people')" = "100|50|100|100"
	ok "$name: null stays null" test "$(there 'SELECT count(phone), count(code) FROM people')" = "99|0"
	ok "$name: what refers to it still does" test "$(there 'SELECT count(*) FROM mails JOIN people USING (email)')" -eq 100
	ok "$name: a value is what was given" test "$(there 'SELECT DISTINCT what FROM mails')" = "it's \"x\""
	ok "$name: keys, grants and comments are there" test "$(there "SELECT count(*) FROM pg_constraint WHERE conname IN ('people_pkey', 'mails_email_fkey', 'people_email_key')")/$(
		there "SELECT has_table_privilege('reader', 'people', 'SELECT'), obj_description('people'::regclass)")" = "3/t|who they are"
	ok "$name: large objects stayed behind" test "$(there 'SELECT count(*) FROM pg_largeobject_metadata')" -eq 0
	there "SELECT max(email) FROM people" >>"$work/hashes"
done
ok "each copy has hashes of its own" test "$(sort -u "$work/hashes" | wc -l)" -eq 2
run snapshot show snapshot-for-copy --dir "$work/copies" --format json
ok "the manifest says what is missing" says out '"excluded":["public.letters"],"masked":["people.name"'
ok "the log of the server saw the key come" grep -q 'COPY pg_temp.settle_key' "$pg_dir/server.log"
ok "and not the key" not grep -Eq '[0-9a-f]{128}' "$pg_dir/server.log"

# ---- bad masks ----

# refused CODE TEXT MASK
refused() {
	printf '%s' "$3" >"$work/bad.json"
	masked plain --mask "$work/bad.json"
	ok "a mask of $3" test $status -eq "$1"
	ok "says '$2'" says err "$2"
	ok "and leaves nothing" nothing_left
}
refused 2 "--mask people.none: there is no such column" '{"people.none": null}'
refused 2 "there is no table nobody in the snapshot" '{"nobody.name": "hash"}'
refused 2 "--mask people.name: the column cannot be null" '{"people.name": null}'
refused 2 "--mask people.upper_name: the column is computed from others" '{"people.upper_name": "hash"}'
refused 2 "--mask names.name: names is a view" '{"names.name": null}'
refused 2 "--mask people.id: a hash has no place in a column of this type (integer)" '{"people.id": "hash"}'
refused 2 "--mask people.code: a hash has no place" '{"people.code": "hash"}'
refused 2 'invalid input syntax for type date: "soon"' '{"people.born": {"value": "soon"}}'
refused 2 'violates check constraint "mail_check"' '{"people.email": {"value": "x"}}'
refused 2 "there is more than one table letters" '{"letters.text": null}'
refused 4 'could not create unique index "people_email_key"' '{"people.email": {"value": "SecretMailAddress"}}'
ok "with the way out" says err "a hash keeps them"
refused 4 'violates foreign key constraint "mails_email_fkey"' '{"people.email": "hash"}'
ok "and no value is told" not says err SecretMail
masked plain --exclude-table none
ok "a table that is not there" test $status -eq 2
ok "is named" says err "--exclude-table: there is no table none"
masked plain --exclude-table people
ok "a table that others refer to" test $status -eq 4
ok "the key that does not hold is named" says err mails_email_fkey
ok "nothing is left of all that" nothing_left
masked plain --exclude-table people,mails
ok "with what refers to it, it can stay behind" test $status -eq 0

# ---- the server ----

exits 2 "without a server" snapshot copy plain --to "$work/copies" --recipient "$work/theirs.pub" --exclude-table mails
ok "the way out is said" says err "give --target"
exits 2 "with a file for a server" snapshot copy plain --to "$work/copies" --recipient "$work/theirs.pub" --exclude-table mails -t "sqlite:$work/x.db"
start_pg2 || exit 99
other=$(in_pg2 pg_url postgres)
masked plain --exclude-table mails -t "$other"
ok "a server without the roles" test $status -eq 4
ok "is told which" says err "lacks roles that the snapshot needs: reader"
in_pg2 psql -X -q -d postgres -c 'CREATE ROLE reader'
masked plain --exclude-table mails -t "$other"
ok "any server will do" test $status -eq 0

# What a killed call left in one server is not forgotten when another is named.
in_pg2 create_pg_database settle_copy_0123456789abcdef || exit 99
printf '{"database":"settle_copy_0123456789abcdef","server":"%s","target":"%s"}' \
	"$(in_pg2 psql -X -A -t -d postgres -c 'SELECT system_identifier FROM pg_control_system()')" "$other" >"$work/state/copy/database.json"
masked plain --exclude-table mails
ok "a database that was left in another server" test $status -eq 5
ok "is named" says err "left database settle_copy_0123456789abcdef in the server of"
exits 0 "prune tells of it" snapshot prune --dry-run
ok "by name" says out "would remove  database settle_copy_0123456789abcdef"
exits 5 "and needs to know the server" snapshot prune -y
ok "and says so" says err "snapshot prune --target"
exits 0 "given it" snapshot prune -y -t "$other"
ok "it is dropped" test "$(in_pg2 psql -X -A -t -d postgres -c "SELECT count(*) FROM pg_database WHERE datname LIKE 'settle%'")" -eq 0
ok "nothing is left at the end" nothing_left
finish
