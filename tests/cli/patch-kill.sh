#!/bin/sh
# SIGKILL at random moments of `migrate --patch`, twice in a row, then the same command again: the end is that of an undisturbed
# run, each patch once in SQL and once in the trail. SETTLE_KILLS rounds for each target; SETTLE_SEED repeats a run's moments.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/cli/patch-lib.sh"
trap 'stop_pg; rm -rf "$work"' EXIT

domain=demo-clinic
export source=file:$top_srcdir/fixtures/demo/demo.json.gz
kills=${SETTLE_KILLS:-5}
seed=${SETTLE_SEED:-$(date +%s)}
echo "# seed $seed"
more=

# moment ROUND TRY: milliseconds within an undisturbed run, those of the patch pass at its end more often. ($takes is not kept as it was
# measured: a run that came to its end before shows that it takes less.)
moment() {
	awk -v seed="$seed" -v n="$1$2" -v takes="$takes" 'BEGIN { srand(seed + 7919 * n); print int(takes * sqrt(rand())) }'
}

# killed_after MS: 1 when it came to its end before
killed_after() {
	"$settle" migrate $domain -s "$source" --patch -t "$target" --state-dir "$state" >"$work/out" 2>"$work/err" </dev/null &
	pid=$!
	sleep "$(awk -v ms="$1" 'BEGIN { print ms / 1000 }')"
	dead=0
	kill -KILL $pid 2>/dev/null || dead=1
	wait $pid 2>/dev/null
	settled stats $domain --format json
	says out '"pending":0,' || planned=$((planned + 1))
	return $dead
}

calm() { # NAME
	settled migrate $domain -s "$source" -q
	ok "$1: migrated" test "$status" -eq 1
	keep "$1"
	begun=$(date +%s%3N)
	settled migrate $domain -s "$source" --patch -q
	takes=$(($(date +%s%3N) - begun))
	ok "$1: patched without disturbance" test "$status" -eq 1
	answers calm
	ok "$1: there are patched cases" test "$(wc -l <"$work/calm.cases")" -gt 80
	ok "$1: each once in the trail" test "$(cat "$work/calm.files")" -eq "$(wc -l <"$work/calm.cases")"
}

torn() { # NAME
	hits=0
	planned=0
	round=0
	while [ $round -lt "$kills" ] || [ $hits -eq 0 ]; do
		round=$((round + 1))
		put_back "$1"
		for try in 1 2; do
			if killed_after "$(moment $round $try)"; then
				hits=$((hits + 1))
			else
				takes=$((takes * 3 / 4))
			fi
		done
		settled migrate $domain -s "$source" --patch
		ok "$1: the same command again comes to its end (seed $seed, round $round)" test "$status" -eq 1
		ok "$1: which is that of an undisturbed run (seed $seed, round $round)" as_calm
	done
	echo "# $1: $planned times with patches planned and not yet in SQL"
	ok "$1: it was killed on the way (seed $seed, $hits times)" test $hits -gt 0
}

start_pg || exit 99
create_pg_database torn || exit 99
for way in sqlite pg; do
	state=$work/state-$way
	target=sqlite:$work/t.db
	[ $way = sqlite ] || target=$(pg_url torn)
	calm $way
	torn $way
done
finish
