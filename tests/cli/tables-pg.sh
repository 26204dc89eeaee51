#!/bin/sh
# Table migrations between two PostgreSQL servers: plan, create, migrate, status, validate, clean, with names and types of every kind.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT
start_pg || exit 99
start_pg2 || exit 99
create_pg_database source || exit 99
in_pg2 create_pg_database target || exit 99
from=$(pg_url source)
to=$(in_pg2 pg_url target)
manifest=$work/manifest.db

sql2() { # the same in the second cluster
	in_pg2 sql "$@"
}

tables() { # SUBCOMMAND ARGUMENTS...: with both ends
	subcommand=$1
	shift
	run tables "$subcommand" "$@" --source "$from" --target "$to"
}

# What a database of a cluster holds: every table's rows, in order.
contents() { # DATABASE
	"$pg_bin/psql" -X -q -A -t -d "$1" -c "SELECT format('SELECT %L, count(*), sum((''x'' || substr(md5(t::text), 1, 8))::bit(32)::bigint) '
		'FROM ONLY %I.%I t', relname, nspname, relname) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE relkind = 'r' AND nspname = 'public' AND relname NOT LIKE 'settle\_%' ORDER BY nspname, relname" |
		while read -r query; do
			"$pg_bin/psql" -X -q -A -t -d "$1" -c "$query"
		done
}

"$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -d source -f "$top_srcdir/tests/cli/tables-odd.sql" >"$work/made" 2>&1 ||
	{ sed 's/^/# /' "$work/made"; exit 99; }

# ---- plan ----

exits 2 "plan without a source is a mistake" tables plan "$manifest"
exits 2 "plan with a CouchDB as the source is a mistake" tables plan "$manifest" --source http://localhost/x
SETTLE_SOURCE=http://localhost/x exits 2 "also when the environment has it, from a migration of documents" tables status "$manifest"
ok "which is said" says err 'what --source or SETTLE_SOURCE gives goes before what the manifest remembers'
run tables plan "$manifest" --source "$from" --target "$to"
ok "plan reads the catalog" test "$status" -eq 0
ok "and says how many tables" grep -Eq '^[0-9]+ tables processed' "$work/out"
ok "the manifest is nobody else's" test "$(stat -c %a "$manifest")" = 600
tables plan "$manifest"
ok "a manifest that has rows is refused" test "$status" -eq 5
ok "and the way out is told" says err 'delete it and run the command again'
run tables status "$manifest"
ok "status: nothing is migrated" says out 'Migrated   0'
run tables status "$manifest" list
ok "status list shows tables" says out 'waiting'
ok "with the date of their names" grep -q '2019-05-01 agg_2019-05-01 -> agg_2019-05-01' "$work/out"
ok "or of their check" grep -q '2019-06-01 agg_june -> agg_june' "$work/out"
run tables status "$manifest" list --format json
ok "status list as JSON" grep -q '"table":"agg_june".*"date":"2019-06-01","status":"waiting"' "$work/out"
run tables status "$manifest" what
ok "status of something else is a mistake" test "$status" -eq 2

# ---- create ----

tables migrate "$manifest" --yes
ok "migrate without target tables fails" test "$status" -eq 4
ok "and says how to make them" says err 'tables create'
rm "$manifest"
tables plan "$manifest"
tables create "$manifest" --dry-run
ok "create --dry-run prints statements" grep -q 'CREATE TABLE IF NOT EXISTS "public"."odd types"' "$work/out"
ok "and makes nothing" test "$(sql2 target "SELECT count(*) FROM pg_class WHERE relname = 'odd types'")" = 0
tables create "$manifest"
ok "create makes them" test "$status" -eq 0
tables create "$manifest"
ok "twice changes nothing" test "$status" -eq 0
ok "a child inherits" test "$(sql2 target "SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = '\"agg_2019-05-01\"'::regclass")" = agg
ok "a partition is one" test "$(sql2 target "SELECT count(*) FROM pg_inherits WHERE inhparent = 'parted'::regclass")" = 2

# ---- migrate ----

exits 2 "a bad date is told" tables migrate "$manifest" --source "$from" --target "$to" --start-date 2019-13-01 --yes
ok "in the words that are known" says err "Not a valid date: '2019-13-01'"
tables migrate "$manifest" --table nothing --yes
ok "an unknown table is told" says err 'No table found with name "nothing"'
tables migrate "$manifest" --dry-run --start-date 2100-01-01 --end-date 2100-02-01
ok "migrate --dry-run of nothing says so" says out 'No table to migrate'
tables migrate "$manifest" --dry-run
ok "migrate --dry-run says what it would copy" grep -q 'COPY "public"."agg_june" (.*) FROM STDIN (FORMAT binary)' "$work/out"
ok "and copies nothing" test "$(sql2 target 'SELECT count(*) FROM plain')" = 0
echo no | "$settle" tables migrate "$manifest" --source "$from" --target "$to" >"$work/out" 2>"$work/err"
status=$?
ok "the answer no ends quietly" test "$status" -eq 0
ok "after the question" says err 'Preparing to migrate'
tables migrate "$manifest"
ok "without anybody to ask it is a mistake" test "$status" -eq 2
tables migrate "$manifest" --yes --start-date 2019-06-20 --end-date 2019-07-01
ok "only a month" test "$status" -eq 0
run tables status "$manifest" list -M
ok "and nothing else" test "$(wc -l <"$work/out")" -eq 1
ok "june it was" says out 'done     2019-06-01 agg_june'
tables migrate "$manifest" --table agg_june --yes
ok "a table that is done is told" says err 'Table "agg_june" has already been migrated'
printf 'yes\nno\n' | "$settle" tables migrate "$manifest" --source "$from" --target "$to" --confirm --table plain >"$work/out" 2>"$work/err"
ok "--confirm asks for each table" says err 'Migrate plain to plain [yes / no]'
ok "and leaves out what is refused" says out 'plain -> plain: not migrated'
printf 'yes\nxxxxxxxyes\n' | "$settle" tables migrate "$manifest" --source "$from" --target "$to" --confirm >"$work/out" 2>"$work/err"
ok "a line is one answer, however long: the second table's is missing" test $? -eq 2 -a "$(grep -o 'Migrate [^[]*\[yes / no\]' "$work/err" | wc -l)" -eq 2
tables migrate "$manifest" --yes --parallel 3
ok "the rest, three at a time" test "$status" -eq 0
ok "earlier parts are warned about" says err 'copied by an earlier run'
ok "progress is told" says err 'Progress: 100.0% data'
tables migrate "$manifest" --yes
ok "then there is nothing left" says out 'No table to migrate'
contents source >"$work/contents.source"
in_pg2 contents target >"$work/contents.target"
ok "there is something" test "$(wc -l <"$work/contents.source")" -gt 10
ok "source and target hold the same" cmp "$work/contents.source" "$work/contents.target"
ok "keys were made after the load" test "$(sql2 target "SELECT count(*) FROM pg_constraint WHERE conname = 'plain_pkey'")" = 1
ok "indexes too" test "$(sql2 target "SELECT count(*) FROM pg_class WHERE relname = 'plain \"idx'")" = 1
ok "and foreign keys" test "$(sql2 target "SELECT count(*) FROM pg_constraint WHERE contype = 'f'")" -ge 1
ok "sequences are ahead" test "$(sql2 target "INSERT INTO plain (name) VALUES ('new') RETURNING id")" = 1001
sql2 target "DELETE FROM plain WHERE id = 1001" >/dev/null
ok "identities too" test "$(sql2 target "INSERT INTO identity_always (v) VALUES ('new') RETURNING id")" = 12
sql2 target "DELETE FROM identity_always WHERE id = 12" >/dev/null
ok "the marks are in the target" test "$(sql2 target 'SELECT count(*) FROM settle_part WHERE rows IS NULL')" = 0

# ---- validate ----

tables validate "$manifest" --parallel 2
ok "validate finds no difference" test "$status" -eq 0
ok "of content" says out 'odd types  content: the same'
ok "field by field" grep -q 'plain  spot check: 100 rows' "$work/out"
sql2 target "UPDATE plain SET name = 'x' WHERE id = 7" >/dev/null
tables validate "$manifest" --table plain --spot-checks 1000
ok "a changed field is found" test "$status" -eq 1
ok "by the content" says out 'DIFF  plain  content'
ok "and by the spot check" says out 'spot check: name: source name 7, target x'
sql2 target "UPDATE plain SET name = 'name 7' WHERE id = 7; ALTER TABLE child DISABLE TRIGGER ALL; INSERT INTO child VALUES (99, 4242);
	SELECT setval('plain_id_seq', 1, false)" >/dev/null
tables validate "$manifest"
ok "a row too many is found" grep -q 'DIFF  child  rows: source 3, target 4' "$work/out"
ok "an orphan is found" grep -q 'DIFF  child  foreign key: child_plain_fkey: 1 rows without a partner' "$work/out"
ok "a sequence that is behind is found" grep -q 'DIFF  plain  sequence: plain_id_seq is behind its column id' "$work/out"
sql2 target "DELETE FROM child WHERE id = 99; ALTER TABLE child ENABLE TRIGGER ALL; SELECT setval('plain_id_seq', 1001)" >/dev/null

# ---- clean ----

sql2 target "INSERT INTO plain VALUES (5000, 'not of this job')" >/dev/null
tables clean "$manifest"
ok "clean asks" test "$status" -eq 2
sql2 target "INSERT INTO child VALUES (98, 5)" >/dev/null
tables clean "$manifest" --yes
ok "rows of others that point here refuse it" test "$status" -eq 5
ok "and nothing is gone" test "$(sql2 target 'SELECT count(*) FROM plain')" = 1001
sql2 target "DELETE FROM child WHERE id = 98" >/dev/null
tables clean "$manifest" --yes
ok "clean takes back" test "$status" -eq 0
ok "what this job loaded and nothing else" test "$(sql2 target 'SELECT string_agg(id::text, $$,$$) FROM plain')" = 5000
ok "tables without keys too" test "$(sql2 target 'SELECT count(*) FROM keyless')" = 0
sql2 target "DELETE FROM plain" >/dev/null
tables migrate "$manifest" --yes --parallel 2
in_pg2 contents target >"$work/contents.target"
ok "and the same manifest migrates again" cmp "$work/contents.source" "$work/contents.target"

# ---- failures ----

sql2 target "INSERT INTO keyless VALUES (1, 'more')" >/dev/null
tables clean "$manifest" --yes
ok "a keyless table with other rows is refused" test "$status" -eq 5
ok "and named" says err 'keyless has no key'
sql2 target "DELETE FROM keyless WHERE ctid = (SELECT ctid FROM keyless WHERE b = 'more')" >/dev/null
tables clean "$manifest" --yes
sql2 target "INSERT INTO plain VALUES (5, 'in the way')" >/dev/null
tables migrate "$manifest" --yes
ok "a row in the way fails the table" test "$status" -eq 4
run tables status "$manifest" list -E
ok "and the status says why" grep -q 'error .* plain -> plain  .*duplicate key' "$work/out"
tables migrate "$manifest" --yes --no-stop-on-error
ok "other tables go on" test "$(sql2 target 'SELECT count(*) FROM child')" = 3
sql2 target "DELETE FROM plain WHERE id = 5" >/dev/null
tables migrate "$manifest" --yes
tables clean "$manifest" --table empty --yes
echo no | "$settle" tables migrate "$manifest" --source "$from" --target "$to" >"$work/out" 2>"$work/err"
ok "the answer no is quiet here too" test $? -eq 0
tables migrate "$manifest" --yes
ok "a failed table waits to be told" test "$(sql2 target 'SELECT count(*) FROM plain')" = 0
ok "which is not a clean end" test "$status" -eq 1
ok "and how to take it again is said" says err '1 parts failed before and are passed over: --retry-errors takes them again'
tables migrate "$manifest" --yes --retry-errors
ok "--retry-errors takes it again" test "$(sql2 target 'SELECT count(*) FROM plain')" = 1000
tables validate "$manifest"
ok "and all is well" test "$status" -eq 0

# ---- a reader that fails, a column without a place, a stop ----

in_pg2 create_pg_database other || exit 99
to=$(in_pg2 pg_url other)
sql2 other 'CREATE TABLE plain (id integer PRIMARY KEY, name text); CREATE TABLE child (id integer)'
printf '{"rules": [{"table": "plain", "drop": ["twice"], "where": "1 / (s.id - 900) IS NOT NULL"}, {"table": "child"}]}' >"$work/job.json"
run tables plan "$work/other.db" --job "$work/job.json" --source "$from" --target "$to"
tables migrate "$work/other.db" --table plain --yes
ok "a reader that fails fails the part" test "$status" -eq 3
ok "in the source's words" says err 'plain: source: division by zero'
ok "and nothing is there" test "$(sql2 other 'SELECT count(*) FROM plain')" = 0
tables migrate "$work/other.db" --table child --yes
ok "a column without a place is told" test "$status" -eq 2
ok "by its name" says err 'column plain of child has no place in the target'
rm "$work/other.db"
printf '{"parameters": {"most": 10}, "rules": [{"table": "plain", "drop": ["twice"], "where": "s.id <= :most::integer", "columns": {"name":
	{"from": "name", "map": {"name 1": "one", "name 2": null}, "else": {"value": "many"}, "if_null": "none"}}}]}' >"$work/job.json"
run tables plan "$work/other.db" --job "$work/job.json" --source "$from" --target "$to"
ok "and nothing is said of rules that have tables" not says err 'Rule'
ok "tables in no rule are listed" says err '	keyless'
ok "children with their parents" says err '	agg_june (parent: agg)'
tables migrate "$work/other.db" --yes
ok "filtered and mapped" test "$(sql2 other "SELECT string_agg(name, ',' ORDER BY id) FROM plain")" = one,none,many,many,many,many,many,many,many,many
tables validate "$work/other.db"
ok "as validate says too" test "$status" -eq 0
tables clean "$work/other.db" --yes
ok "and clean takes them back" test "$(sql2 other 'SELECT count(*) FROM plain')" = 0

sed 's/"rules": \[/"rules": [{"match": "typo_*"}, /' "$work/job.json" >"$work/typo.json"
run tables plan "$work/typo.db" --job "$work/typo.json" --source "$from" --target "$to"
ok "a rule for no table is told" says err 'Rule 1 (typo_*): no table of the source goes by it.'
printf '{"schemas": ["pubic"], "rules": [{"match": "*"}]}' >"$work/typo.json"
exits 3 "a schema without tables is told" tables plan "$work/nothing.db" --job "$work/typo.json" --source "$from"
ok "by its name" says err 'no tables in the schemas ["pubic"]'
exits 2 "a job that is not there is told" tables plan "$work/nothing.db" --job "$work/nothing.json" --source "$from"
ok "with the reason" says err 'nothing.json: No such file'
exits 3 "a database that is not there is told" tables plan "$work/nothing.db" --source "$(pg_url nothing)"
ok "with the way out" says err 'make it first: createdb'
tables clean "$work/other.db" --table nothing --yes
ok "clean of an unknown table is told" says err 'No table found with name "nothing"'

printf '{"rules": [{"table": "child", "drop": ["plain"], "where": "s.id = $$x$$::text"}]}' >"$work/hint.json"
run tables plan "$work/hint.db" --job "$work/hint.json" --source "$from" --target "$to"
exits 3 "an expression that the server does not understand is told" tables migrate "$work/hint.db" --yes
ok "with the server's own hint" says err 'explicit type casts'

# ---- roles that may not read everything ----

sql source "CREATE ROLE half LOGIN; CREATE TABLE hidden (id integer, whose text); INSERT INTO hidden VALUES (1, 'half'), (2, 'other');
	ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON hidden USING (whose = current_user); GRANT SELECT ON hidden TO half;
	CREATE TABLE closed (id integer)"
sql2 other 'CREATE TABLE hidden (id integer, whose text); CREATE TABLE closed (id integer)'
printf '{"rules": [{"table": "hidden"}, {"table": "closed"}]}' >"$work/half.json"
run tables plan "$work/half.db" --job "$work/half.json" --source "postgres://half@/source?host=$pg_dir" --target "$to"
ok "what the role may not read is told by plan" says err 'The role may not read: public.closed'
ok "and nothing else" not says err 'may not read: public.hidden'
run tables migrate "$work/half.db" --yes --table hidden
ok "rows that a policy hides are not left behind without a word" test "$status" -eq 3
ok "but told" says err 'hidden: source: query would be affected by row-level security policy'
ok "and no part of them comes over" test "$(sql2 other 'SELECT count(*) FROM hidden')" = 0

# ---- secrets ----

in_pg2 sql other "CREATE ROLE settle_password LOGIN PASSWORD 'hunter2'" >/dev/null
secret="postgres://settle_password:hunter2@/other?host=$pg_dir2"
rm -f "$work/other.db"
run tables plan "$work/other.db" --job "$work/job.json" --source "$from" --target "$secret"
run tables migrate "$work/other.db" --yes
ok "the manifest remembers no password: the target must be given again" says err 'no target'
run tables migrate "$work/other.db" --yes --target "$secret" -vv
ok "a role without rights is told" test "$status" -eq 4
run tables migrate "$work/other.db" --yes --target "postgres://settle_password:hunter3@/other?host=$pg_dir2"
ok "a wrong password is told" says err 'PGPASSWORD, ~/.pgpass'
ok "and not repeated" not grep -q 'hunter' "$work/err"
ok "nor kept" not grep -q 'hunter' "$work/other.db"

# ---- what stands around tables ----

create_pg_database around || exit 99
in_pg2 create_pg_database around || exit 99
from=$(pg_url around) to=$(in_pg2 pg_url around)
sql around "CREATE ROLE reader; CREATE EXTENSION citext; CREATE TYPE band AS RANGE (SUBTYPE = numeric); COMMENT ON TYPE band IS 'from, to';
	CREATE SEQUENCE ticket AS integer INCREMENT BY 5 MINVALUE 5 MAXVALUE 9000 START WITH 50 CACHE 2 CYCLE; CREATE SEQUENCE nobody;
	CREATE TABLE parent (id integer GENERATED ALWAYS AS IDENTITY (START WITH 7 INCREMENT BY 3) PRIMARY KEY, code text DEFAULT 'T' || nextval('ticket'),
		down integer DEFAULT nextval('ticket'), b band, name citext, kind text DEFAULT 'parent', loud text GENERATED ALWAYS AS (upper(kind)) STORED,
		CONSTRAINT sane CHECK (down > 0));
	CREATE TABLE kid (more serial) INHERITS (parent); ALTER TABLE kid ALTER kind SET DEFAULT 'it''s a kid'; ALTER TABLE kid ALTER name SET NOT NULL;
	CREATE TABLE other (id integer); CREATE TABLE two () INHERITS (kid, other);
	CREATE SEQUENCE back INCREMENT BY -1; CREATE TABLE backwards (id integer PRIMARY KEY DEFAULT nextval('back'), v text);
	CREATE INDEX parent_b ON parent (b);
	COMMENT ON TABLE parent IS 'it''s \\ a parent'; COMMENT ON COLUMN parent.code IS 'two
lines'; COMMENT ON CONSTRAINT sane ON parent IS 'c'; COMMENT ON CONSTRAINT parent_pkey ON parent IS 'k'; COMMENT ON INDEX parent_b IS 'i';
	INSERT INTO parent (b, name) SELECT band(i, i + 1), 'n' || i FROM generate_series(1, 4) i; DELETE FROM parent WHERE id = 16;
	INSERT INTO kid (id, name) OVERRIDING SYSTEM VALUE VALUES (100, 'kid'); INSERT INTO backwards SELECT nextval('back'), 'x' FROM generate_series(1, 3);
	CREATE VIEW seen AS SELECT id FROM parent; CREATE MATERIALIZED VIEW stored AS SELECT 1 AS a;
	CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n * 2'; CREATE PROCEDURE proceed() LANGUAGE sql AS '';
	CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE TRIGGER \"tell 'em\" BEFORE INSERT ON parent FOR EACH ROW EXECUTE FUNCTION told(); CREATE TRIGGER elsewhere BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION told();
	CREATE POLICY mine ON kid USING (true); CREATE RULE quiet AS ON DELETE TO kid DO INSTEAD NOTHING; CREATE STATISTICS wise ON id, down FROM parent;
	GRANT SELECT ON parent TO reader, PUBLIC; ANALYZE" >"$work/made"
ok "there is much around the tables" not grep -v NOTICE "$work/made"
printf '{"rules": [{"table": "parent"}, {"table": "backwards"}]}' >"$work/job.json"
run tables plan "$work/around.db" --job "$work/job.json" --source "$from" --target "$to"
ok "plan lists what does not come over" says err 'Not carried over, to be made in the target by other means:'
sed -n '/^Not carried/,$ p' "$work/err" | tail -n +2 >"$work/left"
cat >"$work/expected" <<-'EOT'
		extension citext
		function public.told()
		function public.twice(n integer)
		grants on public.parent to PUBLIC, reader
		materialized view public.stored
		procedure public.proceed()
		row security policy mine on public.kid
		rule quiet on public.kid
		second parent other of public.two
		sequence public.nobody
		statistics public.wise
		trigger "tell 'em" on public.parent
		view public.seen
EOT
sed -i 's/^/	/' "$work/expected"
ok "each by its name" cmp "$work/expected" "$work/left"
tables create "$work/around.db"
ok "an extension that a column needs is told" test "$status" -eq 4
ok "with the column" says err 'there is no extension citext, which column name of kid needs'
ok "and nothing is made" test "$(sql2 around "SELECT count(*) FROM pg_class WHERE relname = 'parent'")" = 0
sql2 around "CREATE EXTENSION citext; CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n * 2'" >/dev/null
tables create "$work/around.db" --dry-run
ok "create --dry-run lists what does not come over, too" says err '	view public.seen'
ok "but not what is there" not says err twice
ok "and says comments" says out "COMMENT ON TABLE \"public\".\"parent\" IS 'it''s \\ a parent';"
tables create "$work/around.db"
ok "create makes tables with free sequences" test "$status" -eq 0
tables migrate "$work/around.db" --yes
ok "migrate fills them" test "$status" -eq 0
tables validate "$work/around.db"
ok "as validate finds" test "$status" -eq 0
around() { # SQL: the same in both
	test "$(sql around "$1")" = "$(sql2 around "$1")" && test -n "$(sql around "$1")"
}
ok "sequences are what they were" around "SELECT string_agg(s::text, ' ' ORDER BY seqrelid::regclass::text) FROM (SELECT seqrelid::regclass, seqtypid::regtype,
	seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_sequence WHERE seqrelid::regclass::text <> 'nobody') s"
ok "a sequence that no column owned is still nobody's" test "$(sql2 around "SELECT count(*) FROM pg_depend WHERE objid = 'ticket'::regclass AND deptype = 'a'")" = 0
ok "defaults too" around "SELECT string_agg(adrelid::regclass || ' ' || adnum || ' ' || pg_get_expr(adbin, adrelid), '; ' ORDER BY adrelid::regclass::text, adnum)
	FROM pg_attrdef WHERE adrelid IN ('parent'::regclass, 'kid'::regclass, 'backwards'::regclass)"
ok "and comments" around "SELECT string_agg(description, '; ' ORDER BY description) FROM pg_description WHERE objoid >= 16384 AND description NOT LIKE '%citext%'"
ok "a child that is stricter than its parent" test "$(sql2 around "SELECT attnotnull FROM pg_attribute WHERE attrelid = 'kid'::regclass AND attname = 'name'")" = t
ok "an identity goes on where it stood" test "$(sql2 around "INSERT INTO parent (name) VALUES ('x') RETURNING id, code > 'T'")" = '103|t'
ok "a sequence that no column counts goes on where it stood" test "$(sql2 around "SELECT nextval('ticket') > 80")" = t
ok "one that counts down is ahead below" test "$(sql2 around "INSERT INTO backwards (v) VALUES ('x') RETURNING id")" = -4
sql2 around "SELECT setval('back', -1)" >/dev/null
tables validate "$work/around.db"
ok "and is found when it is not" grep -q 'DIFF  backwards  sequence: back is behind its column id' "$work/out"
sql around 'CREATE TABLE computed (a integer DEFAULT twice(2))' >/dev/null
sql2 around 'DROP FUNCTION twice' >/dev/null
run tables plan "$work/computed.db" --source "$from" --target "$to"
tables create "$work/computed.db"
ok "a default whose function is not there fails" test "$status" -eq 4
ok "and the way out is told" says err 'functions, collations and access methods do not come over'

# ---- tables of the same name in two schemas ----

create_pg_database twins || exit 99
in_pg2 create_pg_database twins || exit 99
from=$(pg_url twins) to=$(in_pg2 pg_url twins)
sql twins "CREATE SCHEMA north; CREATE TABLE t (id integer PRIMARY KEY, v text); CREATE INDEX t_v ON t (v); CREATE TABLE north.t (id integer PRIMARY KEY,
	v text); CREATE INDEX t_v ON north.t (v); INSERT INTO t VALUES (1, 'south'); INSERT INTO north.t VALUES (1, 'north'), (2, 'farther')"
printf '{"schemas": ["public", "north"], "rules": [{"match": "*", "since": "v >= :since"}]}' >"$work/twins.json"
run tables plan "$work/twins.db" --job "$work/twins.json" --source "$from" --target "$to"
tables create "$work/twins.db"
ok "tables of the same name in two schemas are made" test "$status" -eq 0
exits 0 "and filled" tables migrate "$work/twins.db" --source "$from" --target "$to" --yes --export-dir "$work/twins"
ok "each has its keys" test "$(sql2 twins "SELECT count(*) FROM pg_constraint WHERE conname = 't_pkey'")" = 2
ok "and its indexes" test "$(sql2 twins "SELECT count(*) FROM pg_class WHERE relname = 't_v'")" = 2
ok "and a CSV file of its own" grep -q 1,south "$work/twins/public.t.csv"
ok "that the other one has not overwritten" grep -q 2,farther "$work/twins/north.t.csv"
sql twins "UPDATE t SET v = 'z'; UPDATE north.t SET v = 'z'"
exits 0 "one of them is named with its schema by a top up" tables migrate "$work/twins.db" --source "$from" --target "$to" --since z --table north.t
ok "which leaves the other one alone" test "$(sql2 twins "SELECT (SELECT count(*) FROM t WHERE v = 'z') || '/' || (SELECT count(*) FROM north.t WHERE v = 'z')")" = 0/2
exits 0 "by validate" tables validate "$work/twins.db" --source "$from" --target "$to" --table north.t
exits 1 "which looks at no other one" tables validate "$work/twins.db" --source "$from" --target "$to" --table public.t
exits 0 "and by clean" tables clean "$work/twins.db" --source "$from" --target "$to" --yes --table north.t
ok "which takes back no other one" test "$(sql2 twins "SELECT (SELECT count(*) FROM t) || '/' || (SELECT count(*) FROM north.t)")" = 1/0

# ---- a failure after a failure: both are told ----

create_pg_database pair || exit 99
in_pg2 create_pg_database pair || exit 99
sql pair "CREATE TABLE above (id integer PRIMARY KEY); CREATE TABLE below (id integer PRIMARY KEY, above integer REFERENCES above);
	INSERT INTO above VALUES (1); INSERT INTO below VALUES (1, 1)"
in_pg2 sql pair "CREATE ROLE simple LOGIN; GRANT ALL ON SCHEMA public TO simple"
from=$(pg_url pair) to="postgres://simple@/pair?host=$pg_dir2"
printf '{"rules": [{"table": "above"}, {"table": "below", "since": "1 / (s.id - 1) > 0"}]}' >"$work/pair.json"
run tables plan "$work/pair.db" --job "$work/pair.json" --source "$from" --target "$to"
tables create "$work/pair.db"
sql2 pair "CREATE FUNCTION no_keys() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN IF current_query() LIKE ''%ADD CONSTRAINT%'' THEN
	RAISE EXCEPTION ''no keys today''; END IF; END'; CREATE EVENT TRIGGER no_keys ON ddl_command_start EXECUTE FUNCTION no_keys()"
cp "$work/pair.db" "$work/pair2.db"
sqlite3 "$work/pair2.db" "UPDATE settings SET value = replace(value, '\"since\"', '\"where\"') WHERE name = 'job'"
exits 3 "a part that fails" tables migrate "$work/pair2.db" --yes --source "$from" --target "$to"
ok "is told" says err 'below: source: division by zero'
ok "and so is a key that cannot be made" says err 'above_pkey: target: no keys today'
sql2 pair "DELETE FROM above; DELETE FROM settle_part; ALTER EVENT TRIGGER no_keys DISABLE"
exits 0 "without either" tables migrate "$work/pair.db" --yes --source "$from" --target "$to"
sql2 pair "ALTER EVENT TRIGGER no_keys ENABLE"
exits 3 "a top up that fails" tables migrate "$work/pair.db" --since 2020-01-01 --source "$from" --target "$to"
ok "is told" says err 'below: source: division by zero'
ok "and so is a foreign key that is not back" says err 'a foreign key is not back'
sql2 pair "ALTER EVENT TRIGGER no_keys DISABLE"
tables migrate "$work/pair.db" --yes
ok "the next run brings it back" test "$(sql2 pair "SELECT count(*) FROM pg_constraint WHERE contype = 'f'")" = 1

# ---- a stop while another settle holds the job ----

job=$(sqlite3 "$work/pair.db" "SELECT value FROM settings WHERE name = 'job_id'")
in_pg2 "$pg_bin/psql" -X -q -d pair -c "SELECT pg_advisory_lock(hashtextextended('settle tables $job', 0)), pg_sleep(600)" >/dev/null 2>&1 &
holder=$!
counts_one() { # FROM: one row of it
	test "$(sql2 pair "SELECT count(*) FROM $1")" = 1
}
ok "another settle" within 30 counts_one "pg_locks WHERE locktype = 'advisory'"
"$settle" tables migrate "$work/pair.db" --yes --source "$from" --target "$to" >"$work/out" 2>"$work/err" &
waiting=$!
ok "is waited for" within 30 counts_one "pg_stat_activity WHERE query LIKE 'SELECT pg_try_advisory_lock%'"
kill -INT $waiting
wait $waiting
ok "stopped while it waits for another settle" test $? -eq 1
ok "it says so" says err 'stopped before the end'
sql2 pair "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'" >/dev/null
wait $holder
finish
