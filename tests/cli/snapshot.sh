#!/bin/sh
# Snapshots of a target: made, listed, shown, verified, pruned; encrypted; what is damaged or unfinished is never called good.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT

SETTLE_STATE_DIR=$work/state
export SETTLE_STATE_DIR
snaps=$work/state/snapshots
printf '%s\n' '{"seq":1,"id":"a","changes":[{"rev":"1-a"}],"doc":{"_id":"a","_rev":"1-a","doc_type":"Note","text":"x"}}' \
	'{"seq":2,"id":"b","changes":[{"rev":"1-b"}],"doc":{"_id":"b","_rev":"1-b","doc_type":"Note","text":"y"}}' >"$work/feed.ndjson"
"$settle" profile show documents >"$work/notes.json"
SETTLE_PROFILE=$work/notes.json
export SETTLE_PROFILE

start_pg || exit 99
create_pg_database shop || exit 99
pg=$(pg_url shop)
exits 0 "a migration to look at" migrate d -s "file:$work/feed.ndjson" -t "$pg"

# ---- PostgreSQL ----

exits 0 "PostgreSQL: a snapshot is made" snapshot create -t "$pg"
ok "its name says domain and minute" grep -qE 'pre-migration-d-20[0-9]{10}$' "$work/out"
ok "it says the way back" says out "settle snapshot restore pre-migration-d-"
exits 0 "one of a given name" snapshot create d --name mine -t "$pg" --format json
ok "JSON says that it is good" says out '"name":"mine"'
exits 5 "a name is not used twice" snapshot create --name mine -t "$pg"
ok "and the way out is said" says err "--name"
exits 2 "a name with a slash is none" snapshot create --name a/b -t "$pg"
exits 2 "a hidden name is none" snapshot create --name .a -t "$pg"
exits 0 "verify" snapshot verify mine
exits 0 "show" snapshot show mine --format json
ok "the manifest holds rows, versions, status and checkpoint" node -e '
const m = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
const rows = Object.fromEntries(m.tables.map(t => [t.table, t.rows]));
const d = m.domains[0];
const good = rows["public.documents"] === 2 && m.engine === "postgresql" && m.server_version > 90000 && /pg_dump/.test(m.tool) &&
	d.domain === "d" && d.status === "in-progress" && d.checkpoint === "2" && d.state === "state/d.db" &&
	m.files.every(f => /^[0-9a-f]{64}$/.test(f.sha256)) && m.files.some(f => f.path === "dump/toc.dat");
process.exit(good ? 0 : 1)' "$work/out"
ok "sha256sum agrees with the digest of the manifest" sh -c 'cd "$1" && sha256sum -c --quiet manifest.sha256' sh "$snaps/mine"
ok "nobody else may read it" test -z "$(find "$snaps" -perm /077)"
exits 0 "list" snapshot list --format json
ok "both are there" test "$(grep -c '"good":true' "$work/out")" -eq 2

# A migration that runs, as the server sees it.
PGAPPNAME=settle psql -X -q -d shop -c 'SELECT pg_advisory_lock(1)' -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 &
pid=$!
server_has() { # server_has ROWS: some of them
	test "$(psql -X -A -t -d postgres -c "SELECT count(*) FROM $1")" -gt 0
}
within 30 server_has "pg_locks WHERE locktype = 'advisory' AND objid = 1"
exits 5 "refused while a migration runs" snapshot create --name running -t "$pg"
ok "and says so" says err "a migration is running"
exits 5 "a template wants the database for itself" snapshot create --name running --method template -t "$pg"
psql -X -q -d postgres -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop'" >/dev/null
wait $pid 2>/dev/null

psql -X -q -d shop -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 &
pid=$!
within 30 server_has "pg_stat_activity WHERE datname = 'shop' AND query LIKE 'SELECT pg_sleep%'"
exits 5 "a template is refused while clients are connected" snapshot create --name copy --method template -t "$pg"
ok "and names them" says err "psql"
exits 0 "--terminate ends them" snapshot create --name copy --method template --terminate -t "$pg"
wait $pid 2>/dev/null
ok "the template is a database" test "$(psql -X -A -t -d postgres -c "SELECT count(*) FROM pg_database WHERE datname LIKE 'settle\_snapshot\_%'")" -eq 1
exits 2 "a template cannot be encrypted" snapshot create --method template --recipient x -t "$pg"

# ---- encryption ----

exits 0 "keygen" snapshot keygen "$work/key"
ok "prints the public key" cmp "$work/out" "$work/key.pub"
ok "the secret key is one's own" test "$(stat -c %a "$work/key")" = 600
ok "it is not printed" not grep -q settle-key "$work/out" "$work/err"
exits 2 "a key is never overwritten" snapshot keygen "$work/key"
exits 0 "another key" snapshot keygen "$work/other"
exits 0 "encrypted for two" snapshot create --name enc --recipient "$work/key.pub,$(cat "$work/other.pub")" -t "$pg"
ok "no plain file is left" test "$(find "$snaps/enc" -type f ! -name '*.enc' | wc -l)" -eq 2
ok "nor their directory" not test -e "$snaps/enc/.plain"
ok "nothing can be read in it" not grep -rqa 'CREATE TABLE' "$snaps/enc"
exits 0 "verify without a key looks at digests" snapshot verify enc
exits 0 "with a key it decrypts" snapshot verify enc --key "$work/key"
exits 0 "with the other key too" snapshot verify enc --key "$work/other"
exits 0 "a third key" snapshot keygen "$work/third"
exits 2 "a key of somebody else is refused" snapshot verify enc --key "$work/third"
ok "and says so" says err "not one of the snapshot's 2 recipients"
chmod 640 "$work/key"
exits 2 "a key file that others may read is refused" snapshot verify enc --key "$work/key"
ok "and says the way out" says err "chmod 600"
chmod 600 "$work/key"
exits 2 "a key file that is not there" snapshot verify enc --key "$work/none"
exits 2 "a public key is no secret one" snapshot verify enc --key "$work/third.pub"
chmod 600 "$work/third.pub"
exits 2 "not even one's own" snapshot verify enc --key "$work/third.pub"
exits 2 "a secret key is no recipient" snapshot create --name no --recipient "$(cat "$work/third")" -t "$pg"
ok "and is not repeated" not says err "$(cat "$work/third")"
exits 2 "rubbish is no recipient" snapshot create --name no --recipient settle-pub-xyz -t "$pg"
ok "what failed left nothing" not ls -d "$snaps"/*.partial

# ---- SQLite ----

SETTLE_STATE_DIR=$work/lite
lite=sqlite:$work/t.db
exits 0 "SQLite: a migration" migrate d -s "file:$work/feed.ndjson" -t "$lite"
exits 0 "SQLite: a snapshot" snapshot create --name one -t "$lite"
exits 0 "SQLite: it is good" snapshot verify one
ok "SQLite: the copy is one file" test "$(ls "$work/lite/snapshots/one")" = "manifest.json
manifest.sha256
state
target.db"
ok "SQLite: the copy is whole" test "$(sqlite3 "$work/lite/snapshots/one/target.db" 'PRAGMA integrity_check; SELECT count(*) FROM documents')" = "ok
2"
exits 0 "SQLite: an encrypted one" snapshot create --name two --recipient "$work/key.pub" -t "$lite"
exits 0 "SQLite: it can be decrypted" snapshot verify two --key "$work/key"
exits 4 "SQLite: no database, no snapshot" snapshot create -t "sqlite:$work/none.db"
ok "SQLite: and none is made" not test -e "$work/none.db"
exits 2 "SQLite: no template" snapshot create --method template -t "$lite"
flock -x -F "$work/t.db-settle-lock" sleep 600 >/dev/null 2>&1 &
pid=$!
within 30 not flock -n "$work/t.db-settle-lock" true
exits 5 "SQLite: refused while a migration runs" snapshot create --name three -t "$lite"
ok "SQLite: and says who" says err "is being written to by"
kill $pid
wait $pid 2>/dev/null

# ---- what is no good ----

mkdir "$work/lite/snapshots/half.partial"
echo x >"$work/lite/snapshots/half.partial/manifest.json"
exits 0 "list with one unfinished" snapshot list --format json
ok "the unfinished is not good" grep -q '"name":"half.partial".*"good":false' "$work/out"
exits 2 "it cannot be named" snapshot verify half.partial
run snapshot list
ok "people are told too" says out "NO GOOD"
exits 0 "prune without options takes leftovers only" snapshot prune -y
ok "they are gone" not test -e "$work/lite/snapshots/half.partial"
ok "the good stay" test -d "$work/lite/snapshots/one"

# flipped FILE: verify names it; the byte in the middle, the first and the last
flipped() {
	size=$(stat -c %s "$1")
	for at in ${3:-0 $((size / 2)) $((size - 1))}; do
		cp "$1" "$work/kept"
		node -e 'const fs = require("fs"), b = fs.readFileSync(process.argv[1]); b[process.argv[2]] ^= 4; fs.writeFileSync(process.argv[1], b)' "$1" "$at"
		exits 1 "byte $at of ${1#"$work"/} flipped: verify finds it" snapshot verify "$2" --key "$work/key"
		ok "and names the file" says out "${1##*/}"
		cp "$work/kept" "$1"
	done
}
flipped "$work/lite/snapshots/two/manifest.json" two
flipped "$work/lite/snapshots/two/manifest.sha256" two 70
flipped "$work/lite/snapshots/two/target.db.enc" two 5000
flipped "$work/lite/snapshots/two/state/d.db.enc" two 3
exits 0 "made whole again it is good" snapshot verify two --key "$work/key"
cp "$work/lite/snapshots/one/target.db" "$work/kept"
head -c 5000 "$work/kept" >"$work/lite/snapshots/one/target.db"
exits 1 "a truncated file" snapshot verify one
ok "is named" says out "target.db has 5000 bytes instead of"
run snapshot list --format json
ok "and the list does not call it good" grep -q '"name":"one".*"good":false' "$work/out"
rm "$work/lite/snapshots/one/target.db"
exits 1 "a missing file" snapshot verify one
ok "is named" says out "target.db is missing"
cp "$work/kept" "$work/lite/snapshots/one/target.db"
echo x >"$work/lite/snapshots/one/more"
exits 1 "a file too many" snapshot verify one
ok "is named" says out "more is not in the manifest"
rm "$work/lite/snapshots/one/more"
# Files of one snapshot are bound to their names, also against somebody who mends the manifest.
cp "$work/lite/snapshots/two/state/d.db.enc" "$work/lite/snapshots/two/target.db.enc"
node -e '
const fs = require("fs"), crypto = require("crypto"), dir = process.argv[1];
const sha = b => crypto.createHash("sha256").update(b).digest("hex");
const m = JSON.parse(fs.readFileSync(dir + "/manifest.json"));
const b = fs.readFileSync(dir + "/target.db.enc");
Object.assign(m.files.find(f => f.path === "target.db.enc"), { bytes: b.length, sha256: sha(b) });
const text = JSON.stringify(m);
fs.writeFileSync(dir + "/manifest.json", text);
fs.writeFileSync(dir + "/manifest.sha256", sha(text) + "  manifest.json\n");' "$work/lite/snapshots/two"
exits 0 "a file in the place of another: digests agree" snapshot verify two
exits 1 "but it cannot be decrypted" snapshot verify two --key "$work/key"
ok "and is named" says out "target.db.enc"

# ---- prune ----

exits 0 "a third" snapshot create --name three -t "$lite"
exits 0 "what a prune would do" snapshot prune --keep 1 --dry-run
ok "is said" says out "would remove"
ok "and not done" test -d "$work/lite/snapshots/one"
exits 2 "a prune asks" snapshot prune --keep 1
exits 0 "--yes answers" snapshot prune --keep 1 -y
ok "the newest stays" test "$(ls "$work/lite/snapshots")" = three
exits 0 "young ones stay" snapshot prune --older-than 1 -y
ok "all of them" test -d "$work/lite/snapshots/three"
for days in 106751991168 9223372036854775807; do
	exits 0 "however old they might be ($days days)" snapshot prune --older-than $days -y
	ok "none is" says out "nothing to remove"
done
SETTLE_STATE_DIR=$work/state
exits 0 "a template's database goes with it" snapshot prune --keep 1 -y -t "$pg"
ok "from the server" test "$(psql -X -A -t -d postgres -c "SELECT count(*) FROM pg_database WHERE datname LIKE 'settle\_snapshot\_%'")" -eq 0

# ---- bad luck ----

mkdir "$work/bin"
printf '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.1"\n' >"$work/bin/pg_dump"
chmod 755 "$work/bin/pg_dump"
old_path=$PATH
PATH=$work/bin:$old_path
exits 4 "pg_dump older than the server" snapshot create --name old -t "$pg"
ok "with both versions" says err "is older than the server, which is PostgreSQL"
ln -sf /bin/false "$work/bin/pg_dump"
exits 4 "pg_dump that fails" snapshot create --name old -t "$pg"
mkdir "$work/empty"
PATH=$work/empty
exits 4 "no pg_dump" snapshot create --name old -t "$pg"
PATH=$old_path
ok "is said, with the package" says err "postgresql-client"
ok "nothing is left of them" not ls -d "$snaps"/*.partial

finish
