#!/bin/sh
# The search for missing documents beside the floor it stands on: reading the same list of ids with curl, both from the stand-in. Part of
# `make bench`; BENCH_IDS says how many documents a domain has (1000000).
set -u
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
# shellcheck source=tests/bench/lib.sh
. "$top_srcdir/tests/bench/lib.sh"
ids=${BENCH_IDS:-1000000}

feed() { # feed DOMAINS: as many documents of each
	node -e 'const n = +process.argv[1], domains = +process.argv[2];
		const out = require("fs").createWriteStream(process.argv[3]);
		let i = 0;
		const id = i => (Math.imul(i, 2654435761) >>> 0).toString(16).padStart(8, "0") + "4f2b6c1d9e8a7305" + i.toString(16).padStart(8, "0");
		(function more() {
			while (i < n * domains) {
				const name = id(i), row = JSON.stringify({seq: i + 1, id: name, changes: [{rev: "1-a"}],
					doc: {_id: name, _rev: "1-a", doc_type: "Note", domain: "d" + i % domains}}) + "\n";
				i++;
				if (!out.write(row)) return out.once("drain", more);
			}
			out.end();
		})();' "$ids" "$1" "$work/feed.ndjson"
}

seconds() { # seconds COMMAND...: the best of three
	best=
	for _ in 1 2 3; do
		begin=$(now)
		"$@" >"$work/out" 2>"$work/err" || test $? -eq 1 || fail "failed: $*" "$work/err"
		best=$(better "$best" "$(since "$begin")")
	done
	echo "$best"
}

# What the search itself took, as the log says: the best of three
search() {
	best=
	for _ in 1 2 3; do
		"$settle" migrate d0 -s "$couchd_url/ids" -t "$1" --state-dir "$2" --missing-docs=rebuild >"$work/out" 2>"$work/err" || fail 'search' "$work/err"
		t=$(sed -n 's/.*looked for .* in the target in \([0-9.]*\) s.*/\1/p' "$work/err")
		best=$(better "$best" "$t")
	done
	echo "$best"
}

measure() { # measure DOMAINS LIMIT
	feed "$1" || fail 'cannot write the feed'
	# shellcheck disable=SC2119
	start_couchd --load "$work/feed.ndjson" --load-db ids || exit 1
	create_pg_database "ids$1" || fail 'cannot make a database'
	curl_s=$(seconds curl -sf -o /dev/null "$couchd_url/ids/_all_docs")
	echo "$1 x $ids ids: curl reads the list in $curl_s s"
	for target in "sqlite:$work/ids$1.db" "$(pg_url "ids$1")"; do
		name=${target%%:*}
		"$settle" migrate d0 -s "$couchd_url/ids" -t "$target" --state-dir "$work/state-$name-$1" --missing-docs=cached \
			>"$work/out" 2>"$work/err" || fail "migrate into $name" "$work/err"
		search_s=$(search "$target" "$work/state-$name-$1")
		awk -v name="$name" -v a="$search_s" -v b="$curl_s" -v limit="$2" \
			'BEGIN { printf "  %-10s search %6.2f s, %5.2f times curl (at most %s)\n", name, a, a / b, limit }'
	done
	stop_couchd
}

# shellcheck disable=SC2119
start_pg >"$work/pg.out" || fail 'cannot start PostgreSQL' "$work/pg.out"
echo "settle bench: the search for missing documents"
measure 1 1.3
measure 2 1.5
