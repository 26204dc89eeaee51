#!/bin/sh
# SIGKILL right after every step of a patch pass, and before the first: tests/shim/steps.c, preloaded, sees each commit of the state
# file and of the target and the trail's two steps. Whatever the step, the same command again ends as an undisturbed run does, each patch
# once in SQL and once in the trail. Cases, and plain documents, each in two pages; both targets.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/cli/patch-lib.sh"
trap 'stop_pg; rm -rf "$work"' EXIT

domain=demo-clinic
# The demo domain with 150 cases edited, besides those that differ anyway: a page of patches is 150.
node -e '
	const { readFileSync, writeFileSync } = require("fs"), feed = JSON.parse(require("zlib").gunzipSync(readFileSync(process.argv[1])));
	let n = 0;
	for (const { doc } of feed.results)
		if (doc && doc.doc_type === "CommCareCase" && doc.name && n++ < 150)
			doc.name += ", edited";
	writeFileSync(process.argv[2], JSON.stringify(feed));
' "$top_srcdir/fixtures/demo/demo.json.gz" "$work/demo.json" || exit 99
source=file:$work/demo.json
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
export ASAN_OPTIONS

# pass KILL: a patch pass that is killed after that many steps, "" = not
pass() {
	rm -f "$work/steps"
	(
		LD_PRELOAD=$top_builddir/tests/shim/steps.so STEPS_LOG=$work/steps
		export LD_PRELOAD STEPS_LOG
		[ -z "$1" ] || export STEPS_KILL="$1"
		# shellcheck disable=SC2086 # $more is a list
		exec "$settle" diff patch $domain $more -t "$target" --state-dir "$state"
	) >"$work/out" 2>"$work/err" </dev/null
	status=$?
}

# The step's place in the order of a pass, in words.
word() { # NUMBER
	awk -v n="$1" '
		NR <= n { last = $0 }
		NR <= n && $0 == "trail" { trailed = 1 }
		NR <= n && $0 == "target" && trailed { pages++ }
		END {
			if (n == 0) print "before the first step"
			else if (last == "objects") print "after the objects of the audit commit"
			else if (last == "trail") print "after the audit commit"
			else if (last == "target") print trailed ? "after SQL commit " pages : "after the lock"
			else if (!trailed) print "after the journal"
			else print n == NR ? "after the journal was cleared" : "after state update " pages + 1
		}' "$work/calm.steps"
}

killed() { # NAME NUMBER
	when=$(word "$2")
	put_back "$1"
	pass "$2"
	ok "$1: killed $when" test "$status" -eq 137
	settled diff patch $domain
	ok "$1, killed $when: the same command again comes to its end" test "$status" -eq "$ends"
	ok "$1, killed $when: which is that of an undisturbed run" as_calm
	settled diff patch $domain
	ok "$1, killed $when: another patches nothing" says out '0 patched'
}

in_order() { # PAGES
	tr '\n' ' ' <"$work/calm.steps" | grep -qE "^(target )?(state )+objects trail( state target){$1} state \$"
}

steps() { # NAME PAGES
	keep "$1"
	pass ""
	ends=$status
	ok "$1: an undisturbed pass comes to its end" test "$status" -le 1
	cp "$work/steps" "$work/calm.steps"
	answers calm
	ok "$1: the plan is journaled, the trail written, then state file and SQL, page by page, and the journal" in_order "$2"
	n=0
	while [ "$n" -le "$(wc -l <"$work/calm.steps")" ]; do
		killed "$1" "$n"
		n=$((n + 1))
	done
}

start_pg || exit 99
for way in sqlite pg; do
	state=$work/state-$way
	more=
	target=sqlite:$work/t.db
	if [ $way = pg ]; then
		create_pg_database torn || exit 99
		target=$(pg_url torn)
	fi
	settled migrate $domain -s "$source" -q
	ok "$way, cases: migrated" test "$status" -eq 1
	steps "$way, cases" 2

	state=$work/state-$way-documents
	more="--profile documents -s $source"
	rm -f "$work"/t.db*
	if [ $way = pg ]; then
		"$pg_bin/dropdb" --force torn
		create_pg_database torn || exit 99
	fi
	settled migrate $domain -q
	ok "$way, documents: migrated" test "$status" -le 1
	query "UPDATE documents SET body = '{\"altered\":true}', raw = NULL WHERE doc_id < (SELECT doc_id FROM documents ORDER BY doc_id LIMIT 1 OFFSET 200)"
	settled diff forms $domain -q
	ok "$way, documents: some were altered" test "$status" -eq 1
	steps "$way, documents" 2
done
finish
