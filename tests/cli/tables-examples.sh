#!/bin/sh
# examples/citus and examples/sqlite, as their READMEs say. Citus is no Debian package: its two functions are stood in for by functions
# of the same signatures that keep a list of what they were asked.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT
start_pg || exit 99
start_pg2 || exit 99
create_pg_database ucr || exit 99
in_pg2 create_pg_database ucr || exit 99
in_pg2 create_pg_database cluster || exit 99
in_pg2 create_pg_database app || exit 99

sql2() {
	in_pg2 sql "$@"
}

# ---- parents and children ----

example=$top_srcdir/examples/citus
SETTLE_SOURCE=$(pg_url ucr)
SETTLE_TARGET=$(in_pg2 pg_url ucr)
export SETTLE_SOURCE SETTLE_TARGET
node "$example/generate.js" --months 4 --rows 100 | "$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -d ucr >"$work/made" 2>&1 || exit 99
manifest=$work/icds.db
exits 0 "plan" tables plan "$manifest" --job "$example/job.json"
ok "counts tables" says out '12 tables processed'
ok "lists those that nobody named" says err 'Some tables not seen:'
ok "with their parents" says err 'left_behind_child (parent: left_behind)'
run tables status "$manifest" list
ok "a date from a name, a child to itself" says out 'waiting  2020-02-01 agg_awc_2020-02-01 -> agg_awc_2020-02-01'
ok "a date from a check, a child into its parent" says out 'waiting  2020-03-01 ucr_child_health_2 -> ucr_child_health'
ok "parents have none" grep -q '^waiting  *agg_awc -> agg_awc$' "$work/out"
exits 0 "create" tables create "$manifest"
ok "makes children of those that keep them" test "$(sql2 ucr "SELECT count(*) FROM pg_inherits")" = 4
ok "with their checks" test "$(sql2 ucr "SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conrelid = '\"agg_awc_2020-02-01\"'::regclass")" = 1
exits 0 "two months" tables migrate "$manifest" --yes --start-date 2020-02-14 --end-date 2020-04-01 --parallel 2
run tables status "$manifest" list -M
ok "of both kinds" test "$(wc -l <"$work/out")" -eq 4
exits 0 "from a month on" tables migrate "$manifest" --yes --start-date 2020-03-01
run tables status "$manifest" list -M
ok "and what has no date" test "$(wc -l <"$work/out")" -eq 10
exits 0 "the rest" tables migrate "$manifest" --yes --parallel 2
run tables status "$manifest" --format json
ok "all of them" says out '"remaining":0'
ok "rows of all months are in the parent" test "$(sql2 ucr 'SELECT count(*), count(DISTINCT month) FROM ONLY ucr_child_health')" = '400|4'
ok "indexes are made" test "$(sql2 ucr "SELECT count(*) FROM pg_indexes WHERE tablename LIKE 'agg%'")" = \
	"$(sql ucr "SELECT count(*) FROM pg_indexes WHERE tablename LIKE 'agg%'")"
exits 0 "validate" tables validate "$manifest" --parallel 2
ok "adds up children" says out 'ok    ucr_child_health  rows: source 400, target 400'
sql2 ucr "UPDATE ucr_child_health SET weight = 1 WHERE doc_id = 'child-3' AND month = '2020-02-01'"
exits 1 "and finds a difference" tables validate "$manifest" --table ucr_child_health

# ---- Citus ----

SETTLE_TARGET=$(in_pg2 pg_url cluster)
sql2 cluster "CREATE TABLE settle_asked (id serial, what text);
	CREATE FUNCTION create_distributed_table(table_name regclass, distribution_column text, colocate_with text DEFAULT 'default') RETURNS void
		LANGUAGE sql AS 'INSERT INTO settle_asked (what) SELECT format(''%s by %s with %s'', table_name, distribution_column, colocate_with)';
	CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void
		LANGUAGE sql AS 'INSERT INTO settle_asked (what) SELECT format(''%s everywhere'', table_name)'"
sed 's/"auto"/"always"/' "$example/job.json" >"$work/always.json"
exits 0 "plan for Citus" tables plan "$work/citus.db" --job "$work/always.json"
exits 0 "create for Citus" tables create "$work/citus.db"
ok "says how tables are distributed" says out "SELECT create_distributed_table('\"public\".\"ucr_child_health\"', 'doc_id');"
ok "and colocated" says out "create_distributed_table('\"public\".\"ucr_person_cases\"', 'doc_id', colocate_with => '\"public\".\"ucr_child_health\"')"
ok "asks it of the cluster" test "$(sql2 cluster "SELECT string_agg(what, ', ' ORDER BY what) FROM settle_asked")" = \
	'awc_location everywhere, ucr_child_health by doc_id with default, ucr_person_cases by doc_id with "public"."ucr_child_health"'
exits 0 "migrate" tables migrate "$work/citus.db" --yes
exits 0 "validate" tables validate "$work/citus.db"
sed 's/"distribute": "doc_id" }/"distribute": "awc" }/' "$work/always.json" >"$work/by-awc.json"
sql2 cluster 'DROP TABLE ucr_child_health, ucr_person_cases'
exits 0 "plan by a column outside of the key" tables plan "$work/awc.db" --job "$work/by-awc.json"
exits 2 "is refused by create" tables create "$work/awc.db"
ok "which names the key" says err 'ucr_child_health_pkey of ucr_child_health does not hold the distribution column awc'
sed 's/"distribute": "awc"/"distribute": "awc", "keys": "drop"/' "$work/by-awc.json" >"$work/drop.json"
exits 0 "unless the job" tables plan "$work/drop.db" --job "$work/drop.json"
exits 0 "leaves the key out" tables create "$work/drop.db"
ok "and it is told" says err 'ucr_child_health_pkey of ucr_child_health is left out'

# What Citus would refuse at the end is refused before anything is made.
sql ucr "CREATE TABLE org (id text PRIMARY KEY); CREATE TABLE unit (id text PRIMARY KEY, org text REFERENCES org); CREATE TABLE desk (org text NOT NULL REFERENCES org,
	n integer, PRIMARY KEY (org, n))" >"$work/made"
printf '{"citus": "always", "rules": [{"match": "agg_*", "distribute": "awc"}]}' >"$work/inherits.json"
exits 0 "plan of a parent with children" tables plan "$work/inherits.db" --job "$work/inherits.json"
sql2 cluster 'DROP TABLE agg_awc CASCADE' >/dev/null
exits 2 "is refused by create, when it is to be distributed" tables create "$work/inherits.db"
ok "and told" says err 'other tables inherit from it: Citus distributes no such table'
printf '{"citus": "always", "rules": [{"table": "org", "distribute": "id"}, {"table": "unit", "distribute": "id"}, {"table": "desk", "distribute": "org"}]}' >"$work/keys.json"
exits 0 "plan of foreign keys" tables plan "$work/keys.db" --job "$work/keys.json"
exits 2 "one beside the distribution columns is refused" tables create "$work/keys.db"
ok "and nothing was made" test "$(sql2 cluster "SELECT count(*) FROM pg_class WHERE relname = 'org'")" = 0
ok "by name" says err 'foreign key unit_org_fkey of unit points to org, which is neither a reference table nor colocated'
sed 's/"distribute": "id"}, {"table": "desk"/"distribute": "id", "keys": "drop"}, {"table": "desk"/' "$work/keys.json" >"$work/left.json"
exits 0 "plan that leaves it out" tables plan "$work/left.db" --job "$work/left.json"
exits 0 "is taken" tables create "$work/left.db"
ok "and it is told" says err 'foreign key unit_org_fkey of unit is left out'
exits 0 "migrate makes the others" tables migrate "$work/left.db" --yes
ok "which there are" test "$(sql2 cluster "SELECT string_agg(conname, ',') FROM pg_constraint WHERE contype = 'f'")" = desk_org_fkey
sed 's/{"table": "org", "distribute": "id"}/{"table": "org", "reference": true}/; s/left/ref/' "$work/keys.json" >"$work/ref.json"
sql2 cluster 'DROP TABLE org, unit, desk' >/dev/null
exits 0 "plan of foreign keys to a reference table" tables plan "$work/ref.db" --job "$work/ref.json"
exits 0 "is taken, too" tables create "$work/ref.db"

# ---- what is said to Citus ----

# The extension itself is stood in for in the catalogs, so that everything is said that would be said to it.
in_pg2 create_pg_database standin || exit 99
sql2 standin "SET allow_system_table_mods = on; INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
		VALUES (9999, 'citus', 10, 'pg_catalog'::regnamespace, false, '13.0');
	CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass, partmethod \"char\");
	CREATE FUNCTION pg_catalog.citus_table_size(logicalrelid regclass) RETURNS bigint LANGUAGE sql AS 'SELECT 4711::bigint';
	CREATE FUNCTION pg_catalog.create_distributed_table(table_name regclass, distribution_column text, colocate_with text DEFAULT 'default') RETURNS void
		LANGUAGE sql AS 'INSERT INTO pg_catalog.pg_dist_partition VALUES (table_name, ''h'')';
	CREATE FUNCTION pg_catalog.create_reference_table(table_name regclass) RETURNS void
		LANGUAGE sql AS 'INSERT INTO pg_catalog.pg_dist_partition VALUES (table_name, ''n'')'" >"$work/made"
ok "a stand-in for the extension" not test -s "$work/made"
sql ucr "INSERT INTO org SELECT 'o' || i FROM generate_series(1, 30) i; INSERT INTO desk SELECT 'o' || i, i FROM generate_series(1, 30) i" >/dev/null
printf '{"part_bytes": 1, "parameters": {"most": {"default": "p"}}, "rules": [{"table": "org", "distribute": "id", "since": "true", "target_where": "s.id <= :most"},
	{"table": "desk", "distribute": "org", "colocate_with": "org"}]}' >"$work/said.json"
SETTLE_TARGET=$(in_pg2 pg_url standin)
exits 0 "plan for the stand-in" tables plan "$work/said.db" --job "$work/said.json"
exits 0 "create there" tables create "$work/said.db"
exits 0 "migrate there" tables migrate "$work/said.db" --yes --log-level sql
ok "the workers hear of the setting that rests triggers" says err "SET LOCAL citus.propagate_set_commands = 'local'; SET LOCAL session_replication_role = replica"
exits 0 "validate there" tables validate "$work/said.db" --log-level sql
ok "sizes are asked of the workers" says err 'citus_table_size(c.oid)'
ok "parameters are answered by the coordinator" says err "s.id <= (WITH p AS MATERIALIZED (SELECT current_setting('settle.most') AS v) SELECT v FROM p)"
sql ucr "INSERT INTO org VALUES ('o99')"
exits 0 "top up there" tables migrate "$work/said.db" --since 2020-01-01 --log-level sql
ok "writes only what is new" says err 'org: 31 rows since 2020-01-01, 1 of them new or changed'
ok "with one connection a node" says err "BEGIN; SET LOCAL citus.multi_shard_modify_mode TO 'sequential'"
ok "and no condition on an upsert" not grep -q 'ON CONFLICT .* WHERE ROW' "$work/err"
exits 0 "clean there" tables clean "$work/said.db" --yes --log-level sql
ok "joins no table with one that it changes" says err 'WHERE (s."id") IN (SELECT k."id" FROM settle_clean_'
ok "and takes all back" test "$(sql2 standin 'SELECT (SELECT count(*) FROM org) + (SELECT count(*) FROM desk)')" = 0

# ---- SQLite ----

example=$top_srcdir/examples/sqlite
unset SETTLE_SOURCE
SETTLE_TARGET=$(in_pg2 pg_url app)
node "$example/generate.js" | sqlite3 -bail "$work/dev.db" || exit 99
exits 0 "plan of a SQLite file" tables plan "$work/tickets.db" --job "$example/job.json" --source "sqlite:$work/dev.db"
exits 0 "create" tables create "$work/tickets.db"
exits 1 "migrate, two tickets have no status that is known" tables migrate "$work/tickets.db" --yes --export-dir "$work/csv" --parallel 2
ok "they are told" test "$(grep -c 'rejected: tickets row .* no new value for "lost"' "$work/err")" = 2
ok "statuses are mapped" test "$(sql2 app "SELECT string_agg(DISTINCT status, ',' ORDER BY status) FROM tickets")" = active,closed,open
ok "passwords hashed" test "$(sql2 app "SELECT count(*) FROM users WHERE \"passwordHash\" LIKE '\$y\$%'")" = 20
ok "roles filled" test "$(sql2 app 'SELECT count(*) FROM users WHERE role IS NULL')" = 0
ok "foreign keys are there" test "$(sql2 app "SELECT count(*) FROM pg_constraint WHERE contype = 'f'")" = 3
ok "CSV files are kept" test "$(wc -l <"$work/csv/audit_logs.csv")" -eq 2001
exits 1 "validate counts what was set aside" tables validate "$work/tickets.db"
ok "and nothing else" test "$(grep -c DIFF "$work/out")" = 1
exits 0 "the way back" tables clean "$work/tickets.db" --yes
ok "leaves nothing" test "$(sql2 app 'SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM tickets) + (SELECT count(*) FROM audit_logs)')" = 0
finish
