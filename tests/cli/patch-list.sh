#!/bin/sh
# Lists of thousands of patch forms, from both targets: all of them, in order of id, a page at a time, and no further than their reader
# reads. Patching makes one form; the others are copies of it that somebody put into SQL, which audit verify finds, every one.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT

copies=8000
all=$((copies + 1))
domain=things
git_author
printf '{"seq":1,"id":"d","changes":[{"rev":"1-a"}],"doc":{"_id":"d","_rev":"1-a","doc_type":"Thing","n":1}}\n' >"$work/feed.ndjson"

settled() {
	run "$@" -t "$target" --state-dir "$state" --profile documents
}

# Operations that are no patch stand between them.
copy_forms() {
	query "CREATE TABLE series AS WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < $copies) SELECT n FROM s;
		INSERT INTO forms (domain, form_id, doc_type, xmlns, received_on, body, extra, deleted)
			SELECT domain, form_id || '-' || n, doc_type, xmlns, received_on, body, extra, deleted FROM forms, series;
		INSERT INTO form_operations (domain, form_id, position, operation)
			SELECT domain, form_id || '-' || n, p, CASE p WHEN 0 THEN 'archive' ELSE operation END
			FROM form_operations, series, (SELECT 0 AS p UNION ALL SELECT 1) positions;
		DROP TABLE series"
}

# pages: how often the target was asked for ids
pages() {
	grep -c 'SELECT.*form_operations' "$work/err"
}

# goes_away NAME COMMAND...: whose reader reads one line
goes_away() {
	what=$1
	shift
	rm -f "$work/failed"
	{ "$settle" "$@" $domain -t "$target" --state-dir "$state" --profile documents 2>"$work/err" || echo $? >"$work/failed"; } | head -1 >"$work/out"
	ok "$what: a reader that goes away" test "$(wc -l <"$work/out")" -eq 1
	ok "$what: is no error" test ! -e "$work/failed"
	ok "$what: not a word of it" silent err
	{ "$settle" "$@" $domain -t "$target" --state-dir "$state" --profile documents --log-level sql 2>"$work/err" || :; } | head -1 >"$work/out"
	ok "$what: and nothing more is asked for" test "$(pages)" -lt "$((whole / 2))"
}

in_order() {
	LC_ALL=C sort -cu "$work/ids"
}

# lists NAME
lists() {
	settled patch list $domain --format json --log-level sql
	ok "$1: the list" test "$status" -eq 0
	sed -n 's/^{"form_id":"\([-0-9a-f]*\)","case_id":"d","received_on":"[-0-9T:.]*Z"}$/\1/p' "$work/out" >"$work/ids"
	ok "$1: of all patch forms, and nothing else" test "$(wc -l <"$work/out") $(wc -l <"$work/ids")" = "$all $all"
	ok "$1: in order of their ids" in_order
	whole=$(pages)
	ok "$1: is asked for a page at a time" test "$whole" -gt 10
	settled patch list $domain
	cut -d' ' -f1 "$work/out" >"$work/text"
	ok "$1: the same as text" cmp "$work/ids" "$work/text"
	goes_away "$1: as text" patch list
	goes_away "$1: as JSON" patch list --format json
	goes_away "$1: what they recorded" diff show --patched
}

findings() { # findings EXPRESSION: of the object v that audit verify told
	node -e "const v = JSON.parse(require('fs').readFileSync(process.argv[1])); process.exit($1 ? 0 : 1)" "$work/out"
}

# verifies NAME
verifies() {
	settled audit verify $domain --format json
	ok "$1: forms that the trail lacks are found" test "$status" -eq 1
	ok "$1: every one" findings "v.findings.length === $copies && new Set(v.findings).size === $copies"
	ok "$1: and what was verified is told" findings "v.domain === '$domain' && v.sound === false && v.forms === 1 && v.commits > 0 && v.reconstructed.from_trail === 1"
	ok "$1: as they are found, before that is known" grep -q "^{\"domain\":\"$domain\",\"findings\":\[\"form_operations: patch form .*\"\],\"sound\":false," "$work/out"
	mv "$state/audit.git" "$work/away"
	query "ALTER TABLE case_transactions RENAME TO away"
	settled audit verify $domain --format json
	ok "$1: a target that fails halfway" test "$status" -eq 4
	ok "$1: leaves an object that is whole, and says it is not all" findings "v.findings.length === $all + 1 && v.sound === false && v.complete === false"
	query "ALTER TABLE away RENAME TO case_transactions"
	mv "$work/away" "$state/audit.git"
}

# patched NAME: a migration with one patch form
patched() {
	state=$work/state-$1
	settled migrate $domain -s "file:$work/feed.ndjson" -q
	query "UPDATE documents SET body = '{\"_id\":\"d\",\"_rev\":\"1-a\",\"doc_type\":\"Thing\",\"n\":2}'"
	settled migrate $domain -s "file:$work/feed.ndjson" --patch -q
	ok "$1: a patch" test "$status" -eq 0
	settled audit verify $domain --format json
	ok "$1: in a sound trail" findings "v.sound === true && v.findings.length === 0 && v.complete === undefined"
}

target=sqlite:$work/t.db
patched sqlite
copy_forms
lists sqlite
verifies sqlite
start_pg || exit 99
create_pg_database list || exit 99
target=$(pg_url list)
patched pg
copy_forms
lists pg
verifies pg
finish
