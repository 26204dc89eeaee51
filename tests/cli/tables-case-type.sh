#!/bin/sh
# examples/case-type: a case type moves into a service's database. Checks in their order, --apply, counts, revisions, sequences, top up, clean.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT
example=$top_srcdir/examples/case-type
start_pg || exit 99
start_pg2 || exit 99
create_pg_database datastore || exit 99
in_pg2 create_pg_database app || exit 99
SETTLE_SOURCE=$(pg_url datastore)
SETTLE_TARGET=$(in_pg2 pg_url app)
export SETTLE_SOURCE SETTLE_TARGET
manifest=$work/case.db

app() { # SQL
	in_pg2 sql app "$1"
}

node "$example/generate.js" --cases 60 --events 600 | "$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -d datastore >"$work/made" 2>&1 || exit 99
in_pg2 "$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -d app -f "$example/target.sql" || exit 99
before=$(sql datastore "SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM case_data c")

exits 2 "the case type must be told" tables plan "$manifest" --job "$example/job.json"
ok "by its name" says err 'CASE_TYPE is not set'
CASE_TYPE=TEST
export CASE_TYPE
CASE_REVISION_OFFSET=12x
export CASE_REVISION_OFFSET
exits 2 "the offset is a number" tables plan "$manifest" --job "$example/job.json"
ok "or refused" says err 'CASE_REVISION_OFFSET must be a non-negative integer'
unset CASE_REVISION_OFFSET
exits 0 "plan" tables plan "$manifest" --job "$example/job.json"
unset CASE_TYPE

run tables migrate "$manifest" --target "$(in_pg2 pg_url nowhere)"
ok "a target that is not there fails" test "$status" -eq 4
run tables migrate "$manifest"
ok "without --apply it only checks" test "$status" -eq 0
ok "and says so" says out 'Validation succeeded. Re-run with --apply to perform the migration.'
ok "nothing is written" test "$(app 'SELECT count(*) FROM ccd.case_data') $(app "SELECT count(*) FROM pg_class WHERE relname LIKE 'settle%'")" = '0 0'

app "INSERT INTO ccd.case_data VALUES (9999, 1, 'J', 'TEST', 'S', '{}', '{}', 'PUBLIC', now(), now(), 1, 1), (9998, 2, 'J', 'MINE', 'S', '{}', '{}',
	'PUBLIC', now(), now(), 1, 1)"
app "INSERT INTO ccd.case_event (id, case_data_id, case_type_id, event_id, data, user_id, created_date, version, case_revision, idempotency_key)
	VALUES (1, 9999, 'TEST', 'e', '{}', 'u', now(), 1, 1, gen_random_uuid())"
run tables migrate "$manifest"
ok "a target with rows of the case type is refused" test "$status" -eq 5
ok "and counted" says err 'Target contains 1 case_data rows and 1 case_event rows and 0 case_event_significant_items rows for TEST.'
ok "with the way out" says err 'tables clean'
run tables migrate "$manifest" --apply
ok "with --apply too" test "$status" -eq 5
app "DELETE FROM ccd.case_data WHERE case_type_id = 'TEST'; DELETE FROM ccd.outbox"

# A failure on the way leaves nothing.
app "ALTER TABLE ccd.case_event ADD CONSTRAINT short CHECK (user_id <> 'user-7')"
run tables migrate "$manifest" --apply
ok "a row that the target refuses fails the job" test "$status" -eq 4
ok "and nothing is there" test "$(app "SELECT count(*) FROM ccd.case_data WHERE case_type_id = 'TEST'")" = 0
app "ALTER TABLE ccd.case_event DROP CONSTRAINT short"
# A trigger that even replicas fire, and that loses a row: the counts tell.
app "CREATE FUNCTION ccd.lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 3 THEN RETURN NULL; END IF; RETURN NEW; END';
	CREATE TRIGGER lose BEFORE INSERT ON ccd.case_data FOR EACH ROW EXECUTE FUNCTION ccd.lose(); ALTER TABLE ccd.case_data ENABLE ALWAYS TRIGGER lose"
run tables migrate "$manifest" --apply
ok "a lost row fails the job" test "$status" -eq 4
ok "and nothing is there either" test "$(app "SELECT count(*) FROM ccd.case_data WHERE case_type_id = 'TEST'")" = 0
app "DROP TRIGGER lose ON ccd.case_data"

run tables migrate "$manifest" --apply
ok "the same command again goes on, and ends" test "$status" -eq 0
ok "counts are told" says err 'case_event: source 600 rows, target 600 rows'
ok "the case type came over" test "$(app "SELECT count(*) FROM ccd.case_data WHERE case_type_id = 'TEST'")" = 60
ok "no other" test "$(app "SELECT count(*) FROM ccd.case_data WHERE case_type_id NOT IN ('TEST', 'MINE')")" = 0
ok "with its items" test "$(app 'SELECT count(*) FROM ccd.case_event_significant_items')" = \
	"$(sql datastore "SELECT count(*) FROM case_event_significant_items i JOIN case_event e ON e.id = case_event_id WHERE case_type_id = 'TEST'")"
ok "null became {}" test "$(app "SELECT count(*) FROM ccd.case_data WHERE supplementary_data = '{}' AND case_type_id = 'TEST'")" = \
	"$(sql datastore "SELECT count(*) FROM case_data WHERE supplementary_data IS NULL AND case_type_id = 'TEST'")"
ok "events are numbered by case" test "$(app 'SELECT count(*) FROM (SELECT version, case_revision, row_number() OVER (PARTITION BY case_data_id ORDER BY id) n
	FROM ccd.case_event) x WHERE version <> n OR case_revision <> n')" = 0
ok "revisions are events and offset" test "$(app "SELECT count(*) FROM ccd.case_data c WHERE case_type_id = 'TEST' AND case_revision <> 1000000000 +
	(SELECT count(*) FROM ccd.case_event e WHERE e.case_data_id = c.id)")" = 0
ok "each event has a key of its own" test "$(app 'SELECT count(DISTINCT idempotency_key) FROM ccd.case_event')" = 600
ok "sequences are at the highest id" test "$(app "SELECT last_value FROM ccd.case_event_id_seq")" = "$(app 'SELECT max(id) FROM ccd.case_event')"
ok "triggers rested" test "$(app 'SELECT count(*) FROM ccd.outbox')" = 0
ok "and are back" test "$(app "SELECT tgenabled FROM pg_trigger WHERE tgname = 'tell'")" = O
ok "the source is as it was" test "$(sql datastore "SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM case_data c")" = "$before"
run tables validate "$manifest"
ok "validate agrees" test "$status" -eq 0
run tables migrate "$manifest" --apply
ok "there is nothing more to do" says out 'No table to migrate'

# ---- top up ----

sql datastore "UPDATE case_data SET state = 'Late', last_modified = '2030-01-02' WHERE id IN (1, 2);
	INSERT INTO case_event VALUES (5000, 3, 'TEST', 'late', NULL, '{}', 'u', '2030-01-02'), (5001, 4, 'OTHER', 'late', NULL, '{}', 'u', '2030-01-02');
	INSERT INTO case_event_significant_items VALUES (9000, 5000, 'late', 'DOCUMENT', NULL)"
keys=$(app "SELECT md5(string_agg(idempotency_key::text, '' ORDER BY id)) FROM ccd.case_event")
run tables migrate "$manifest" --apply --since 2030-01-01
ok "a top up" test "$status" -eq 0
ok "writes what has changed" test "$(app 'SELECT state FROM ccd.case_data WHERE id = 1')" = Late
ok "and what is there since" test "$(app 'SELECT event_id, version = (SELECT count(*) FROM ccd.case_event WHERE case_data_id = 3) FROM ccd.case_event
	WHERE id = 5000')" = 'late|t'
ok "revisions follow" test "$(app 'SELECT case_revision - 1000000000 = (SELECT count(*) FROM ccd.case_event WHERE case_data_id = 3) FROM ccd.case_data
	WHERE id = 3')" = t
ok "the target's own keys stay" test "$(app "SELECT md5(string_agg(idempotency_key::text, '' ORDER BY id)) FROM ccd.case_event WHERE id <> 5000")" = "$keys"
run tables migrate "$manifest" --apply --since 2030-01-01
ok "again: nothing differs" says err 'case_data: 2 rows since 2030-01-01, 0 of them new or changed'
run tables validate "$manifest"
ok "and validate agrees" test "$status" -eq 0

run tables clean "$manifest" --yes
ok "clean takes it back" test "$status" -eq 0
ok "all of it" test "$(app "SELECT count(*) FROM ccd.case_event")" = 0
ok "and nothing else" test "$(app "SELECT string_agg(case_type_id, ',') FROM ccd.case_data")" = MINE
finish
