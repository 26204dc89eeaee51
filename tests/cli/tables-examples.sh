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

sql() { # DATABASE SQL
	"$pg_bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" -c "$2" 2>&1
}

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
