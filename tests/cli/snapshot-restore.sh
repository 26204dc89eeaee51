#!/bin/sh
# The way back: a snapshot restored is the target as it was, and the migration goes on as if nothing had happened.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT

note() {
	printf '{"seq":%s,"id":"%s","changes":[{"rev":"1-a"}],"doc":{"_id":"%s","_rev":"1-a","doc_type":"Note","text":"%s"}}\n' "$1" "$2" "$2" "$3"
}
note 1 a one >"$work/feed.ndjson"
note 2 b two >>"$work/feed.ndjson"
"$settle" profile show documents >"$work/notes.json"
SETTLE_PROFILE=$work/notes.json
SETTLE_SOURCE=file:$work/feed.ndjson
export SETTLE_PROFILE SETTLE_SOURCE
start_pg || exit 99

# ---- PostgreSQL: a hostile database ----

SETTLE_STATE_DIR=$work/state
export SETTLE_STATE_DIR
shop='sh"op it'\''s 100% -d'
create_pg_database "$shop" || exit 99
SETTLE_TARGET="host=$pg_dir user=settle dbname='sh\"op it\\'s 100% -d'"
export SETTLE_TARGET
exits 0 "a migration" migrate d
sql "$shop" 'CREATE ROLE "re""ader"' 'CREATE ROLE plain' \
	'CREATE EXTENSION citext' "COMMENT ON EXTENSION citext IS 'ours'" 'CREATE TABLE loose (name citext)' "INSERT INTO loose VALUES ('It')" \
	'CREATE SCHEMA "odd "" schema; --"' \
	'CREATE TABLE "odd "" schema; --"."ta""ble '\''1'\''" ("co""l" text COLLATE "C", id bigserial PRIMARY KEY, j jsonb, b bytea, n numeric)' \
	'INSERT INTO "odd "" schema; --"."ta""ble '\''1'\''" ("co""l", j, b, n) SELECT E'\''a\tb\\n\'\''" '\'' || g, jsonb_build_object('\''k'\'', g), decode(md5(g::text), '\''hex'\''), g / 7.0 FROM generate_series(1, 300) g' \
	"SELECT setval('\"odd \"\" schema; --\".\"ta\"\"ble ''1''_id_seq\"', 4711)" \
	'COMMENT ON TABLE documents IS $$it'\''s a "comment"$$' \
	'COMMENT ON SCHEMA "odd "" schema; --" IS $$x$$' \
	'GRANT SELECT ON documents TO "re""ader" WITH GRANT OPTION' 'GRANT USAGE ON SCHEMA "odd "" schema; --" TO plain' \
	'CREATE TABLE parts (k int, v text) PARTITION BY LIST (k)' 'CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)' \
	"INSERT INTO parts VALUES (1, 'x'), (1, NULL)" \
	'CREATE MATERIALIZED VIEW sums AS SELECT count(*) AS n FROM parts' \
	"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION 'not while loading'; END \$\$" \
	'CREATE TRIGGER t BEFORE INSERT ON parts_1 FOR EACH ROW EXECUTE FUNCTION f()' \
	'CREATE SEQUENCE lonely START 5 INCREMENT -1 MINVALUE -10 MAXVALUE 5' "SELECT nextval('lonely')" \
	"CREATE TYPE mood AS ENUM ('so''so', 'good')" 'CREATE TABLE empty (m mood)' 'CREATE UNLOGGED TABLE u AS SELECT 1 AS x' >/dev/null || echo "not ok - hostile schema"
psql -X -q -A -t -v ON_ERROR_STOP=1 -d postgres -v db="$shop" >/dev/null <<'SQL' || echo "not ok - hostile database"
COMMENT ON DATABASE :"db" IS 'what''s this';
GRANT CONNECT ON DATABASE :"db" TO plain;
REVOKE TEMPORARY ON DATABASE :"db" FROM PUBLIC;
ALTER DATABASE :"db" SET search_path TO "$user", public, "odd "" schema; --";
ALTER DATABASE :"db" SET work_mem = '7MB';
ALTER ROLE plain IN DATABASE :"db" SET my.setting = 'a=b, "c"';
ALTER DATABASE :"db" CONNECTION LIMIT 50;
SQL
dump_all() {
	pg_dump --no-sync --exclude-table-data=settle_migration -d "$(printf '%s' "$SETTLE_TARGET")" | grep -vE '^(-- |\\(un)?restrict )'
	psql -X -A -t -d postgres -v db="$shop" <<'SQL'
SELECT pg_get_userbyid(datdba), (SELECT array_agg(a::text ORDER BY a::text) FROM aclexplode(datacl) a), shobj_description(oid, 'pg_database'), datconnlimit, datcollate,
	(SELECT array_agg(setconfig::text ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = :'db'
SQL
}
databases() {
	sql postgres "SELECT datname FROM pg_database WHERE datname LIKE 'sh\"op%' ORDER BY 1"
}
dump_all >"$work/before"
exits 0 "a key" snapshot keygen "$work/key"
exits 0 "a snapshot" snapshot create --name plain
exits 0 "an encrypted one" snapshot create --name enc --recipient "$work/key.pub"
exits 0 "one inside the server" snapshot create --name inside --method template

# go_on NAME: the target has changed, goes back to the snapshot, and the migration goes on
go_on() {
	note 3 c three >>"$work/feed.ndjson"
	exits 0 "$1: the migration went further" migrate d
	sql "$SETTLE_TARGET" "UPDATE documents SET body = '{}'" 'DROP TABLE parts CASCADE' 'CREATE TABLE new_one (x int)' >/dev/null
	exits 0 "$1: restore" snapshot restore "$1" -y --key "$work/key"
	exits 0 "$1: the trail knows that" audit verify d
	dump_all >"$work/after"
	ok "$1: everything is as it was" cmp "$work/before" "$work/after"
	run stats d --format json
	ok "$1: status and checkpoint are those of then" says out '"checkpoint":"2"'
	exits 0 "$1: the migration goes on" migrate d
	ok "$1: and reads what is new" test "$(sql "$SETTLE_TARGET" 'SELECT count(*) FROM documents')" -eq 3
	exits 0 "$1: the old database goes" snapshot restore "$1" -y --drop-old
	ok "$1: there is one database" test "$(databases)" = "$shop"
	head -n 2 "$work/feed.ndjson" >"$work/feed.new"
	mv "$work/feed.new" "$work/feed.ndjson"
	exits 0 "$1: back again, and the old one dropped at once" snapshot restore "$1" -y --drop-old --key "$work/key"
	ok "$1: there is one database again" test "$(databases)" = "$shop"
}
go_on plain
go_on enc
go_on inside
ok "no plain files are left" test -z "$(find "$work/state/restore" -name "*.plain" -o -name toc.dat)"

# ---- refusals ----

exits 2 "it asks" snapshot restore plain
ok "and prints the plan first" grep -q '^step 1 .*verify' "$work/out"
exits 0 "--dry-run" snapshot restore plain --dry-run --format json
ok "lists the steps" says out '"step":"swap","done":false'
exits 2 "no such snapshot" snapshot restore none -y
exits 2 "no such step" snapshot restore plain -y --from-step none
exits 2 "nothing is under way" snapshot restore plain -y --from-step swap
exits 2 "an encrypted one without a key" snapshot restore enc -y
exits 0 "another key" snapshot keygen "$work/other"
exits 2 "the wrong key" snapshot restore enc -y --key "$work/other"
ok "the wrong key: no database was made" test "$(databases)" = "$shop"
exits 2 "a snapshot of another engine" snapshot restore plain -y -t "sqlite:$work/none.db"
exits 0 "what was begun with a wrong key goes on with the right one" snapshot restore enc -y --key "$work/key" --drop-old

# A client that leaves when it sees that the restore has seen it.
psql -X -q -d "$SETTLE_TARGET" >/dev/null 2>&1 <<'SQL' &
DO $$ BEGIN
	PERFORM pg_advisory_lock(4711);
	FOR i IN 1 .. 6000 LOOP
		PERFORM pg_stat_clear_snapshot();
		EXIT WHEN EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'settle snapshot' AND query LIKE 'SELECT string_agg(format(''pid %'
			AND query_start > now());
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
SQL
pid=$!
leaver_is_there() {
	test "$(sql postgres "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711")" -gt 0
}
within 30 leaver_is_there
exits 0 "a client that is about to leave is waited for" snapshot restore plain -y --drop-old
wait $pid

psql -X -q -d "$SETTLE_TARGET" -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 &
pid=$!
client_is_there() {
	test "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND pid <> pg_backend_pid()")" -gt 0
}
within 30 client_is_there
exits 5 "refused while a client is connected" snapshot restore plain -y
ok "which is named" says err "user settle, psql"
ok "with the way out" says err "--terminate"
exits 0 "--terminate" snapshot restore plain -y --terminate --drop-old
wait $pid 2>/dev/null
dump_all >"$work/after"
ok "everything is as it was" cmp "$work/before" "$work/after"

flip "$(ls "$work"/state/snapshots/plain/dump/*.gz | head -n 1)" 12
exits 5 "a damaged snapshot is refused" snapshot restore plain -y
ok "and the file is named" says err ".dat.gz is damaged"
ok "no database was made" test "$(databases)" = "$shop"
exits 5 "another one waits" snapshot restore inside -y
ok "and says how" says err "--from-step 1"
exits 0 "unless the first is given up" snapshot restore inside -y --from-step 1 --drop-old
ok "one database" test "$(databases)" = "$shop"

# ---- a missing program, and going on ----

mkdir "$work/bin"
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1" = --version ] && exec %s --version\nexit 1\n' "$(command -v pg_restore)" >"$work/bin/pg_restore"
chmod 755 "$work/bin/pg_restore"
exits 0 "a fresh snapshot" snapshot create --name again
old_path=$PATH
PATH=$work/bin:$PATH
exits 4 "pg_restore that fails" snapshot restore again -y
PATH=$old_path
ok "says at which step" says err "step 3, load"
ok "the target is untouched" sql "$SETTLE_TARGET" 'SELECT 1 FROM documents'
exits 0 "the same command goes on" snapshot restore again -y
ok "and says what was done" says err "step 1 of 8, verify: done before"
dump_all >"$work/after"
ok "everything is as it was" cmp "$work/before" "$work/after"
exits 0 "the old one goes" snapshot restore again -y --drop-old

# ---- SQLite ----

SETTLE_STATE_DIR=$work/lite
SETTLE_TARGET=sqlite:$work/t.db
exits 0 "SQLite: a migration" migrate d
sqlite3 "$work/t.db" 'CREATE TABLE "odd "" one" (x, y); INSERT INTO "odd "" one" VALUES (1, NULL), (2, x'\''00ff'\'')'
sqlite3 "$work/t.db" .dump | grep -v 'INTO settle_migration' >"$work/before"
exits 0 "SQLite: a snapshot" snapshot create --name plain
exits 0 "SQLite: an encrypted one" snapshot create --name enc --recipient "$work/key.pub"
for kind in plain enc; do
	note 3 c three >>"$work/feed.ndjson"
	exits 0 "SQLite, $kind: the migration went further" migrate d
	exits 0 "SQLite, $kind: restore" snapshot restore $kind -y --key "$work/key"
	sqlite3 "$work/t.db" .dump | grep -v 'INTO settle_migration' >"$work/after"
	ok "SQLite, $kind: everything is as it was" cmp "$work/before" "$work/after"
	ok "SQLite, $kind: the old file is kept" test "$(find "$work" -name 't.db.before-*' | wc -l)" -eq 1
	exits 0 "SQLite, $kind: the migration goes on" migrate d
	ok "SQLite, $kind: and reads what is new" test "$(sqlite3 "$work/t.db" 'SELECT count(*) FROM documents')" -eq 3
	exits 0 "SQLite, $kind: the old file goes" snapshot restore $kind -y --drop-old
	ok "SQLite, $kind: it is gone" test "$(find "$work" -name 't.db.before-*' | wc -l)" -eq 0
	head -n 2 "$work/feed.ndjson" >"$work/feed.new"
	mv "$work/feed.new" "$work/feed.ndjson"
	exits 0 "SQLite, $kind: and back" snapshot restore $kind -y --drop-old --key "$work/key"
done
sleep 600 3<"$work/t.db" >/dev/null 2>&1 &
pid=$!
sleeps() {
	test "$(cat "/proc/$pid/comm")" = sleep
}
within 30 sleeps
exits 5 "SQLite: refused while a process has it open" snapshot restore plain -y
ok "SQLite: which is named" says err "process $pid, sleep"
kill $pid
wait $pid 2>/dev/null
exits 0 "SQLite: the same command goes on" snapshot restore plain -y --drop-old

# A migration that began after the snapshot is taken back whole.
SETTLE_STATE_DIR=$work/early
SETTLE_TARGET=sqlite:$work/e.db
sqlite3 "$work/e.db" 'CREATE TABLE mine (x); INSERT INTO mine VALUES (1)'
exits 0 "before the first migration" snapshot create d --name first
exits 0 "the migration" migrate d
exits 0 "back to the time before it" snapshot restore first -y
ok "there is nothing of it" test "$(sqlite3 "$work/e.db" '.tables')" = mine
ok "nor a state file" not test -e "$work/early/domains/d/state.db"
exits 0 "the trail knows that" audit verify d
exits 0 "it can begin again" migrate d

# ---- the migration knows about it ----

exits 0 "migrate --snapshot" migrate d --snapshot
ok "makes one first" says err "snapshot made: $work/early/snapshots/pre-migration-d-"
made=$(ls -t "$work/early/snapshots" | head -n 1)
exits 0 "commit" commit d
ok "says the way back" says err "settle snapshot restore $made"
exits 0 "which works" snapshot restore "$made" -y --drop-old
run stats d --format json
ok "and leads back to in-progress" says out '"status":"in-progress"'
exits 2 "reset asks" reset d
ok "and offers it first" says err "settle snapshot restore $made"
exits 0 "the trail" audit log d --format json
ok "tells of snapshots" says out '"event":"snapshot"'
ok "and of restores" says out '"event":"restore"'
exits 0 "the trail can be verified" audit verify d
journal=$(ls "$work"/early/restore/*.json)
node -e 'const fs = require("fs"), f = process.argv[1], j = JSON.parse(fs.readFileSync(f));
j.finished = false; j.done = ["verify", "load", "check", "swap"]; fs.writeFileSync(f, JSON.stringify(j))' "$journal"
for command in migrate commit unfinish; do
	exits 5 "$command is refused between swap and the end of a restore" $command d
	ok "and says how to go on" says err "settle snapshot restore $work/early/snapshots/$made"
done
exits 5 "reset too" reset d -y
exits 0 "the restore goes on" snapshot restore "$made" -y
exits 0 "and so does the migration" migrate d
# ---- a target that others use too ----

create_pg_database shared || exit 99
SETTLE_TARGET=$(pg_url shared) SETTLE_STATE_DIR=$work/mine
exits 0 "shared: a migration" migrate d
exits 0 "shared: one of the same name in a schema before it" migrate d --schema Beside --state-dir "$work/theirs-too"
exits 0 "shared: another's" migrate e --state-dir "$work/theirs"
exits 0 "shared: a snapshot of all" snapshot create d --name all
ok "shared: what is not noted is named" says err "not noted in the audit trail of e: what $work/mine holds of it"
ok "shared: one's own is" not says err "audit trail of d"
exits 0 "shared: the other trail is whole" audit verify e --state-dir "$work/theirs"
exits 0 "shared: and the other migration goes on" migrate e --state-dir "$work/theirs"
exits 0 "shared: back again" snapshot restore all -y
exits 0 "shared: stats" stats d
ok "shared: the state file is there" not says out "the state file is lost"
exits 0 "shared: the trail" audit log d
ok "shared: the snapshot is noted once" test "$(grep -c 'snapshot all$' "$work/out")" -eq 1
ok "shared: and the restore" test "$(grep -c 'restore all$' "$work/out")" -eq 1
exits 0 "shared: it can be verified" audit verify d
exits 0 "shared: and the other one" audit verify e --state-dir "$work/theirs"

# ---- patch forms that were taken back ----

create_pg_database patched || exit 99
for engine in PostgreSQL SQLite; do
	SETTLE_STATE_DIR=$work/patched-$engine SETTLE_TARGET=sqlite:$work/patched.db
	[ $engine = SQLite ] || SETTLE_TARGET=$(pg_url patched)
	unset SETTLE_PROFILE
	SETTLE_SOURCE=file:$top_srcdir/fixtures/demo/demo.json.gz
	exits 1 "$engine: the demo domain" migrate demo-clinic
	exits 0 "$engine: a snapshot" snapshot create --name "before it's patched"
	ok "$engine: the way back can be pasted" says out "settle snapshot restore 'before it'\\''s patched'"
	run stats demo-clinic
	cp "$work/out" "$work/stats"
	exits 1 "$engine: patched" diff patch demo-clinic
	exits 0 "$engine: the trail holds it" audit verify demo-clinic
	ok "$engine: with its forms" not says out ", 0 patch forms"
	exits 0 "$engine: back again" snapshot restore "before it's patched" -y
	run stats demo-clinic
	ok "$engine: everything counts as before" cmp "$work/stats" "$work/out"
	exits 0 "$engine: the trail holds that" audit verify demo-clinic
	ok "$engine: no patch form is in force" says out ", 0 patch forms, 0 findings"
	exits 1 "$engine: patched anew" migrate demo-clinic --patch
	exits 0 "$engine: the trail holds that too" audit verify demo-clinic
	ok "$engine: with the new forms alone" not says out ", 0 patch forms"
	run snapshot restore "before it's patched" -y --drop-old
	ok "$engine: what only drops says so" says out "dropped "
	ok "$engine: and that nothing was restored" says err "nothing was restored"
	exits 0 "$engine: once more" snapshot restore "before it's patched" -y --drop-old
	exits 0 "$engine: the trail holds it all" audit verify demo-clinic
	ok "$engine: and no patch form" says out ", 0 patch forms, 0 findings"
done
SETTLE_PROFILE=$work/notes.json SETTLE_SOURCE=file:$work/feed.ndjson
export SETTLE_PROFILE
exits 0 "a SQLite file that is not there needs no snapshot" migrate d --snapshot -t "sqlite:$work/fresh.db" --state-dir "$work/fresh"

finish
