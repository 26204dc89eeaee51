#!/bin/sh
# The generated demo domain: same bytes for the same seed, equal to what is committed, and free of contradictions for other seeds.
. "$top_srcdir/tests/cli/lib.sh"
generator=$top_srcdir/tests/gen/domain.js
demo=$top_srcdir/fixtures/demo

refused() { # refused COMMAND...: exit status 2
	"$@"
	test $? -eq 2
}

rows_of() { # one row a line, without the frame of either form
	sed -e '/^{"results":\[$/d' -e '/^\],$/d' -e '/^"last_seq"/d' -e '/^{"last_seq"/d' -e 's/,$//' "$1"
}

same_rows() {
	rows_of "$1" >"$work/rows1"
	rows_of "$2" >"$work/rows2"
	test -s "$work/rows1" && cmp "$work/rows1" "$work/rows2"
}

clean_corpus() { # clean_corpus DOCS FILE
	# shellcheck disable=SC2016 # the dollar signs are for node
	node -e '
		const { expectation } = require(process.argv[1]);
		const feed = JSON.parse(require("fs").readFileSync(process.argv[3], "utf8"));
		const { read, diffs } = expectation(feed.results, "bench").now;
		if (read !== Number(process.argv[2]) || diffs.length > 0)
			throw new Error(`${read} documents, ${diffs.length} with differences`);
	' "$(cd "$top_srcdir" && pwd)/tests/gen/expect.js" "$1" "$2"
}

gen() {
	node "$generator" "$@"
}

ok 'the demo domain is generated' gen --seed 1 --forms 2500 --cases 600 --out "$work/demo"
ok 'the feed is byte for byte the committed one' cmp "$work/demo/demo.json.gz" "$demo/demo.json.gz"
ok 'the expectation is byte for byte the committed one' cmp "$work/demo/expected.json" "$demo/expected.json"
ok 'the compressed feed is sound' gzip -t "$demo/demo.json.gz"
ok 'another seed is generated without contradiction' gen --seed 2 --plain --out "$work/two"
ok 'another seed is another domain' not cmp -s "$work/two/expected.json" "$work/demo/expected.json"
ok 'a seed repeats itself' gen --seed 2 --plain --out "$work/again"
ok 'a seed gives the same bytes again' cmp "$work/two/demo.json" "$work/again/demo.json"
ok 'the continuous form is generated' gen --seed 2 --plain --continuous --out "$work/lines"
ok 'the continuous form has the same rows' same_rows "$work/two/demo.json" "$work/lines/demo.json"
ok 'the rules of the expectation agree with cases worked out by hand' node "$top_srcdir/tests/gen/selftest.js"
ok 'the odd documents are generated' node "$top_srcdir/tests/gen/odd.js" --out "$work/odd"
ok 'the odd documents are byte for byte the committed ones' diff -r "$work/odd" "$top_srcdir/fixtures/odd"
ok 'the corpus of the bench is written' node "$top_srcdir/tests/bench/corpus.js" --docs 1000 --out "$work/corpus.json"
ok 'the corpus of the bench has as many documents as asked and no differences' clean_corpus 1000 "$work/corpus.json"
ok 'an unknown option is refused' refused node "$generator" --sed 1 --out "$work/none"
finish
