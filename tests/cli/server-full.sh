#!/bin/sh
# The disk under the server is full: what was to be written there says so, nothing that was there is lost, and the same command comes to its end
# when there is room. The server and this test run in a mount namespace of their own, with 64 MiB for the databases.
# shellcheck disable=SC2016,SC2034
if [ -z "${SERVER_FULL_DISK:-}" ]; then
	SERVER_FULL_DISK=$(mktemp -d "${TMPDIR:-/tmp}/settle-disk.XXXXXX") || exit 99
	chmod 755 "$SERVER_FULL_DISK"
	SERVER_FULL_USER=$(id -u) SERVER_FULL_GROUP=$(id -g)
	export SERVER_FULL_DISK SERVER_FULL_USER SERVER_FULL_GROUP
	flags=-m
	[ "$SERVER_FULL_USER" = 0 ] || flags=-rm
	unshare $flags sh -c 'mount -t tmpfs -o size=64m none "$SERVER_FULL_DISK" || exit 99
		[ "$SERVER_FULL_USER" = 0 ] || exec unshare -U --map-user="$SERVER_FULL_USER" --map-group="$SERVER_FULL_GROUP" "$@"
		exec "$@"' sh sh "$0"
	status=$?
	rmdir "$SERVER_FULL_DISK"
	exit $status
fi
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT
SETTLE_STATE_DIR=$work/state
export SETTLE_STATE_DIR
# Autovacuum would take room, give it back, and throw away what connections have written down of the catalogs.
start_pg -c autovacuum=off || exit 99
mkdir "$SERVER_FULL_DISK/space"
[ "$(id -u)" != 0 ] || chown "$(stat -c %U "$pg_dir")" "$SERVER_FULL_DISK/space"
sql postgres "CREATE TABLESPACE small LOCATION '$SERVER_FULL_DISK/space'"
create_pg_database shop -D small || exit 99
sql shop "CREATE TABLE big AS SELECT g AS n, repeat(md5(g::text), 8) AS t FROM generate_series(1, 40000) g"
big=$(sql shop 'SELECT count(*), min(t), max(t) FROM big')

# leave KIB: so much room for the server
leave() {
	rm -f "$SERVER_FULL_DISK/filler"
	sql postgres CHECKPOINT
	dd if=/dev/zero of="$SERVER_FULL_DISK/filler" bs=64k 2>/dev/null
	truncate -s "-$1k" "$SERVER_FULL_DISK/filler"
}
full() { # NAME KIB ARGUMENTS...: refused for want of room
	what=$1
	leave "$2"
	shift 2
	exits 4 "$what: the server's disk is full" "$@"
	ok "$what: says so" grep -Eq 'No space left on device|could not extend file' "$work/err"
	ok "$what: tells the way out" says err 'make room'
	ok "$what: what was there is there" same "$(sql shop 'SELECT count(*), min(t), max(t) FROM big')" "$big"
}
crowded() { # NAME ARGUMENTS...: refused where there is not even room for what a connection writes down of the catalogs
	what=$1
	shift
	rm -f "$SERVER_FULL_DISK"/space/PG_*/*/pg_internal.init
	leave 0
	exits 4 "$what: the server has no room for a connection" "$@"
	ok "$what: that says so" says err 'could not write init file'
	ok "$what: that tells the way out" says err 'make room'
}
room() { # NAME CODE ARGUMENTS...: the same with room
	rm -f "$SERVER_FULL_DISK/filler"
	what=$1 code=$2
	shift 2
	exits "$code" "$what: with room it comes to its end" "$@"
}

# ---- snapshots ----

exits 0 "a snapshot" snapshot create --name whole -t "$(pg_url shop)"
crowded "snapshot" snapshot create --name crowded -t "$(pg_url shop)"
room "snapshot" 0 snapshot create --name crowded -t "$(pg_url shop)"
exits 0 "a key" snapshot keygen "$work/key"
echo '{"big.t": "hash"}' >"$work/mask.json"
copy="snapshot copy whole --to $work/copies --recipient $work/key.pub --mask $work/mask.json -t $(pg_url shop)"
# shellcheck disable=SC2086
full "masked copy" 12000 $copy
ok "masked copy: its database is gone" same "$(databases)" "shop "
# shellcheck disable=SC2086
room "masked copy" 0 $copy
sql shop "UPDATE big SET t = 'later' WHERE n = 1"
later=$(sql shop 'SELECT count(*), min(t), max(t) FROM big')
was=$big big=$later
full "restore" 12000 snapshot restore whole -y -t "$(pg_url shop)"
room "restore" 0 snapshot restore whole -y -t "$(pg_url shop)"
ok "restore: what was is so again" same "$(sql shop 'SELECT count(*), min(t), max(t) FROM big')" "$was"
old=$(databases | tr ' ' '\n' | grep '^shop_before_')
ok "restore: the old database is kept" same "$(sql "$old" 'SELECT count(*), min(t), max(t) FROM big')" "$later"
exits 0 "restore: until it may go" snapshot restore whole --drop-old -y -t "$(pg_url shop)"
big=$was

# ---- a migration ----

SETTLE_SOURCE=file:$top_srcdir/fixtures/demo/demo.json.gz
export SETTLE_SOURCE
full "migrate" 600 migrate demo-clinic -t "$(pg_url shop)"
crowded "migrate" migrate demo-clinic -t "$(pg_url shop)"
room "migrate" 1 migrate demo-clinic -t "$(pg_url shop)"
create_pg_database calm || exit 99
exits 1 "an undisturbed run" migrate demo-clinic -t "$(pg_url calm)" --state-dir "$work/calm"
contents_of shop >"$work/shop"
contents_of calm >"$work/calm.rows"
ok "migrate: it ends as an undisturbed run" cmp "$work/shop" "$work/calm.rows"

# ---- tables ----

unset SETTLE_SOURCE
create_pg_database store -D small || exit 99
exits 0 "tables: plan" tables plan --source "$(pg_url calm)" --target "$(pg_url store)" "$work/manifest"
exits 0 "tables: create" tables create "$work/manifest"
full "tables" 100 tables migrate "$work/manifest" --confirm -y
crowded "tables" tables migrate "$work/manifest" --confirm --retry-errors -y
room "tables" 0 tables migrate "$work/manifest" --confirm --retry-errors -y
exits 0 "tables: and they are equal" tables validate "$work/manifest"
finish
