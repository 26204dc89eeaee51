#!/bin/sh
# The progress line on a terminal: each phase with its rate, what remains, and how far it is behind the head of the feed; and the final
# summary, whose counts balance.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/couchd.sh"
follower=
trap 'test -z "$follower" || kill -KILL "$follower" 2>/dev/null; stop_couchd; rm -rf "$work"' EXIT

start_couchd --load "$top_srcdir/fixtures/demo/demo.json.gz" --load-db demo || exit 99
SETTLE_SOURCE=$couchd_url/demo
SETTLE_STATE_DIR=$work/state
SETTLE_TARGET=sqlite:$work/t.db
export SETTLE_SOURCE SETTLE_STATE_DIR SETTLE_TARGET

# on_terminal COMMAND: stderr is a terminal; its pid is $work/pid
on_terminal() {
	script -qfec "echo \$\$ >'$work/pid'; exec $1" "$work/typescript" </dev/null >/dev/null
}
shows() {
	tr '\r' '\n' <"$work/typescript" | grep -E -- "$1"
}

# A second's worth at a time, so that the line is drawn more than once.
on_terminal "$settle migrate demo-clinic --live --max-rate 1500"
ok "documents: rate, part, remaining, changes behind" shows 'documents: [0-9]+, [0-9]+/s, [0-9]+%, [0-9]+ s remaining, [0-9]+ changes behind'
ok "ids: the search for missing documents" shows 'ids: [0-9]+, [0-9]+/s'
ok "cases: rate, part, remaining" shows 'cases: [0-9]+, [0-9]+/s, [0-9]+%, [0-9]+ s remaining'
on_terminal "$settle migrate demo-clinic --follow" &
terminal=$!
ok "following: at the head" within 60 shows 'following: 0, 0/s, at the head of the feed'
follower=$(cat "$work/pid")
kill -TERM "$follower"
wait "$terminal"
follower=
ok "without a terminal there is none" sh -c '! "$1" migrate demo-clinic 2>&1 | grep -q remaining' sh "$settle"

balances() { # balances FILE: the counters of the JSON summary, and the kinds against the rows of the target
	jq -e '.read == .written + .unchanged + .deleted + .skipped + .rejected' "$1"
}
docs_of() { # docs_of PATTERN: documents of these kinds that are not missing
	jq "[.kinds[] | select(.kind | test(\"$1\")) | .docs - .missing] | add // 0" "$work/out"
}
run reset demo-clinic --yes
exits 1 "a run with a summary as JSON" migrate demo-clinic --format json
ok "the summary balances" balances "$work/out"
ok "it read every change of the source" test "$(jq .read "$work/out")" -eq "$(curl -s "$SETTLE_SOURCE/_changes" | jq '.results | length')"
rejects=$(jq .rejected "$work/out")
ok "what is no case is as many as there are rows" test "$(docs_of '^(?!CommCareCase)')" -eq \
	"$(sqlite3 "$work/t.db" "SELECT (SELECT count(*) FROM forms WHERE NOT deleted OR doc_type LIKE '%-Deleted') + (SELECT count(*) FROM documents WHERE NOT deleted)")"
ok "nothing was rejected" test "$rejects" -eq 0
exits 1 "a run again" migrate demo-clinic --format json
ok "its summary balances, too" balances "$work/out"
finish
