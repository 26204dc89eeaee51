#!/bin/sh
# Bad input and bad luck: each is refused with the right exit code, names the thing, says the way out, and loses nothing.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; stop_pg; rm -rf "$work"' EXIT

demo=$top_srcdir/fixtures/demo/demo.json.gz
SETTLE_STATE_DIR=$work/state
export SETTLE_STATE_DIR
target=sqlite:$work/target.db

# Each target has a state directory of its own, named after it.
own_state() {
	for argument; do
		case $argument in
		sqlite:*) SETTLE_STATE_DIR=$work/state-$(basename "$argument") ;;
		postgres:*) SETTLE_STATE_DIR=$work/state-pg ;;
		esac
	done
}

# refuses STATUS NAME TEXT ARGUMENTS...: exit status, and stderr says the text
refuses() {
	wanted=$1
	what=$2
	text=$3
	shift 3
	own_state "$@"
	exits "$wanted" "$what: exit code $wanted" "$@"
	ok "$what: says '$text'" says err "$text"
}

# ---- source ----

refuses 2 "no source" "no source" migrate d -t "$target"
ok "no source: says the way out" says err SETTLE_SOURCE
refuses 2 "no target" "no target" migrate d -s "file:$demo"
refuses 3 "unreachable source" "cannot connect" migrate d -s http://127.0.0.1:1/db -t "$target"
refuses 3 "file that is not there" "$work/none" migrate d -s "file:$work/none" -t "$target"
ok "a source that cannot be had leaves no target behind" not test -e "$work/target.db"

start_couchd --user ann --password secret --load "$demo" --load-db demo || exit 99
server=127.0.0.1:$couchd_port
refuses 3 "no password" "wants a user and a password" migrate d -s "http://$server/demo" -t "$target"
SETTLE_SOURCE_PASSWORD=hushhush
export SETTLE_SOURCE_PASSWORD
refuses 3 "wrong password" "refuses the user \"ann\"" migrate d -s "http://ann@$server/demo" -t "$target"
ok "wrong password: it is not shown" not says err hushhush
unset SETTLE_SOURCE_PASSWORD
refuses 3 "password in the URL" "refuses the user" migrate d -s "http://ann:hushhush@$server/demo" -t "$target"
ok "password in the URL: it is not shown" not says err hushhush
refuses 3 "missing database" "no database" migrate d -s "http://ann:secret@$server/nosuch" -t "$target"

echo 'hello world' >"$work/text"
refuses 3 "not JSON" "no changes feed" migrate d -s "file:$work/text" -t "sqlite:$work/text.db"
echo '<html>error</html>' | gzip >"$work/html.gz"
refuses 3 "HTML, packed" "no changes feed" migrate d -s "file:$work/html.gz" -t "sqlite:$work/html.db"
echo '{"error":"unauthorized","reason":"You are not authorized."}' >"$work/error"
refuses 3 "an error answer recorded" "unauthorized" migrate d -s "file:$work/error" -t "sqlite:$work/error.db"

zcat "$demo" >"$work/demo.json"
head -c 500000 "$work/demo.json" >"$work/cut.json"
refuses 3 "feed cut inside a document" "byte 500000" migrate demo-clinic -s "file:$work/cut.json" -t "sqlite:$work/cut.db"
ok "feed cut: names the last good sequence" says err "last good sequence"
head -c 400000 "$demo" >"$work/cut.gz"
refuses 3 "packed feed cut" "last good sequence" migrate demo-clinic -s "file:$work/cut.gz" -t "sqlite:$work/cutgz.db"
run stats demo-clinic -t "sqlite:$work/cut.db" --state-dir "$work/state-cut.db"
ok "feed cut: stats say that the pass is unfinished" says out unfinished
cp "$work/demo.json" "$work/cut.json"
SETTLE_STATE_DIR=$work/state-cut.db
exits 1 "feed made whole: the same command ends it" migrate demo-clinic -s "file:$work/cut.json" -t "sqlite:$work/cut.db"

printf '%s\n' '{"seq":1,"id":"a","changes":[{"rev":"1-a"}],"doc":{"_rev":"1-a","doc_type":"XFormInstance","domain":"d"}}' >"$work/noid.ndjson"
exits 1 "document without _id: kept as a reject" migrate d -s "file:$work/noid.ndjson" -t "sqlite:$work/noid.db" --state-dir "$work/state-noid"
ok "document without _id: is named" says err "no _id"
ok "document without _id: is counted" says out "rejected 1"

refuses 3 "--stop-on-error: ends at it" "cannot be stored" migrate d -s "file:$work/noid.ndjson" -t "sqlite:$work/stop.db" --state-dir "$work/state-stop" --stop-on-error

# ---- domain and profile ----

printf '%s\n' '{"seq":1,"id":"a","changes":[{"rev":"1-a"}],"doc":{"_id":"a","_rev":"1-a","doc_type":"XFormInstance","domain":"../x","form":{}}}' >"$work/dots.ndjson"
exits 0 "domain ../x is opaque text" migrate ../x -s "file:$work/dots.ndjson" -t "sqlite:$work/dots.db" --state-dir "$work/dots/state"
ok "domain ../x stays inside the state directory" test "$(find "$work/dots/state/domains" -name state.db | wc -l)" -eq 1
ok "domain ../x makes nothing beside it" test "$(ls "$work/dots")" = state
nosuch() {
	run "$@" -s "file:$work/dots.ndjson" -t "sqlite:$work/nosuch.db" --state-dir "$work/state-nosuch"
}
nosuch migrate nosuch
ok "domain without documents: is not clean" test "$status" -eq 1
ok "domain without documents: warns" says err "no document of domain nosuch"
ok "domain without documents: the summary says it" says out "the source has no document of this domain"
nosuch migrate nosuch
ok "domain without documents: nor is it the second time" test "$status" -eq 1
nosuch stats nosuch --format json
ok "domain without documents: stats say it" says out '"nothing":true'
nosuch commit nosuch
ok "domain without documents: is not committed" test "$status" -eq 5
ok "domain without documents: and why" says err "is the name right?"
printf '%s\n' '{"seq":1,"id":"a","changes":[{"rev":"1-a"}],"doc":{"_id":"a","_rev":"1-a","doc_type":"Note"}}' >"$work/one.ndjson"
run migrate empty -s "file:$work/one.ndjson" -t "sqlite:$work/one.db" --state-dir "$work/state-one" --profile documents
ok "a profile without a domain field: every document is its" test "$status" -eq 0
refuses 2 "unknown profile" "nonesuch" migrate d -s "file:$demo" -t "$target" --profile nonesuch
echo '{"name":1}' >"$work/bad.json"
refuses 2 "broken profile" "$work/bad.json" migrate d -s "file:$demo" -t "$target" --profile "$work/bad.json"

# ---- other settings than before ----

run migrate demo-clinic -s "file:$work/demo.json" -t "sqlite:$work/settings.db" --state-dir "$work/state-settings.db"
refuses 5 "a state directory that belongs to another target" "settings.db" migrate demo-clinic -s "file:$work/demo.json" -t "sqlite:$work/other.db" --state-dir "$work/state-settings.db"
refuses 5 "another source than before" "source of this migration" migrate demo-clinic -s "file:$demo" -t "sqlite:$work/settings.db"
refuses 5 "another profile than before" "profile of this migration" migrate demo-clinic -s "file:$work/demo.json" -t "sqlite:$work/settings.db" --profile documents

# ---- target ----

refuses 4 "target directory that is not there" "$work/no/dir.db" migrate d -s "file:$demo" -t "sqlite:$work/no/dir.db"
printf 'this is no database, and long enough to be seen as none' >"$work/nodb"
refuses 4 "target that is no database" "$work/nodb" migrate d -s "file:$demo" -t "sqlite:$work/nodb"
refuses 4 "PostgreSQL that does not answer" "onnection refused" migrate d -s "file:$demo" -t "postgres://x@127.0.0.1:1/x"

start_pg || exit 99
create_pg_database closed || exit 99
psql -X -q -d closed -c 'REVOKE CREATE ON SCHEMA public FROM PUBLIC' -c "CREATE ROLE guest LOGIN" -c 'REVOKE CREATE ON DATABASE closed FROM PUBLIC'
refuses 4 "target without rights to create tables" "permission denied" migrate d -s "file:$demo" -t "postgres://guest@/closed?host=$pg_dir"
create_pg_database frozen || exit 99
psql -X -q -d frozen -c 'ALTER DATABASE frozen SET default_transaction_read_only = on'
refuses 4 "read-only target" "read-only" migrate d -s "file:$demo" -t "$(pg_url frozen)"
refuses 4 "missing PostgreSQL database" "does not exist" migrate d -s "file:$demo" -t "$(pg_url nosuch)"
psql -X -q -d closed -c "CREATE ROLE settle_password LOGIN PASSWORD 'right'"
refuses 4 "wrong PostgreSQL password" "password authentication failed" migrate d -s "file:$demo" -t "postgres://settle_password:hushhush@/closed?host=$pg_dir"
ok "wrong PostgreSQL password: it is not shown" not says err hushhush

# ---- disk ----

echo x >"$work/file"
refuses 5 "state directory that is a file" "$work/file" migrate d -s "file:$demo" -t "$target" --state-dir "$work/file"

# on_small_disk COMMAND...: with 2 MiB of space in $work/disk, in a mount namespace of its own
on_small_disk() {
	mkdir -p "$work/disk"
	# shellcheck disable=SC2016
	in_mounts sh -c 'mount -t tmpfs -o size=2m none "$1" && shift && exec "$@"' sh "$work/disk" "$@"
}

status=0
on_small_disk "$settle" migrate demo-clinic -s "file:$work/demo.json" -t "sqlite:$work/disk/t.db" --state-dir "$work/state-full" \
	>"$work/out" 2>"$work/err" || status=$?
ok "full disk under the target: exit code 4" test "$status" -eq 4
ok "full disk under the target: says so" says err "disk is full"
status=0
on_small_disk "$settle" migrate demo-clinic -s "file:$work/demo.json" -t "sqlite:$work/full.db" --state-dir "$work/disk/state" \
	>"$work/out" 2>"$work/err" || status=$?
ok "full disk under the state: exit code 5" test "$status" -eq 5
ok "full disk under the state: says so" says err "disk is full"
exits 1 "after the disk has room again the migration ends well" \
	migrate demo-clinic -s "file:$work/demo.json" -t "sqlite:$work/full.db" --state-dir "$work/state-again" --rebuild-state
run diff show demo-clinic -t "sqlite:$work/full.db" --state-dir "$work/state-again" --format json
cp "$work/out" "$work/diffs"
run stats demo-clinic -t "sqlite:$work/full.db" --state-dir "$work/state-again" --format json
ok "and nothing was lost" node -e '
const stats = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
const want = require(process.argv[2]).now;
process.exit(stats.kinds.every(k => (want.kinds.find(w => w.kind === k.kind) || { docs: 0 }).docs === k.docs) ? 0 : 1)' \
	"$work/out" "$top_srcdir/fixtures/demo/expected.json"

finish
