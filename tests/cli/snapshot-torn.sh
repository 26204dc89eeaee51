#!/bin/sh
# SIGKILL before each named step, and each call that changes a disk or a server, of create, copy and restore: nothing half done is called good, what
# is to be replaced is never lost, what is plain stays where it may be, and the same command again comes to its end. SQLite: before every call.
# PostgreSQL: before every named step and every SETTLE_TORN_EVERYth other call.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT
torn=$top_builddir/tests/cli/snapshot_torn
every=${SETTLE_TORN_EVERY:-9}
for n in 1 2; do
	printf '{"seq":%s,"id":"a%s","changes":[{"rev":"1-a"}],"doc":{"_id":"a%s","_rev":"1-a","doc_type":"Note","text":"SecretText"}}\n' $n $n $n
done >"$work/feed.ndjson"
"$settle" profile show documents >"$work/notes.json"
SETTLE_PROFILE=$work/notes.json SETTLE_SOURCE=file:$work/feed.ndjson
export SETTLE_PROFILE SETTLE_SOURCE
run snapshot keygen "$work/key"

no_plain() { # DIRECTORIES...
	! grep -rqa 'Secret' "$@" 2>/dev/null && test -z "$(find "$@" -name .plain -o -name '*.plain' 2>/dev/null)"
}

# moments STRIDE ARGUMENTS...: numbers of the calls to be killed before; the undisturbed run is said in out and err
moments() {
	stride=$1
	shift
	rm -f "$work/list"
	SNAPSHOT_TORN_LIST=$work/list "$torn" "$@" >"$work/out" 2>"$work/err" </dev/null || echo "# undisturbed it failed: $*" >&2
	awk -v k="$stride" '$2 == "step" || NR % k == 0 { print $1 }' "$work/list"
}

# each NAME STRIDE PREPARE AFTER AGAIN ARGUMENTS...: PREPARE, killed, AFTER, and AGAIN when the same command has run again
each() {
	what=$1 stride=$2 prepare=$3 after=$4 again=$5
	shift 5
	$prepare
	at=$(moments "$stride" "$@")
	$again || echo "# $what: the undisturbed run left it wrong"
	kills=0 bad=
	for n in $at; do
		$prepare
		SNAPSHOT_TORN_AT=$n "$torn" "$@" >"$work/out" 2>"$work/err" </dev/null
		[ $? -eq 137 ] || continue
		kills=$((kills + 1))
		$after || bad="$bad after:$n"
		run "$@"
		$again || bad="$bad again:$n($status)"
		[ -z "$bad" ] || break
	done 2>/dev/null
	echo "# $what: killed $kills times, before: $(awk '$2 == "step" { printf "%s ", $3 }' "$work/list")and others"
	[ -z "$bad" ] || { sed -n "$n p" "$work/list"; sed 's/^/# /' "$work/err"; }
	ok "$what: it was killed at its steps" test $kills -ge "$(grep -c ' step ' "$work/list")"
	ok "$what: and nothing was lost or half done$bad" test -z "$bad"
}

nothing() {
	:
}

# ---- create ----

no_snapshot() {
	rm -rf "$snaps/torn"
}
created() {
	all_good "$snaps" && content
}
# Killed after it got its name it is whole, and the name is taken.
created_again() {
	{ [ "$status" -eq 0 ] || { [ "$status" -eq 5 ] && says err 'there is a snapshot'; }; } &&
		"$settle" snapshot verify torn --key "$work/key" >/dev/null 2>&1 && content && [ "$(ls "$snaps" | grep -c partial)" -eq 0 ] && no_plain "$snaps/torn"
}

# ---- copy ----

copied() {
	all_good "$work/copies" && ! grep -rqa 'Secret' "$work/copies"
}
copied_again() {
	[ "$status" -eq 0 ] && [ "$(ls "$work/copies")" = snapshot-for-copy ] && all_good "$work/copies" && no_plain "$work/copies" "$SETTLE_STATE_DIR/copy" &&
		[ ! -e "$SETTLE_STATE_DIR/copy/work.partial" ] && [ ! -e "$SETTLE_STATE_DIR/copy/database.json" ]
}

# ---- SQLite ----

SETTLE_STATE_DIR=$work/lite SETTLE_TARGET=sqlite:$work/t.db
export SETTLE_STATE_DIR SETTLE_TARGET
snaps=$work/lite/snapshots
exits 0 "SQLite: a migration" migrate d
sqlite3 "$work/t.db" "CREATE TABLE t (v); INSERT INTO t VALUES ('SecretOld')"
content() {
	[ "$(sqlite3 "$work/t.db" 'SELECT v FROM t')" = SecretOld ]
}
each "SQLite, create" 1 no_snapshot created created_again snapshot create --name torn --recipient "$work/key.pub"
each "SQLite, create, plain" 1 no_snapshot created nothing snapshot create --name torn
run snapshot create --name whole --recipient "$work/key.pub"
each "SQLite, copy" 1 nothing copied copied_again snapshot copy whole --to "$work/copies" --recipient "$work/key.pub" --key "$work/key"
echo '{"t.v": "hash", "documents.body": null}' >"$work/mask.json"
each "SQLite, masked copy" 1 nothing copied copied_again snapshot copy whole --to "$work/copies" --recipient "$work/key.pub" --key "$work/key" --mask "$work/mask.json"

state_sum() {
	sqlite3 "$work/lite/domains/d/state.db" .dump | cksum
}
state=$(state_sum)
changed() {
	rm -f "$work"/t.db.before-* "$work"/lite/domains/d/state.db.before-*
	sqlite3 "$work/t.db" "UPDATE t SET v = 'SecretNew'"
	sqlite3 "$work/lite/domains/d/state.db" 'CREATE TABLE IF NOT EXISTS later (x)'
}
# Both are there: what is replaced, under its own name or the old one, and a whole file under the target's name.
torn_apart() {
	now=$(sqlite3 "$work/t.db" 'PRAGMA integrity_check; SELECT v FROM t' | tr '\n' ' ')
	case $now in
	"ok SecretNew ") ;;
	"ok SecretOld ") [ "$(sqlite3 "$(ls "$work"/t.db.before-*)" 'SELECT v FROM t')" = SecretNew ] ;;
	*) return 1 ;;
	esac
}
audited() {
	"$settle" audit verify d >/dev/null 2>&1
}
# Killed when all was done it was done twice: then there are two old ones.
old_ones() {
	for file in "$work"/t.db.before-*; do
		sqlite3 "$file" 'SELECT v FROM t'
	done
}
came_back() {
	[ "$status" -eq 0 ] && content && [ "$(state_sum)" = "$state" ] && old_ones | grep -q SecretNew && audited &&
		[ -z "$(ls "$work" | grep -E 't\.db\.restore-|\.plain')" ]
}
status=0
each "SQLite, restore" 1 changed torn_apart came_back snapshot restore whole -y --key "$work/key"
exits 0 "SQLite: the migration goes on" migrate d

# later NAME FILE [STEP]: killed when it was verified, damaged, and run again
later() {
	SNAPSHOT_TORN_LIST=$work/list "$torn" snapshot restore whole -y --key "$work/key" --drop-old >/dev/null 2>&1 </dev/null
	SNAPSHOT_TORN_AT=$(awk '$2 == "step" && $3 == "'"${3-load}"'" { print $1 }' "$work/list") "$torn" snapshot restore whole -y --key "$work/key" >/dev/null 2>&1 </dev/null
	rm "$work/list"
	cp "$2" "$work/kept"
	flip "$2" 50
	exits 5 "$1: damaged after it was verified" snapshot restore whole -y --key "$work/key"
	ok "$1: the file is named" says err "${2##*/} is damaged"
	cp "$work/kept" "$2"
	exits 0 "$1: mended, it goes on" snapshot restore whole -y --key "$work/key" --drop-old
}
rm -f "$work/list"
later "SQLite" "$snaps/whole/target.db.enc"
later "SQLite, state" "$snaps/whole/state/d.db.enc" state

# ---- PostgreSQL ----

start_pg || exit 99
create_pg_database shop || exit 99
SETTLE_STATE_DIR=$work/state SETTLE_TARGET=$(pg_url shop)
snaps=$work/state/snapshots
exits 0 "PostgreSQL: a migration" migrate d
psql -X -q -d shop -c 'CREATE TABLE t (v text)' -c "INSERT INTO t VALUES ('SecretOld')"
value() {
	psql -X -A -t -d "$1" -c 'SELECT v FROM t'
}
content() {
	[ "$(value shop)" = SecretOld ]
}
pg_created_again() {
	created_again && [ "$(databases)" = "shop " ]
}
each "PostgreSQL, create" "$every" no_snapshot created pg_created_again snapshot create --name torn --recipient "$work/key.pub"
each "PostgreSQL, create inside the server" "$every" no_snapshot created nothing snapshot create --name torn --method template
ok "the copy inside is a database" test "$(databases | wc -w)" -eq 2
run snapshot create --name again
exits 0 "which goes with its snapshot" snapshot prune --keep 1 -y
ok "and nothing is left of it" test "$(databases)" = "shop "
run snapshot create --name whole --recipient "$work/key.pub"
each "PostgreSQL, copy" "$every" nothing copied copied_again snapshot copy whole --to "$work/copies" --recipient "$work/key.pub" --key "$work/key"
pg_copied_again() {
	copied_again && [ "$(databases)" = "shop " ]
}
each "PostgreSQL, masked copy" "$every" nothing copied pg_copied_again snapshot copy whole --to "$work/copies" --recipient "$work/key.pub" --key "$work/key" \
	--mask "$work/mask.json" --exclude-table settle_checkpoint
SNAPSHOT_TORN_AT=$(awk '$2 == "step" && $3 == "mask" { print $1 }' "$work/list") "$torn" snapshot copy whole --to "$work/copies" --recipient "$work/key.pub" \
	--key "$work/key" --mask "$work/mask.json" >/dev/null 2>&1 </dev/null
ok "a killed masked copy leaves a database" test "$(databases | wc -w)" -eq 2
exits 0 "prune knows of it" snapshot prune -y
ok "and drops it" test "$(databases)" = "shop "

state_sum() {
	sqlite3 "$work/state/domains/d/state.db" .dump | cksum
}
state=$(state_sum)
pg_changed() {
	rm -f "$work"/state/domains/d/state.db.before-*
	for name in $(databases); do
		[ "$name" = shop ] || dropdb --force "$name"
	done
	psql -X -q -d shop -c "UPDATE t SET v = 'SecretNew'"
	sqlite3 "$work/state/domains/d/state.db" 'CREATE TABLE IF NOT EXISTS later (x)'
}
old_ones() {
	for name in $(databases | tr ' ' '\n' | grep '^shop_before_'); do
		value "$name"
	done
}
pg_torn_apart() {
	case $(value shop) in
	SecretNew) ;;
	SecretOld) old_ones | grep -q SecretNew ;;
	*) return 1 ;;
	esac
}
pg_came_back() {
	[ "$status" -eq 0 ] && content && old_ones | grep -q SecretNew && audited && [ "$(databases | grep -c _restore_)" -eq 0 ] && [ "$(state_sum)" = "$state" ] && no_plain "$work/state/restore"
}
status=0
each "PostgreSQL, restore" "$every" pg_changed pg_torn_apart pg_came_back snapshot restore whole -y --key "$work/key"
exits 0 "PostgreSQL: the migration goes on" migrate d
rm -f "$work/list"
later "PostgreSQL" "$snaps/whole/dump/toc.dat.enc"
later "PostgreSQL, state" "$snaps/whole/state/d.db.enc" state
finish
