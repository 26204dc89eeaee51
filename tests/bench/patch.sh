#!/bin/sh
# Patching beside the plain replay of as many forms, the audit commit, and `audit verify`. Part of `make bench`; BENCH_PATCHES says how many cases
# are patched (100000), SETTLE which program to measure.
set -u
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
# shellcheck source=tests/bench/lib.sh
. "$top_srcdir/tests/bench/lib.sh"
patches=${BENCH_PATCHES:-100000}

run() { # run NAME ARGUMENTS...: settle's wall, CPU and RSS into $work/NAME, output into $work/NAME.out
	name=$1
	shift
	"$tools/measure" "$work/$name" "$settle" "$@" --no-progress >"$work/$name.out" 2>&1 || test $? -eq 1 ||
		fail "$name failed: $*" "$work/$name.out"
}

show() { # show NAME TEXT
	printf '  %-44s %9.2f %9.2f %9.1f\n' "$2" "$(field "$1" 1)" "$(field "$1" 2)" "$(field "$1" 3)"
}

bound() { # bound TEXT VALUE LIMIT
	awk -v text="$1" -v value="$2" -v limit="$3" 'BEGIN { printf "  %-44s %9.2f  (%s)\n", text, value, limit }'
}

measure() { # measure NAME TARGET-OF-CLEAN TARGET
	echo "$1"
	printf '  %-44s %9s %9s %9s\n' '' 'wall s' 'CPU s' 'RSS MiB'
	run plain migrate bench --source "file:$work/clean.json" --target "$2" --state-dir "$work/state-plain-$1"
	show plain 'plain replay of as many forms, cases compared'
	run migrate migrate bench --source "file:$work/differ.json" --target "$3" --state-dir "$work/state-$1"
	run patch diff patch bench -v --target "$3" --state-dir "$work/state-$1"
	grep -q "patched $patches documents" "$work/patch.out" || fail 'not every case was patched' "$work/patch.out"
	show patch 'diff patch'
	audit=$(sed -n 's/.*audit trail: event patch with .* files in \([0-9.]*\) s.*/\1/p' "$work/patch.out")
	bound 'of it the audit commit, s' "$audit" 'at most 120'
	bound 'plans and forms into SQL, times plain replay' \
		"$(awk -v a="$(field patch 1)" -v b="$audit" -v c="$(field plain 1)" 'BEGIN { print (a - b) / c }')" 'at most 3'
	bound 'memory until the audit commit is done, MiB' \
		"$(sed -n 's/.*audit trail: event patch with .* memory \([0-9.]*\) MiB.*/\1/p' "$work/patch.out")" 'at most 64'
	run verify audit verify bench --target "$3" --state-dir "$work/state-$1"
	grep -q " $patches patch forms, 0 findings" "$work/verify.out" || fail 'the trail is not sound' "$work/verify.out"
	show verify 'audit verify'
	bound 'forms a second' "$(awk -v n="$patches" -v t="$(field verify 1)" 'BEGIN { print n / t }')" 'at least 10000'
}

echo "settle bench: $patches patched cases"
corpus "$work/clean.json" --docs $((2 * patches)) --forms 1
corpus "$work/differ.json" --docs $((2 * patches)) --forms 1 --differ 1
# shellcheck disable=SC2119 # no option of postgres is wanted
start_pg >"$work/pg.out" || fail 'cannot start PostgreSQL' "$work/pg.out"
create_pg_database clean || fail 'cannot make a database'
create_pg_database differ || fail 'cannot make a database'
measure sqlite "sqlite:$work/clean.sqlite" "sqlite:$work/differ.sqlite"
measure postgresql "$(pg_url clean)" "$(pg_url differ)"
