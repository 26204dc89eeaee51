#!/bin/sh
# Killing settle, the source or the target at any moment: the same command again, and the end is that of an undisturbed run. Then triggers and
# foreign keys of a role that may not rest them, which come back after all of it. SETTLE_KILLS says how often (9; make check-long: 100),
# SETTLE_SEED repeats moments.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT
kills=${SETTLE_KILLS:-9}
seed=${SETTLE_SEED:-$(date +%s)}
echo "# seed $seed"
moments=$(awk -v seed="$seed" -v n="$kills" 'BEGIN { srand(seed); for (i = 0; i < 3 * n; i++) print int(20 + 400 * rand() * rand()) }')
start_pg || exit 99
start_pg2 || exit 99
create_pg_database source || exit 99
for name in calm torn alter lite; do
	in_pg2 create_pg_database $name || exit 99
done
from=$(pg_url source)

contents() { # DATABASE
	in_pg2 sql "$1" "SELECT 'big', count(*), sum(('x' || substr(md5(t::text), 1, 8))::bit(32)::bigint) FROM big t UNION ALL
		SELECT 'words', count(*), sum(('x' || substr(md5(t::text), 1, 8))::bit(32)::bigint) FROM words t UNION ALL
		SELECT 'keyless', count(*), sum(('x' || substr(md5(t::text), 1, 8))::bit(32)::bigint) FROM keyless t UNION ALL
		SELECT 'ref', count(*), sum(('x' || substr(md5(t::text), 1, 8))::bit(32)::bigint) FROM ref t ORDER BY 1"
}

schema='CREATE TABLE big (id bigserial PRIMARY KEY, v text, n double precision); CREATE INDEX big_n ON big (n);
	CREATE TABLE words (w text PRIMARY KEY, n integer); CREATE TABLE keyless (a integer, b text);
	CREATE TABLE ref (id integer PRIMARY KEY, big bigint REFERENCES big, w text REFERENCES words)'
sql source "$schema; INSERT INTO big (v, n) SELECT repeat(md5(i::text), 2), i / 7.0 FROM generate_series(1, 60000) i;
	INSERT INTO words SELECT md5(i::text), i FROM generate_series(1, 20000) i; INSERT INTO keyless SELECT i % 7, 'k' FROM generate_series(1, 30000) i;
	INSERT INTO ref SELECT i, i, md5(i::text) FROM generate_series(1, 5000) i; ANALYZE"
printf '{"part_bytes": 400000, "rules": [{"match": "*"}]}' >"$work/job.json"

# prepared NAME: a plan for that database of the second cluster, and its tables
prepared() {
	run tables plan "$work/$1.db" --job "$work/job.json" --source "$from" --target "$(in_pg2 pg_url "$1")"
	test "$status" -eq 0 || return 1
	run tables create "$work/$1.db"
	test "$status" -eq 0
}

ok "an undisturbed run is planned" prepared calm
exits 0 "and comes to its end" tables migrate "$work/calm.db" --yes --parallel 3
run tables status "$work/calm.db" list
ok "big tables were split" grep -q 'big (part 3 of ' "$work/out"
ok "by texts too" grep -q 'words (part 2 of ' "$work/out"
exits 0 "and it is right" tables validate "$work/calm.db"
contents calm >"$work/calm.contents"

# ---- kill settle, the source, the target, in turn ----

# There is nothing to disturb in a run that has come to its end: what it holds is compared, and taken back.
begin_again_when_done() { # NAME CONTENTS...: the command that prints what is there
	name=$1
	shift
	run tables status "$work/$name.db" --format json
	if says out '"remaining":0'; then
		ends=$((ends + 1))
		"$@" >"$work/now"
		cmp "$work/calm.now" "$work/now" || wrong=$((wrong + 1))
		run tables clean "$work/$name.db" --yes
	fi
}

disturb() { # NAME MILLISECONDS WHICH: settle, source, target; hits counts runs that were still on their way
	"$settle" tables migrate "$work/$1.db" --yes --parallel 3 >"$work/out" 2>"$work/err" &
	pid=$!
	sleep "$(awk -v ms="$2" 'BEGIN { print ms / 1000 }')"
	case $3 in
	0) kill -KILL $pid 2>/dev/null && hits=$((hits + 1)) ;;
	1) kill -0 $pid 2>/dev/null && hits=$((hits + 1)); stop_pg_server immediate ;;
	2) kill -0 $pid 2>/dev/null && hits=$((hits + 1)); in_pg2 stop_pg_server immediate ;;
	esac
	wait $pid 2>/dev/null
	case $3 in
	1) restart_pg ;;
	2) in_pg2 restart_pg ;;
	esac
}

ok "a run is planned that will be torn" prepared torn
cp "$work/calm.contents" "$work/calm.now"
hits=0 n=0 ends=0 wrong=0
for ms in $moments; do
	test $hits -lt "$kills" || break
	disturb torn "$ms" $((n % 3))
	begin_again_when_done torn contents torn
	n=$((n + 1))
done
ok "it was disturbed on its way (seed $seed, $hits times)" test $hits -gt 0
ok "and right whenever it came to its end meanwhile ($ends times)" test $wrong -eq 0
exits 0 "the same command again comes to the end (seed $seed)" tables migrate "$work/torn.db" --yes --parallel 3
contents torn >"$work/torn.contents"
ok "with the contents of an undisturbed run (seed $seed)" cmp "$work/calm.contents" "$work/torn.contents"
ok "every part is marked once" test "$(in_pg2 sql torn 'SELECT count(*) = count(DISTINCT id) AND bool_and(rows IS NOT NULL) FROM settle_part')" = t
exits 0 "and validate agrees (seed $seed)" tables validate "$work/torn.db"
run tables status "$work/torn.db" --format json
ok "the manifest has followed" says out '"remaining":0'

# ---- a clean break ----

run tables clean "$work/torn.db" --yes
# A lock on a table keeps the run from its end until the signal is there.
in_pg2 sql torn 'LOCK TABLE words IN EXCLUSIVE MODE; SELECT pg_sleep(600)' >/dev/null 2>&1 &
holder=$!
until test "$(in_pg2 sql torn "SELECT count(*) FROM pg_locks WHERE relation = 'words'::regclass AND mode = 'ExclusiveLock' AND granted")" = 1; do
	kill -0 $holder 2>/dev/null || break
done
"$settle" tables migrate "$work/torn.db" --yes >"$work/out" 2>"$work/err" &
pid=$!
while test "$(in_pg2 sql torn 'SELECT count(*) FROM settle_part')" = 0; do
	kill -0 $pid 2>/dev/null || break
done
kill -TERM $pid
in_pg2 sql torn "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'words'::regclass AND mode = 'ExclusiveLock' AND granted" >/dev/null
wait $pid
ok "SIGTERM is a clean break" test $? -eq 1
ok "no part has failed" not says out failed
exits 0 "and the same command goes on" tables migrate "$work/torn.db" --yes
contents torn >"$work/torn.contents"
ok "to the same end" cmp "$work/calm.contents" "$work/torn.contents"

# ---- a lost manifest row is told by the target ----

sqlite3 "$work/torn.db" "UPDATE tables SET status = 'waiting' WHERE id < 4"
exits 0 "what the target marks as done is not copied again" tables migrate "$work/torn.db" --yes
contents torn >"$work/torn.contents"
ok "so nothing comes twice" cmp "$work/calm.contents" "$work/torn.contents"

# ---- a role without the right to rest triggers ----

in_pg2 sql alter "CREATE ROLE plain LOGIN; GRANT ALL ON DATABASE alter TO plain; GRANT ALL ON SCHEMA public TO plain; SET ROLE plain; $schema;
	CREATE TABLE told (n integer); CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO told VALUES (1); RETURN NEW; END';
	CREATE TRIGGER tell AFTER INSERT ON ref FOR EACH ROW EXECUTE FUNCTION tell();
	CREATE TRIGGER always AFTER INSERT ON ref FOR EACH ROW EXECUTE FUNCTION tell(); ALTER TABLE ref ENABLE ALWAYS TRIGGER always;
	CREATE TRIGGER never AFTER INSERT ON ref FOR EACH ROW EXECUTE FUNCTION tell(); ALTER TABLE ref DISABLE TRIGGER never"
to="postgres://plain@/alter?host=$pg_dir2"
guards() {
	in_pg2 sql alter "SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal UNION ALL
		SELECT conname, convalidated::text FROM pg_constraint WHERE contype = 'f' ORDER BY 1"
}
guards >"$work/guards"
ok "there are triggers and foreign keys" test "$(wc -l <"$work/guards")" -eq 5
run tables plan "$work/alter.db" --job "$work/job.json" --source "$from" --target "$to"
"$settle" tables migrate "$work/alter.db" --yes >"$work/out" 2>"$work/err" &
pid=$!
sleep 0.3
kill -KILL $pid 2>/dev/null
wait $pid 2>/dev/null
exits 0 "killed and called again" tables migrate "$work/alter.db" --yes --parallel 2
contents alter >"$work/alter.contents"
ok "it holds the same rows" cmp "$work/calm.contents" "$work/alter.contents"
ok "no trigger has fired" test "$(in_pg2 sql alter 'SELECT count(*) FROM told')" = 0
guards >"$work/guards.after"
ok "triggers and foreign keys are as they were" cmp "$work/guards" "$work/guards.after"
exits 0 "validate" tables validate "$work/alter.db"

# ---- orphans ----

exits 0 "taken back" tables clean "$work/alter.db" --yes
sql source "ALTER TABLE ref DROP CONSTRAINT ref_big_fkey; UPDATE ref SET big = 999999 WHERE id = 1"
exits 4 "a foreign key that does not hold is told" tables migrate "$work/alter.db" --yes
ok "by name" says err 'foreign key ref_big_fkey of public.ref does not hold'
ok "and holds for new rows" test "$(in_pg2 sql alter "SELECT conname FROM pg_constraint WHERE contype = 'f' AND NOT convalidated")" = ref_big_fkey

exits 0 "taken back, where keys may rest" tables clean "$work/torn.db" --yes
exits 4 "they are asked after the load" tables migrate "$work/torn.db" --yes
ok "and what does not hold is named" says err 'foreign key ref_big_fkey of ref does not hold: 1 rows without a partner'

# ---- SQLite ----

printf 'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, p TEXT);\nWITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
	INSERT INTO t SELECT i, hex(i * 7919), iif(i %% 6000, NULL, i) FROM n;\n' | sqlite3 -bail "$work/source.db" || exit 99
printf '{"part_bytes": 300000, "rules": [{"table": "t", "columns": {"p": {"from": "p", "crypt": "yescrypt"}}}]}' >"$work/job.json"
to=$(in_pg2 pg_url lite)
of_lite() {
	in_pg2 sql lite "SELECT count(*), sum(('x' || substr(md5(t::text), 1, 8))::bit(32)::bigint) FROM t"
}
run tables plan "$work/lite.db" --job "$work/job.json" --source "sqlite:$work/source.db" --target "$to"
run tables create "$work/lite.db"
exits 0 "an undisturbed run from SQLite" tables migrate "$work/lite.db" --yes
of_lite >"$work/lite.calm"
run tables clean "$work/lite.db" --yes
cp "$work/lite.calm" "$work/calm.now"
hits=0 n=0 ends=0 wrong=0
for ms in $moments; do
	test $hits -lt "$kills" || break
	disturb lite "$ms" $((n % 2 * 2))
	begin_again_when_done lite of_lite
	n=$((n + 1))
done
ok "and one that was disturbed, or its target (seed $seed, $hits times)" test $hits -gt 0
ok "is right whenever it came to its end meanwhile ($ends times)" test $wrong -eq 0
exits 0 "and comes to the end (seed $seed)" tables migrate "$work/lite.db" --yes
of_lite >"$work/lite.torn"
ok "with the same rows, hashes included (seed $seed)" cmp "$work/lite.calm" "$work/lite.torn"
finish
