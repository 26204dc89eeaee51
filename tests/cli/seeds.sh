#!/bin/sh
# Invented domains from random seeds: every planted difference is found with its reason and nothing else is, on both targets; and what is
# found does not depend on the way there: rows in another order, each of them twice, one worker or four, everything once more, or an earlier
# state of the database first.
# SETTLE_SEEDS says how many (5), SETTLE_SEED which one comes first; both are printed.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT

domain=demo-clinic
count=${SETTLE_SEEDS:-5}
first=${SETTLE_SEED:-$(($(date +%s) % 10000000))}
echo "# $count seeds from SETTLE_SEED=$first on"
earlier=$top_srcdir/tests/gen/earlier.js

start_pg || exit 99

# lasting_contents_of DATABASE: every row of the target that no clock and no run decides. A case that lost all its forms stays, emptied and deleted: only
# who saw it before has such a row.
lasting_contents_of() {
	for table in forms case_transactions case_indices attachments form_operations documents settle_conflict settle_dirty_case; do
		psql -X -A -t -d "$1" -c "SELECT '$table', t FROM $table t ORDER BY 2"
	done
	psql -X -A -t -d "$1" -c "SELECT t FROM cases t WHERE NOT (deleted AND type IS NULL AND modified_on IS NULL AND NOT EXISTS
		(SELECT 1 FROM case_transactions x WHERE x.domain = t.domain AND x.case_id = t.case_id)) ORDER BY 1"
}

# migrate NAME FEED TARGET [OPTIONS]: its answers in $work/NAME.{stats,diffs,changes}
migrate() {
	state=$work/state-$1
	run migrate $domain -s "file:$2" -t "$3" --state-dir "$state" ${4:-}
	ok "seed $seed, $1: comes to its end" test "$status" -le 1
	run stats $domain -t "$3" --state-dir "$state" --format json
	cp "$work/out" "$work/$1.stats"
	sed 's/.*"kinds"/"kinds"/' "$work/out" >"$work/$1.kinds"
	run diff show $domain --state-dir "$state" --format json
	cp "$work/out" "$work/$1.diffs"
	run diff show $domain --state-dir "$state" --changes --format json
	cp "$work/out" "$work/$1.changes"
}

finds_all() {
	ok "seed $seed, $1: finds what was planted with its reasons, and nothing else" \
		node "$top_srcdir/tests/cli/expect.js" "$work/gen/expected.json" later "$work/$1.stats" "$work/$1.diffs" "$work/$1.changes"
}

as_straight() { # as_straight NAME DATABASE: as the first way into PostgreSQL
	lasting_contents_of "$2" >"$work/contents.$1"
	ok "seed $seed, $1: the same rows" cmp "$work/contents.straight" "$work/contents.$1"
	for what in kinds diffs changes; do
		ok "seed $seed, $1: the same $what" cmp "$work/straight.$what" "$work/$1.$what"
	done
}

check_seed() {
	rm -rf "$work/gen" "$work"/state-* "$work"/sqlite.db*
	node "$top_srcdir/tests/gen/domain.js" --seed "$seed" --plain --out "$work/gen" >/dev/null || exit 99
	feed=$work/gen/demo.json
	for db in straight shuffled twice followed; do
		create_pg_database "${db}_$seed" || exit 99
	done

	migrate sqlite "$feed" "sqlite:$work/sqlite.db"
	finds_all sqlite
	migrate straight "$feed" "$(pg_url "straight_$seed")"
	finds_all straight
	lasting_contents_of "straight_$seed" >"$work/contents.straight"

	node "$earlier" --seed "$seed" --shuffle "$feed" "$work/shuffled.json" || exit 99
	migrate shuffled "$work/shuffled.json" "$(pg_url "shuffled_$seed")" --jobs=1
	as_straight shuffled "shuffled_$seed"
	node "$earlier" --seed "$((seed + 1))" --shuffle "$feed" "$work/shuffled.json" || exit 99
	migrate shuffled "$work/shuffled.json" "$(pg_url "shuffled_$seed")"
	as_straight shuffled "shuffled_$seed"

	node "$earlier" --seed "$seed" --twice "$feed" "$work/twice.json" || exit 99
	migrate twice "$work/twice.json" "$(pg_url "twice_$seed")" --jobs=4
	as_straight twice "twice_$seed"

	node "$earlier" --seed "$seed" "$feed" "$work/followed.json" || exit 99
	migrate followed "$work/followed.json" "$(pg_url "followed_$seed")"
	ok "seed $seed, followed: there was something else before" not cmp -s "$work/straight.diffs" "$work/followed.diffs"
	cp "$feed" "$work/followed.json"
	migrate followed "$work/followed.json" "$(pg_url "followed_$seed")"
	as_straight followed "followed_$seed"
}

seed=$first
while [ "$seed" -lt $((first + count)) ]; do
	check_seed
	seed=$((seed + 1))
done
finish
