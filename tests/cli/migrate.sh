#!/bin/sh
# The offline migration of the demo domain, end to end: every way in and every target give what the generator expects, and a second run
# changes no row.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
. "$top_srcdir/tests/server/pouch.sh"

demo=$top_srcdir/fixtures/demo
domain=demo-clinic

cleanup() {
	stop_pouch
	stop_couchd
	stop_pg
	rm -rf "$work"
}
trap cleanup EXIT

# migrate NAME SOURCE TARGET: a first pass, its stats, diffs and changes in $work/NAME.{stats,diffs,changes}
migrate() {
	way=$1
	source=$2
	target=$3
	state=$work/state-$way
	run migrate $domain -s "$source" -t "$target" --state-dir "$state"
	ok "$way: differences remain, so the exit code is 1" test "$status" -eq 1
	run stats $domain -t "$target" --state-dir "$state" --format json
	cp "$work/out" "$work/$way.stats"
	run diff show $domain -t "$target" --state-dir "$state" --format json
	cp "$work/out" "$work/$way.diffs"
	run diff show $domain -t "$target" --state-dir "$state" --changes --format json
	cp "$work/out" "$work/$way.changes"
	ok "$way: finds what was planted with its reasons, and nothing else" \
		node "$top_srcdir/tests/cli/expect.js" "$demo/expected.json" later "$work/$way.stats" "$work/$way.diffs" "$work/$way.changes"
}

# What stats say whatever the source and target are.
comparable() {
	sed -e 's/"source":"[^"]*",//' -e 's/"target":"[^"]*",//' -e 's/"checkpoint":\("[^"]*"\|[0-9]*\),//' "$1"
}

same_stats() {
	comparable "$work/$1.stats" >"$work/a"
	comparable "$work/$2.stats" >"$work/b"
	cmp "$work/a" "$work/b"
}

same_answers() {
	ok "$2: the same stats as $1" same_stats "$1" "$2"
	ok "$2: the same differences as $1" cmp "$work/$1.diffs" "$work/$2.diffs"
	ok "$2: the same changes as $1" cmp "$work/$1.changes" "$work/$2.changes"
}

# ---- file to SQLite ----

migrate sqlite "file:$demo/demo.json.gz" "sqlite:$work/demo.db"
ok "state directory is 0700" test "$(stat -c %a "$work/state-sqlite")" = 700
ok "no file of the state directory is open to others" test -z "$(find "$work/state-sqlite" -type f -perm /077)"
ok "state files are 0600" test -z "$(find "$work/state-sqlite" -type f ! -perm 600 ! -path "*/audit.git/objects/*" ! -path "*/audit.git/hooks/*")"
ok "the target file is 0600" test "$(stat -c %a "$work/demo.db")" = 600

zcat "$demo/demo.json.gz" >"$work/demo.json"
run migrate $domain -s file:- -t "sqlite:$work/stdin.db" --state-dir "$work/state-stdin" </dev/null
ok "an empty standard input is no feed" test "$status" -eq 3
"$settle" migrate $domain -s file:- -t "sqlite:$work/stdin.db" --state-dir "$work/state-stdin" <"$work/demo.json" >"$work/out" 2>"$work/err"
ok "standard input is read like a file" test $? -eq 1
run stats $domain -t "sqlite:$work/stdin.db" --state-dir "$work/state-stdin" --format json
cp "$work/out" "$work/stdin.stats"
ok "stdin: the same stats as sqlite" same_stats sqlite stdin


# ---- file to PostgreSQL ----

start_pg || exit 99
for db in file standin pouch jobs; do
	create_pg_database $db || exit 99
done
migrate file "file:$demo/demo.json.gz" "$(pg_url file)"
same_answers sqlite file

# Every row version of the application's tables, and what is in them.
rows_of() {
	for table in forms cases case_transactions case_indices attachments form_operations documents; do
		psql -X -A -t -d "$1" -c "SELECT '$table', xmin, ctid, t FROM $table t ORDER BY 4"
	done
}

rows_of file >"$work/rows.before"
run migrate $domain -s "file:$demo/demo.json.gz" -t "$(pg_url file)" --state-dir "$work/state-file" --format json
ok "second run: exit code 1 again" test "$status" -eq 1
rows_of file >"$work/rows.after"
ok "second run: there are rows to look at" test -s "$work/rows.before"
ok "second run: changes no row" cmp "$work/rows.before" "$work/rows.after"
ok "second run: everything is unchanged" grep -q '"written":0,' "$work/out"
run diff show $domain -t "$(pg_url file)" --state-dir "$work/state-file" --format json
ok "second run: the same differences" cmp "$work/file.diffs" "$work/out"

migrate jobs "file:$demo/demo.json.gz" "$(pg_url jobs)"
contents_of file >"$work/contents.file"
contents_of jobs >"$work/contents.jobs"
ok "two runs give the same rows" cmp "$work/contents.file" "$work/contents.jobs"

# ---- the CouchDB stand-in to PostgreSQL ----

start_couchd --user ann --password secret --load "$demo/demo.json.gz" --load-db demo || exit 99
SETTLE_SOURCE_PASSWORD=secret
export SETTLE_SOURCE_PASSWORD
migrate standin "http://ann@127.0.0.1:$couchd_port/demo" "$(pg_url standin)"
same_answers file standin
contents_of standin >"$work/contents.standin"
ok "standin: the same rows as from the file" cmp "$work/contents.file" "$work/contents.standin"
run migrate $domain -s "http://ann@127.0.0.1:$couchd_port/demo" -t "$(pg_url standin)" --state-dir "$work/state-standin"
ok "standin: a second run has nothing new" says err "the source has nothing new"
run stats $domain -t "$(pg_url standin)" --state-dir "$work/state-standin" --format json
cp "$work/out" "$work/again.stats"
ok "standin: a second run keeps the counters" same_stats standin again

# ---- a server that others wrote to PostgreSQL ----

unset SETTLE_SOURCE_PASSWORD
install_pouch || exit 99
start_pouch || exit 99
load_pouch "$work/demo.json" demo || exit 99
migrate pouch "$pouch_url/demo" "$(pg_url pouch)"
same_answers file pouch
contents_of pouch >"$work/contents.pouch"
ok "pouch: the same rows as from the file" cmp "$work/contents.file" "$work/contents.pouch"

finish
