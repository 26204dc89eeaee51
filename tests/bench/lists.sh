#!/bin/sh
# The commands that list what was found, on a million documents with differences, as many missing ones and a tenth of it rejects: when the
# first byte comes, and how much memory it takes, beside a tenth of it. Then those that list patch forms, and those that compare again, on a
# tenth of it. Part of `make bench`; BENCH_LISTED says how many (1000000).
set -u
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
# shellcheck source=tests/bench/lib.sh
. "$top_srcdir/tests/bench/lib.sh"
many=${BENCH_LISTED:-1000000}
few=$((many / 10))

prepare() { # prepare N: a target that knows the domain, and a state file with N documents
	printf '%s\n' '{"seq":1,"id":"a","changes":[{"rev":"1-a"}],"doc":{"_id":"a","_rev":"1-a","doc_type":"Note","domain":"lists"}}' >"$work/feed.ndjson"
	"$settle" migrate lists -s "file:$work/feed.ndjson" -t "sqlite:$work/$1.db" --state-dir "$work/state-$1" >"$work/out" 2>&1 || fail 'migrate' "$work/out"
	"$tools/fill_state" "$work/state-$1" lists "$1" 2>"$work/err" || fail 'fill_state' "$work/err"
}

# first_byte COMMAND...: seconds until it is there; the reader then goes away
first_byte() {
	begin=$(now)
	"$@" 2>"$work/err" | { head -c 1 >/dev/null; now >"$work/first"; }
	awk -v a="$begin" -v b="$(cat "$work/first")" 'BEGIN { printf "%.3f", b - a }'
}

# whole COMMAND...: "SECONDS MIB LINES" of all of it
whole() {
	"$tools/measure" "$work/measured" "$@" >"$work/listed" 2>"$work/err" || test $? -eq 1 || fail "failed: $*" "$work/err"
	echo "$(field measured 1) $(field measured 3) $(wc -l <"$work/listed")"
}

show() { # show WORDS...
	first=$(first_byte "$settle" "$@" lists -t "sqlite:$work/$many.db" --state-dir "$work/state-$many")
	read -r wall rss lines <<-END
	$(whole "$settle" "$@" lists -t "sqlite:$work/$many.db" --state-dir "$work/state-$many")
	END
	read -r _ small _ <<-END
	$(whole "$settle" "$@" lists -t "sqlite:$work/$few.db" --state-dir "$work/state-$few")
	END
	printf '%-34s %9.3f %9.2f %9d %9.1f %9.1f\n' "$*" "$first" "$wall" "$lines" "$rss" "$small"
}

echo "settle bench: lists of $many documents (the last column: of $few)"
prepare "$few"
prepare "$many"
printf '%-34s %9s %9s %9s %9s %9s\n' '' 'first s' 'all s' 'lines' 'RSS MiB' 'RSS MiB'
show diff show
show diff show --format json
show diff show --csv
show diff show --select XFormInstance
show stats --verbose
show stats --verbose --format json
show rejects list

patched() { # patched N: one patch form, and N copies of it that no trail knows
	"$settle" migrate lists -s "file:$work/feed.ndjson" -t "sqlite:$work/patched-$1.db" --state-dir "$work/patched-$1" --profile documents >"$work/out" 2>&1 ||
		fail 'migrate' "$work/out"
	sqlite3 "$work/patched-$1.db" "UPDATE documents SET body = json_set(body, '\$.n', 1)"
	"$settle" migrate lists -s "file:$work/feed.ndjson" -t "sqlite:$work/patched-$1.db" --state-dir "$work/patched-$1" --profile documents --patch >"$work/out" 2>&1 ||
		fail 'migrate --patch' "$work/out"
	sqlite3 "$work/patched-$1.db" "CREATE TABLE series AS WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < $1) SELECT n FROM s;
		INSERT INTO forms (domain, form_id, doc_type, xmlns, received_on, body, extra, deleted)
			SELECT domain, form_id || '-' || n, doc_type, xmlns, received_on, body, extra, deleted FROM forms, series;
		INSERT INTO form_operations (domain, form_id, position, operation)
			SELECT domain, form_id || '-' || n, position, operation FROM form_operations, series;
		DROP TABLE series" || fail 'sqlite3'
}

listed() { # listed WORDS...
	first=$(first_byte "$settle" "$@" lists -t "sqlite:$work/patched-$few.db" --state-dir "$work/patched-$few" --profile documents)
	read -r wall rss lines <<-END
	$(whole "$settle" "$@" lists -t "sqlite:$work/patched-$few.db" --state-dir "$work/patched-$few" --profile documents)
	END
	read -r _ small _ <<-END
	$(whole "$settle" "$@" lists -t "sqlite:$work/patched-$((few / 10)).db" --state-dir "$work/patched-$((few / 10))" --profile documents)
	END
	printf '%-34s %9.3f %9.2f %9d %9.1f %9.1f\n' "$*" "$first" "$wall" "$lines" "$rss" "$small"
}

echo
echo "$few patch forms (the last column: $((few / 10)))"
patched "$few"
patched "$((few / 10))"
listed patch list
listed patch list --format json
listed diff show --patched
listed audit verify
listed audit verify --format json

compared() { # compared N: a domain of N documents
	corpus "$work/corpus-$1.json" --docs "$1"
	"$settle" migrate bench -s "file:$work/corpus-$1.json" -t "sqlite:$work/bench-$1.db" --state-dir "$work/bench-$1" >"$work/out" 2>"$work/err" ||
		fail 'migrate' "$work/err"
}

again() { # again WORDS...
	read -r wall rss _ <<-END
	$(whole "$settle" "$@" bench -s "file:$work/corpus-$few.json" -t "sqlite:$work/bench-$few.db" --state-dir "$work/bench-$few")
	END
	read -r _ small _ <<-END
	$(whole "$settle" "$@" bench -s "file:$work/corpus-$((few / 10)).json" -t "sqlite:$work/bench-$((few / 10)).db" --state-dir "$work/bench-$((few / 10))")
	END
	printf '%-34s %9s %9.2f %9s %9.1f %9.1f\n' "$*" '' "$wall" '' "$rss" "$small"
}

echo
echo "comparing $few documents again (the last column: $((few / 10)))"
compared "$few"
compared "$((few / 10))"
again diff cases
again diff forms
again diff show --ignored
