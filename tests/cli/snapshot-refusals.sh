#!/bin/sh
# Bad luck with disks and programs: create, copy and restore say what is wrong, leave nothing half done, and go on when it is mended.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT
SETTLE_STATE_DIR=$work/state
export SETTLE_STATE_DIR
start_pg || exit 99
create_pg_database shop || exit 99
pg=$(pg_url shop)
psql -X -q -d shop -c "CREATE TABLE big AS SELECT md5(g::text) || md5((g + 1)::text) AS t FROM generate_series(1, 60000) g"
sqlite3 "$work/t.db" "CREATE TABLE big AS WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 300) SELECT randomblob(8000) AS t FROM g"
lite=sqlite:$work/t.db
for key in key other; do
	exits 0 "$key" snapshot keygen "$work/$key"
done
exits 0 "a snapshot" snapshot create --name plain -t "$pg"
exits 0 "an encrypted one" snapshot create --name enc -t "$pg" --recipient "$work/key.pub"
exits 0 "one of SQLite" snapshot create --name lite -t "$lite" --recipient "$work/key.pub"

# on_small_disk CODE NAME ARGUMENTS...: settle with 1 MiB of space in $work/disk, in a mount namespace of its own. work_put: a file that lies there
# first. It fails so, says that the disk is full, and leaves there what `kept` says and nothing more.
kept=
on_small_disk() {
	wanted=$1 disk=$2
	shift 2
	mkdir -p "$work/disk"
	status=0
	# shellcheck disable=SC2016
	in_mounts sh -c 'mount -t tmpfs -o size=1m none "$1" && { [ -z "$work_put" ] || cp "$work_put" "$1"; } && shift && "$@"; status=$?
		find "$work_disk" -type f ! -name .lock | sort >"$work_left"; exit $status' sh "$work/disk" \
		"$settle" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	ok "full disk, $disk: exit code $wanted" test "$status" -eq "$wanted"
	ok "full disk, $disk: says so" grep -Eq 'No space left on device|disk is full' "$work/err"
	ok "full disk, $disk: tells the way out" grep -Eq 'make room|free space' "$work/err"
	ok "full disk, $disk: leaves nothing" test "$(sed "s|^$work/disk/||" "$work/left" | grep -v '^restore/[0-9a-f]*\.json$' | tr '\n' ' ')" = "$kept"
}
work_disk=$work/disk work_left=$work/left work_put=
export work_disk work_left work_put
ask() {
	psql -X -A -t -d shop -c 'SELECT count(*) FROM big'
}

# ---- full disks ----

copy="--recipient $work/other.pub --key $work/key"
on_small_disk 4 "create" snapshot create --name full --to "$work/disk" -t "$pg"
on_small_disk 4 "create, encrypted" snapshot create --name full --to "$work/disk" -t "$pg" --recipient "$work/key.pub"
on_small_disk 4 "create, SQLite" snapshot create --name full --to "$work/disk" -t "$lite"
for name in plain enc lite; do
	# shellcheck disable=SC2086
	on_small_disk 5 "copy of $name" snapshot copy $name --to "$work/disk" $copy
done
echo '{"big.t": "hash"}' >"$work/mask.json"
# shellcheck disable=SC2086
on_small_disk 5 "masked copy, where it goes" snapshot copy enc --to "$work/disk" $copy --mask "$work/mask.json" -t "$pg"
# shellcheck disable=SC2086
on_small_disk 5 "masked copy, where it is made" snapshot copy enc --to "$work/copies" --dir "$work/state/snapshots" --state-dir "$work/disk" $copy --mask "$work/mask.json" -t "$pg"
# shellcheck disable=SC2086
on_small_disk 4 "masked copy, the new dump" snapshot copy plain --to "$work/copies" --dir "$work/state/snapshots" --state-dir "$work/disk" $copy --mask "$work/mask.json" -t "$pg"
# shellcheck disable=SC2086
on_small_disk 5 "masked copy of SQLite" snapshot copy lite --to "$work/copies" --dir "$work/state/snapshots" --state-dir "$work/disk" $copy --mask "$work/mask.json"
ok "no copy came to be" not test -e "$work/copies/snapshot-for-copy"
ok "and no database is left" test "$(databases)" = "shop "
on_small_disk 5 "restore" snapshot restore enc -y --dir "$work/state/snapshots" --state-dir "$work/disk" --key "$work/key" -t "$pg"
ok "the database is as it was" test "$(ask)" -eq 60000
ok "and alone" test "$(databases)" = "shop "
sqlite3 "$work/small.db" 'CREATE TABLE mine (x); INSERT INTO mine VALUES (1)'
work_put=$work/small.db kept="small.db small.db-settle-lock "
on_small_disk 5 "restore of SQLite" snapshot restore lite -y --key "$work/key" -t "sqlite:$work/disk/small.db"
work_put='' kept=
cp "$work/small.db" "$work/disk/small.db"
exits 0 "given room it goes on" snapshot restore lite -y --key "$work/key" -t "sqlite:$work/disk/small.db"
ok "and says what was done" says err "step 1 of 6, verify: done before"
ok "and comes to its end" test "$(sqlite3 "$work/disk/small.db" 'SELECT count(*) FROM big')" -eq 300

# ---- programs ----

mkdir "$work/bin" "$work/empty"
old_path=$PATH
printf '#!/bin/sh\necho "pg_restore (PostgreSQL) 9.6.1"\n' >"$work/bin/pg_restore"
chmod 755 "$work/bin/pg_restore"
PATH=$work/bin:$old_path
exits 4 "pg_restore older than the dump" snapshot restore plain -y -t "$pg"
ok "with both versions" says err "pg_restore (PostgreSQL) 9.6.1 is older than what made the dump, pg_dump (PostgreSQL)"
exits 4 "a dry run says so too" snapshot restore plain --dry-run -t "$pg"
# shellcheck disable=SC2086
exits 4 "for a masked copy too" snapshot copy plain --to "$work/copies" $copy --mask "$work/mask.json" -t "$pg"
PATH=$work/empty
exits 4 "no pg_restore" snapshot restore plain -y -t "$pg"
PATH=$old_path
ok "is said, with the package" says err "postgresql-client"
PATH=$work/empty
# shellcheck disable=SC2086
exits 4 "no pg_restore for a masked copy" snapshot copy plain --to "$work/copies" $copy --mask "$work/mask.json" -t "$pg"
PATH=$old_path
printf '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.1"\n' >"$work/bin/pg_dump"
rm "$work/bin/pg_restore"
chmod 755 "$work/bin/pg_dump"
PATH=$work/bin:$old_path
# shellcheck disable=SC2086
exits 4 "pg_dump older than the server of a masked copy" snapshot copy plain --to "$work/copies" $copy --mask "$work/mask.json" -t "$pg"
ok "is said" says err "is older than the server"
PATH=$old_path
ok "no database is left of all that" test "$(databases)" = "shop "

# ---- keys and damage ----

exits 2 "a copy with the wrong key" snapshot copy enc --to "$work/copies" --recipient "$work/other.pub" --key "$work/other"
exits 2 "a masked copy with the wrong key" snapshot copy enc --to "$work/copies" --recipient "$work/other.pub" --key "$work/other" --mask "$work/mask.json" -t "$pg"
exits 2 "a mask file that is not there" snapshot copy enc --to "$work/copies" --recipient "$work/other.pub" --key "$work/key" --mask "$work/none.json" -t "$pg"
ok "is named" says err "$work/none.json"
for file in "$work"/state/snapshots/enc/dump/*; do
	cp "$file" "$work/kept"
	head -c 40 "$work/kept" >"$file"
	exits 5 "${file##*/} cut off: restore refuses" snapshot restore enc -y --key "$work/key" -t "$pg"
	ok "and names it" says err "${file##*/}"
	# shellcheck disable=SC2086
	exits 5 "copy refuses" snapshot copy enc --to "$work/copies" $copy
	ok "and names it" says err "${file##*/}"
	# shellcheck disable=SC2086
	exits 5 "so does a masked copy" snapshot copy enc --to "$work/copies" $copy --mask "$work/mask.json" -t "$pg"
	ok "and names it" says err "${file##*/}"
	cp "$work/kept" "$file"
done
ok "no database is left of that either" test "$(databases)" = "shop "
ok "nor a copy" test -z "$(ls "$work/copies" 2>/dev/null)"
exits 0 "whole again, the restore goes on" snapshot restore enc -y --drop-old --key "$work/key" -t "$pg"
ok "to its end" test "$(ask)" -eq 60000
finish
