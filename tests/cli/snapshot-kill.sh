#!/bin/sh
# SIGKILL at any moment of create, copy and restore: no half snapshot is called good, the database is never lost, and the same command again
# comes to its end. The seed of the moments is printed; SETTLE_SEED repeats one.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT
SETTLE_STATE_DIR=$work/state
export SETTLE_STATE_DIR
kills=${SETTLE_KILLS:-10}
seed=${SETTLE_SEED:-$(date +%s)}
echo "# seed $seed"
start_pg || exit 99
create_pg_database shop || exit 99
psql -X -q -d shop -c "CREATE TABLE t AS SELECT g AS id, md5(g::text) AS v FROM generate_series(1, 20000) g"
pg=$(pg_url shop)
sums="SELECT count(*), md5(string_agg(t::text, ',' ORDER BY id)) FROM t"
before=$(psql -X -A -t -d shop -c "$sums")
run snapshot keygen "$work/key"

# torn CHECK ARGUMENTS...: killed at `kills` moments of the time that one undisturbed run takes; CHECK holds after each
torn() {
	check=$1
	shift
	begin=$(date +%s%N)
	"$settle" "$@" >/dev/null 2>&1 </dev/null
	longest=$((($(date +%s%N) - begin) / 1000000))
	$check
	broken=0 hits=0
	for ms in $(awk -v seed="$seed" -v n="$kills" -v most="$longest" 'BEGIN { srand(seed); for (i = 0; i < n; i++) printf "%.1f\n", most * (i + rand()) / n }'); do
		"$settle" "$@" >/dev/null 2>&1 </dev/null &
		pid=$!
		sleep "$(awk -v ms="$ms" 'BEGIN { print ms / 1000 }')"
		kill -KILL $pid 2>/dev/null && hits=$((hits + 1))
		wait $pid 2>/dev/null
		$check || broken=$((broken + 1))
	done
	echo "# $1 $2: $hits of $kills were killed"
	ok "$1 $2: it was killed on the way" test $hits -gt 0
	ok "$1 $2: nothing was ever half done" test $broken -eq 0
}

made_good() {
	all_good "$work/state/snapshots" || return 1
	rm -rf "$work/state/snapshots/torn"
}
copies_good() {
	all_good "$work/copies"
}
not_lost() {
	psql -X -q -d shop -c 'SELECT 1 FROM t LIMIT 1' >/dev/null 2>&1
}

torn made_good snapshot create --name torn --recipient "$work/key.pub" -t "$pg"
exits 0 "create comes to its end" snapshot create --name whole --recipient "$work/key.pub" -t "$pg"
ok "nothing unfinished is left" test "$(ls "$work/state/snapshots")" = whole
exits 0 "and is good" snapshot verify whole --key "$work/key"
torn copies_good snapshot copy whole --to "$work/copies" --recipient "$work/key.pub" --key "$work/key"
exits 0 "copy comes to its end" snapshot copy whole --to "$work/copies" --recipient "$work/key.pub" --key "$work/key"
ok "nothing unfinished is left of copies" test "$(ls "$work/copies")" = snapshot-for-copy
psql -X -q -d shop -c "DELETE FROM t WHERE id > 10"
torn not_lost snapshot restore whole --key "$work/key" -y --terminate -t "$pg"
exits 0 "restore comes to its end" snapshot restore whole --key "$work/key" -y --terminate -t "$pg"
ok "and the database is as it was" test "$(psql -X -A -t -d shop -c "$sums")" = "$before"
ok "nothing plain is left" test -z "$(find "$work/state/restore" -name '*.plain')"
exits 0 "the old one can go" snapshot restore whole --key "$work/key" -y --drop-old --terminate -t "$pg"
finish
