#!/bin/sh
# From a SQLite file into PostgreSQL: types from declarations and from what is stored, mappings, passwords, rejects, keys, CSV.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT
start_pg || exit 99
create_pg_database app || exit 99
create_pg_database odd || exit 99
to=$(pg_url app)
db=$work/dev.db
manifest=$work/manifest.db

tables() { # SUBCOMMAND ARGUMENTS...
	subcommand=$1
	shift
	run tables "$subcommand" "$@" --source "sqlite:$db" --target "$to"
}

lite() { # SQL
	sqlite3 -bail "$db" "$1" || exit 99
}

lite "CREATE TABLE users (id INTEGER PRIMARY KEY, username VARCHAR(20) NOT NULL UNIQUE, password TEXT, is_admin BOOLEAN DEFAULT 0,
		score REAL, created_at DATETIME, born DATE, blob_col BLOB, meta JSON, uid UUID, big INT, odd NUMERIC DEFAULT 1.5, whatever);
	CREATE TABLE tickets (id INTEGER PRIMARY KEY, title TEXT, status TEXT, created_by INTEGER REFERENCES users (id), priority INT);
	CREATE INDEX tickets_status ON tickets (status);
	CREATE TABLE pairs (a TEXT, b INT, v, PRIMARY KEY (a, b)) WITHOUT ROWID;
	CREATE TABLE \"sel\"\"ect ünd\" (\"fr om\" TEXT, \"rowid\" INT);
	CREATE TABLE empty (x INT);
	INSERT INTO users VALUES (1, 'ada', 'secret', 1, 1.1, '2020-01-02 03:04:05', '1815-12-10', x'00ff5c', '{\"a\":1}',
		'0f0e0d0c-0b0a-0908-0706-050403020100', 9223372036854775807, 1e20, 'any'),
		(2, 'bob', NULL, 0, 1e-300, '2020-01-02T03:04:05.5', NULL, x'', 'null', NULL, NULL, NULL, NULL),
		(3, 'größe' || char(9) || '\\' || char(10), 'p', 0, 5, NULL, NULL, NULL, NULL, NULL, -5, 7, NULL);
	INSERT INTO tickets VALUES (1, 'a', 'open', 1, 1), (2, 'b', 'closed', 2, 2), (3, 'c', 'weird', 1, 3), (4, 'd', 'open', 3, 'high'),
		(5, 'e' || char(0) || 'f', 'open', 1, 1), (6, CAST(x'ff' AS TEXT), 'open', 1, 1), (7, 'g', NULL, 1, 3.5), (8, 'h', 'open', 1, 4.0);
	INSERT INTO pairs VALUES ('x', 1, 1), ('x', 2, 'two'), ('y', 1, x'00');
	INSERT INTO \"sel\"\"ect ünd\" VALUES ('a', 1);"

cat >"$work/job.json" <<'JSON'
{ "name": "tickets", "max_rejects": 100, "parameters": { "origin": "legacy" },
  "rules": [
    { "table": "users", "columns": {
        "password_hash": { "from": "password", "crypt": "yescrypt" },
        "origin": { "value": "legacy" },
        "shout": { "sql": "upper(username) || :origin" } } },
    { "table": "tickets", "target": "issues", "columns": {
        "state": { "from": "status", "map": { "open": "NEW", "closed": "DONE" }, "else": "reject", "if_null": "NONE" },
        "priority": { "from": "priority", "type": "smallint" } } },
    { "match": "*" } ] }
JSON

exits 2 "a source that is no database is told" tables plan "$manifest" --source "sqlite:$work/nothing" --target "sqlite:$db"
tables plan "$manifest" --job "$work/job.json"
ok "plan reads the file" says out '5 tables processed'
before=$(cksum <"$db")
tables create "$manifest"
ok "create makes tables" test "$status" -eq 0
type_of() { # TABLE COLUMN
	sql app "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '$1'::regclass AND attname = '$2'"
}
typed() { # TABLE COLUMN TYPE
	ok "$1.$2 is $3" test "$(type_of "$1" "$2")" = "$3"
}
typed users id bigint
typed users username 'character varying(20)'
typed users is_admin boolean
typed users score 'double precision'
typed users created_at 'timestamp without time zone'
typed users born date
typed users blob_col bytea
typed users meta jsonb
typed users uid uuid
typed users odd numeric
typed users password_hash text
typed users shout text
typed issues priority smallint
typed pairs v text

tables migrate "$manifest" --yes --export-dir "$work/csv"
ok "migrate sets rows aside and says so" test "$status" -eq 1
ok "with table, rowid, column and reason" says err 'rejected: tickets row 3, state: no new value for "weird"'
ok "a text where a number is wanted" says err 'rejected: tickets row 4, priority: "high" is no whole number'
ok "U+0000" says err 'rejected: tickets row 5, title: text with U+0000'
ok "what is not UTF-8" says err 'rejected: tickets row 6, title: text that is not UTF-8'
ok "a fraction" says err 'rejected: tickets row 7, priority: "3.5" is no whole number'
ok "a blob among texts" says err 'pairs row 3, v: a blob where text is wanted'
ok "all others came over" test "$(sql app 'SELECT count(*) FROM issues')" = 3
ok "mapped" test "$(sql app "SELECT string_agg(state, ',' ORDER BY id) FROM issues")" = NEW,DONE,NEW
ok "constants, expressions with parameters" test "$(sql app 'SELECT origin || shout FROM users WHERE id = 1')" = legacyADAlegacy
ok "passwords are hashes" test "$(sql app "SELECT bool_and(password_hash LIKE '\$y\$%') FROM users WHERE id <> 2")" = t
ok "NULL stays NULL" test "$(sql app 'SELECT password_hash IS NULL FROM users WHERE id = 2')" = t
ok "bytes" test "$(sql app 'SELECT blob_col FROM users WHERE id = 1')" = '\x00ff5c'
ok "no bytes are not NULL" test "$(sql app "SELECT blob_col = '' FROM users WHERE id = 2")" = t
ok "reals keep their digits" test "$(sql app 'SELECT score FROM users WHERE id = 2')" = 1e-300
ok "text with backslash, tab and line feed" test "$(sql app "SELECT username = E'größe\\t\\\\\\n' FROM users WHERE id = 3")" = t
ok "keys and indexes are there" test "$(sql app "SELECT count(*) FROM pg_class WHERE relname IN ('users_pkey', 'users_username_key', 'tickets_status',
	'issues_pkey', 'pairs_pkey')")" = 5
ok "foreign keys too" test "$(sql app "SELECT count(*) FROM pg_constraint WHERE contype = 'f'")" = 1
ok "ids go on" test "$(sql app "INSERT INTO users (username) VALUES ('new') RETURNING id")" = 4
sql app "DELETE FROM users WHERE id = 4"
ok "CSV of each table, as stored" grep -q '^1,ada,secret,1,1.1,' "$work/csv/users.csv"
ok "with names" grep -q '^id,title,status' "$work/csv/tickets.csv"
ok "nobody else's" test "$(stat -c %a "$work/csv/users.csv")" = 600
ok "the source is as it was" test "$(cksum <"$db")" = "$before"

cp "$db" "$work/theirs.db"
for command in plan status; do
	tables $command "$work/theirs.db"
	ok "$command: a database of something else is no manifest" test "$status" -eq 5
	ok "$command: and is said to be one" says err "manifest $work/theirs.db is a SQLite database of something else"
	ok "$command: and left alone" cmp "$db" "$work/theirs.db"
done
tables migrate "$manifest" --yes
ok "again there is no table to migrate" says out 'No table to migrate'
ok "but what was set aside is still left" test "$status" -eq 1
ok "and told of" says err ' rows were set aside before'
tables validate "$manifest"
ok "what was set aside is a difference" test "$status" -eq 1
ok "counted" says out 'DIFF  issues  rows: source 8, target 3 (5 set aside)'
ok "tables without are the same" says out 'ok    users  content: the same'
sql app "UPDATE users SET score = 1.2 WHERE id = 1"
tables validate "$manifest" --table users
ok "a changed value is found" test "$status" -eq 1
ok "and shown" says out 'only in the target: '
ok "field by field" says out 'score: source 1.1, target 1.2'
sql app "UPDATE users SET score = 1.1 WHERE id = 1; INSERT INTO issues VALUES (3, 'not ours', 'X', NULL, 1)"
sql app 'SELECT password_hash FROM users ORDER BY id' >"$work/hashes"
tables clean "$manifest" --yes
ok "clean takes back" test "$status" -eq 0
ok "and leaves what has the key of a rejected row" test "$(sql app 'SELECT title FROM issues')" = 'not ours'
sql app "DELETE FROM issues"
tables migrate "$manifest" --yes
ok "the same manifest again" test "$(sql app 'SELECT count(*) FROM users')" = 3
sql app 'SELECT password_hash FROM users ORDER BY id' >"$work/hashes.again"
ok "gives the same hashes" cmp "$work/hashes" "$work/hashes.again"

# ---- what goes in binary and what only the server can read give the same ----

sqlite3 -bail "$work/times.db" "CREATE TABLE times (id INTEGER PRIMARY KEY, at DATETIME, z TIMESTAMP, d DATE, n SMALLINT, b BOOLEAN, r REAL, v BLOB);
	INSERT INTO times VALUES (1, '2020-02-29 23:59:59', 0, '2020-02-29', 1, 1, 0.1, x'00ff'), (2, '1969-12-31T23:59:59.999999', -1, '1969-12-31', -1, 0,
		-1e308, x''), (3, '2020-01-02 03:04', 1577934245, '0001-01-01', NULL, NULL, NULL, NULL), (4, '0001-01-01 00:00:00.5',
		1577934245123, '9999-12-31', 7, 1, 2, NULL), (5, '2020-01-02 03:04:05.25', 2458850.5, '1999-12-31', 0, 0, 9007199254740993, NULL),
		(6, 'January 8, 1999', NULL, '1999-Jan-08', 0, 'no', 0, 'text')"
create_pg_database times || exit 99
sql times 'CREATE TABLE times (id bigint PRIMARY KEY, at timestamp, z timestamptz, d date, n smallint, b boolean, r double precision, v bytea)'
to=$(pg_url times)
run tables plan "$work/times.manifest" --source "sqlite:$work/times.db" --target "$to"
exits 0 "times, dates, truths and bytes" tables migrate "$work/times.manifest" --yes
sql times "SET timezone = 'UTC'; SELECT * FROM times ORDER BY id" >"$work/times.is"
cat >"$work/times.wanted" <<'ROWS'
1|2020-02-29 23:59:59|1970-01-01 00:00:00+00|2020-02-29|1|t|0.1|\x00ff
2|1969-12-31 23:59:59.999999|1969-12-31 23:59:59+00|1969-12-31|-1|f|-1e+308|\x
3|2020-01-02 03:04:00|2020-01-02 03:04:05+00|0001-01-01||||
4|0001-01-01 00:00:00.5|2020-01-02 03:04:05.123+00|9999-12-31|7|t|2|
5|2020-01-02 03:04:05.25|2020-01-02 00:00:00+00|1999-12-31|0|f|9.007199254740992e+15|
6|1999-01-08 00:00:00||1999-01-08|0|f|0|\x74657874
ROWS
ok "come over as they are" diff "$work/times.wanted" "$work/times.is"

# ---- tables that are there already, and refuse rows for reasons of their own ----

to=$(pg_url odd)
sql odd "CREATE TYPE state AS ENUM ('open', 'closed', 'weird'); CREATE TABLE tickets (id integer PRIMARY KEY, title varchar(1), status state
	NOT NULL, created_by bigint, priority integer CHECK (priority < 3))"
printf '{"rules": [{"table": "tickets"}]}' >"$work/job2.json"
run tables plan "$work/m2.db" --job "$work/job2.json" --source "sqlite:$db" --target "$to"
ok "tables in no rule are listed" grep -q 'users' "$work/err"
tables migrate "$work/m2.db" --yes
ok "the server's reasons are reasons" grep -q 'rejected: tickets row 7.*"3.5" is no whole number' "$work/err"
ok "a check" grep -q 'rejected: tickets row 3: new row .* violates check constraint' "$work/err"
ok "rows that fit came over" test "$(sql odd 'SELECT count(*) FROM tickets')" = 2
printf '{"max_rejects": 1, "rules": [{"table": "tickets"}]}' >"$work/job3.json"
run tables plan "$work/m3.db" --job "$work/job3.json" --source "sqlite:$db" --target "$to"
sql odd 'DELETE FROM tickets; DELETE FROM settle_part'
tables migrate "$work/m3.db" --yes
ok "too many rejects end it" says err 'more than 1 rows of tickets do not fit'
ok "with nothing half done" test "$(sql odd 'SELECT count(*) FROM tickets')" = 0
printf '{"rules": [{"table": "tickets", "colour": 1}]}' >"$work/bad.json"
run tables plan "$work/m4.db" --job "$work/bad.json" --source "sqlite:$db"
ok "a job's mistake is named" says err 'job: rule 1: nothing is known of "colour"'
printf '{"rules": [{"table": "tickets", "columns": {"nowhere": {"value": 1}}}]}' >"$work/bad.json"
rm -f "$work/m4.db"
run tables plan "$work/m4.db" --job "$work/bad.json" --source "sqlite:$db"
tables migrate "$work/m4.db" --yes
ok "a column that is not there is named" says err 'has no column nowhere'

# ---- names that PostgreSQL does not have ----

long=a_table_whose_name_is_longer_than_the_63_bytes_that_postgresql_keeps
printf 'CREATE TABLE %s (%s_c INTEGER, "" TEXT); INSERT INTO %s VALUES (1, 2); CREATE VIEW seen AS SELECT 1; CREATE TRIGGER told AFTER INSERT ON %s BEGIN SELECT 1; END' \
	$long $long $long $long | sqlite3 "$work/names.sqlite"
create_pg_database names || exit 99
to=$(pg_url names)
names() { # RULE: plan and create with it
	printf '{"rules": [{"match": "*"%s}]}' "$1" >"$work/names.json"
	rm -f "$work/names.manifest"
	run tables plan "$work/names.manifest" --job "$work/names.json" --source "sqlite:$work/names.sqlite" --target "$to"
	run tables create "$work/names.manifest"
}
names ''
ok "a table's name that would be cut is refused" test "$status" -eq 2
ok "and told" says err "the table's name $long has 68 bytes, of which PostgreSQL keeps 63"
names ', "target": "t"'
ok "a column's too" says err "the column's name ${long}_c has 70 bytes"
names ', "target": "t", "columns": {"c": {"from": "'${long}_c'"}}'
ok "and a column without a name" says err 'a column without a name cannot be in PostgreSQL'
names ', "target": "t", "columns": {"c": {"from": "'${long}_c'"}, "d": {"from": ""}}'
ok "they are taken under other names" test "$status" -eq 0
ok "triggers stay behind, and are told" says err "	trigger told on $long"
ok "views too" says err '	view seen'
exits 0 "and migrate finds them" tables migrate "$work/names.manifest" --yes
ok "with their values" test "$(sql names 'SELECT c, d FROM t')" = '1|2'

# ---- columns of the target's own, and tables of which nothing or nothing else comes over ----

sqlite3 -bail "$work/own.sqlite" "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, w TEXT); INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'y');
	CREATE TABLE esc (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO esc VALUES (1, char(27) || '[2J'); CREATE TABLE none (gone TEXT); CREATE TABLE fresh (gone TEXT); INSERT INTO fresh VALUES ('x')"
create_pg_database own || exit 99
to=$(pg_url own)
sql own 'CREATE TABLE t (id bigint PRIMARY KEY, v text, w text)'
printf '{"rules": [{"table": "t", "own": ["w"]}, {"table": "none", "drop": ["gone"]}, {"table": "esc",
	"columns": {"v": {"from": "v", "map": {"a": "b"}, "else": "reject"}}}, {"table": "fresh", "drop": ["gone"],
	"columns": {"said": {"value": "so"}}}]}' >"$work/own.json"
run tables plan "$work/own.manifest" --job "$work/own.json" --source "sqlite:$work/own.sqlite" --target "$to"
run tables create "$work/own.manifest"
ok "tables of which no column comes over are made" test "$status" -eq 0
ok "without columns, or with those of the job" test "$(sql own "SELECT string_agg(attrelid::regclass || '.' || attname, ' ') FROM pg_attribute
	WHERE attnum > 0 AND attrelid IN ('none'::regclass, 'fresh'::regclass)")" = fresh.said
run tables migrate "$work/own.manifest" --table t --yes
sql own "UPDATE t SET w = 'changed by its owner'"
exits 0 "a column of the target's own may change" tables validate "$work/own.manifest" --table t
ok "and is left out of the spot checks" says out 'ok    t  spot check: 2 rows, each field the same'
exits 1 "a value that is rejected" tables migrate "$work/own.manifest" --table esc --yes
ok "is told" says err 'rejected: esc row 1, v: no new value for "'
ok "and obeyed by no terminal" not grep "$(printf '\033')" "$work/err"
mkdir "$work/full"
ln -s /dev/full "$work/full/t.csv"
run tables clean "$work/own.manifest" --yes
run tables migrate "$work/own.manifest" --yes --export-dir "$work/full"
ok "a CSV file that cannot be written ends it" test "$status" -eq 2
ok "and is named" says err "cannot write $work/full/t.csv: No space left on device"
for rule in 4 -1; do
	sqlite3 "$work/own.manifest" "UPDATE tables SET rule = $rule WHERE id = 1"
	exits 5 "a manifest whose row names a rule that there is not ($rule)" tables migrate "$work/own.manifest" --yes
	ok "it is named" says err "manifest $work/own.manifest: row 1 names rule $((rule + 1)), and the job has 4"
done
finish
