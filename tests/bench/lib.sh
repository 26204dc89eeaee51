# shellcheck shell=sh disable=SC2034,SC2154
# What the benches share: which settle is measured, a directory of its own and servers that go with it, and numbers. To be sourced with
# $top_srcdir and $top_builddir set.
settle=${SETTLE:-$top_builddir/settle}
tools=$top_builddir/tests/bench
work=$(mktemp -d "${TMPDIR:-/tmp}/settle-bench.XXXXXX") || exit 1

# shellcheck source=tests/server/pg.sh
. "$top_srcdir/tests/server/pg.sh"
# shellcheck source=tests/server/couchd.sh
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; stop_pg; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

fail() { # fail WHAT [FILE]: FILE is what the command said
	echo "bench: $1" >&2
	test -z "${2:-}" || sed 's/^/  /' "$2" >&2
	exit 1
}

now() {
	date +%s.%N
}

since() { # since BEGIN: seconds
	awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.3f", b - a }'
}

better() { # better OLD NEW: the lower one; there need not be an old one
	awk -v a="${1:-$2}" -v b="$2" 'BEGIN { print (a < b ? a : b) }'
}

field() { # field NAME N: of the wall time, CPU time and memory that `measure` wrote into $work/NAME
	cut -d' ' -f"$2" "$work/$1"
}

corpus() { # corpus FILE OPTIONS...: a feed that corpus.js makes
	corpus_file=$1
	shift
	node "$top_srcdir/tests/bench/corpus.js" "$@" --out "$corpus_file" >"$work/corpus.out" 2>&1 || fail 'cannot write the corpus' "$work/corpus.out"
}
