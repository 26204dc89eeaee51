#!/bin/sh
# Documents that cannot be stored are kept, shown and tried again; --max-rejects ends a run; --only and --limit make trial runs.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; stop_pg; rm -rf "$work"' EXIT

SETTLE_STATE_DIR=$work/state
SETTLE_SOURCE=file:$work/feed.ndjson
SETTLE_TARGET=sqlite:$work/t.db
export SETTLE_STATE_DIR SETTLE_SOURCE SETTLE_TARGET

form() { # form ID FURTHER: the document
	printf '{"_id":"%s","_rev":"1-a","domain":"d","doc_type":"XFormInstance","received_on":"2020-01-02T03:04:05.000000Z","form":{%s}}' "$1" "$2"
}

row() { # row SEQ ID DOCUMENT
	printf '{"seq":%s,"id":"%s","changes":[{"rev":"1-a"}],"doc":%s}\n' "$1" "$2" "$3"
}

case_block='"case":{"@case_id":"c1","@date_modified":"2020-01-02T03:04:05.000000Z","@user_id":"u","@xmlns":"http://commcarehq.org/case/transaction/v2","create":{"case_type":"t","case_name":"n","owner_id":"o"}}'
large=$(printf '%3000s' '' | tr ' ' x)
{
	row 1 good "$(form good '')"
	row 2 broken "$(form broken '"a":01')"
	row 3 large "$(form large "\"a\":\"$large\"")"
	printf '{"seq":4,"changes":[{"rev":"1-a"}],"doc":%s}\n' "$(form nameless "$case_block")"
	row 5 other "$(form another '')"
	printf '{"seq":6,"id":"empty","changes":[{"rev":"1-a"}]}\n'
} >"$work/feed.ndjson"

rejected() { # the ids
	run rejects list d --format json
	node -e 'console.log(require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean).map(l => JSON.parse(l).id).join(" "))' <"$work/out"
}

rejected_are() {
	test "$(rejected)" = "$1"
}

# ---- kept and shown ----

exits 5 "rejects before a migration" rejects list d
ok "says what comes first" says err "settle migrate d"
exits 5 "retry before a migration" rejects retry d
start_pg || exit 99
create_pg_database rejects || exit 99

keeps() {
	way=$1
	SETTLE_STATE_DIR=$work/state-$way
	exits 1 "$way: five documents cannot be stored" migrate d --max-doc 2000
	ok "$way: all of them are kept" rejected_are "@$(head -n 3 "$work/feed.ndjson" | wc -c) broken empty large other"
	exits 0 "$way: list" rejects list d
	ok "$way: list says why" says out "XFormInstance other"
	ok "$way: list says what was not kept" says out "(not kept): the document is larger than allowed"
	exits 0 "$way: show" rejects show d broken
	ok "$way: show says why" says out "cannot be read"
	ok "$way: show gives the bytes" says out "$(form broken '"a":01')"
	exits 0 "$way: show as JSON" rejects show d broken --format json
	ok "$way: the same bytes" node -e '
		const v = JSON.parse(require("fs").readFileSync(process.argv[1]));
		process.exit(v.document === process.argv[2] && v.length === v.document.length && v.kept && /cannot be read/.test(v.reason) ? 0 : 1)' \
		"$work/out" "$(form broken '"a":01')"
	exits 0 "$way: show one that was not kept" rejects show d large
	ok "$way: says so" says out "was not kept"
	exits 2 "$way: show another" rejects show d good
	ok "$way: is not among them" says err "not among the rejects"
	exits 1 "$way: retry" rejects retry d --max-doc 2000
	ok "$way: a row without an id has a document" says out "5 tried again: 1 stored, 4 still rejected"
	ok "$way: the others stay" rejected_are "broken empty large other"
	ok "$way: its case is there" test "$(query "SELECT count(*) FROM cases WHERE case_id = 'c1'")" = 1
	exits 1 "$way: retry with a larger cap" rejects retry d large --format json
	ok "$way: reads it from the source" says out '{"tried":1,"stored":1,"rejected":0}'
	ok "$way: it is stored" test "$(query "SELECT count(*) FROM forms WHERE form_id = 'large'")" = 1
	exits 2 "$way: retry of what is no reject" rejects retry d large
	kept_source=$SETTLE_SOURCE
	unset SETTLE_SOURCE
	exits 1 "$way: without a source" rejects retry d empty
	ok "$way: says that one is wanted" says err "no source is given"
	export SETTLE_SOURCE="$kept_source"
}

keeps sqlite
SETTLE_TARGET=$(pg_url rejects)
keeps pg

# What was kept is mapped again: here as if settle had learned to read it.
sqlite3 "$SETTLE_STATE_DIR/domains/d/state.db" "UPDATE reject SET body = CAST('$(form broken '"a":1')' AS BLOB) WHERE id = CAST('broken' AS BLOB)"
exits 1 "kept bytes are tried again" rejects retry d broken
ok "and stored" says out "1 stored, 0 still rejected"
sqlite3 "$SETTLE_STATE_DIR/domains/d/state.db" "UPDATE reject SET body = CAST('{\"_id\":\"other\",\"domain\":\"e\"}' AS BLOB) WHERE id = CAST('other' AS BLOB)"
exits 1 "a document of another domain" rejects retry d other
ok "is no reject" rejected_are "empty"
row 7 empty "$(form empty '')" >>"$work/feed.ndjson"
run rejects retry d
ok "a row without its document: the source has it" says out "1 stored, 0 still rejected"
ok "none is left" rejected_are ""
exits 0 "an empty list is a list" rejects list d

# From a server.
start_couchd || exit 99
curl -sf -X PUT "$couchd_url/d" >/dev/null
curl -sf -X PUT "$couchd_url/d/large" -d "{\"domain\":\"d\",\"doc_type\":\"XFormInstance\",\"form\":{\"a\":\"$large\"}}" >/dev/null
SETTLE_SOURCE=$couchd_url/d SETTLE_STATE_DIR=$work/state-server SETTLE_TARGET=sqlite:$work/server.db
exits 1 "server: a document that is too large" migrate d --max-doc 2000
ok "server: a reject is not also missing" says err "0 newly missing"
exits 1 "server: retry with the same cap" rejects retry d --max-doc 2000
ok "server: says so" says err "larger than --max-doc allows"
ok "server: it stays" says out "0 stored, 1 still rejected"
exits 1 "server: compared again, nothing differs, but one is rejected" diff forms d --format json
ok "server: so nothing is found" says out '"diffs":0,"changes":0,"missing":0'
exits 0 "server: retry" rejects retry d
run stats d
ok "server: the checkpoint stays where it was" says out "read 1 "
exits 0 "server: and all is clean" migrate d

# ---- --max-rejects ----

SETTLE_SOURCE=file:$work/many.ndjson
for i in 0 1 2 3 4 5 6 7 8 9; do
	row $i "f$i" "$(form "f$i" "$(test $((i % 2)) = 0 || echo '"a":01')")"
done >"$work/many.ndjson"

# cap EXIT CAP
cap() {
	SETTLE_STATE_DIR=$work/state-cap-$2
	SETTLE_TARGET=sqlite:$work/cap-$2.db
	exits "$1" "--max-rejects $2 of 5 in 10" migrate d --max-rejects "$2" --batch-bytes 300
}
cap 1 5
cap 1 50%
cap 3 49.9%
ok "says how many there are" says err "5 of 10 documents were rejected"
node -e 'for (let i = 10; i < 4000; i++) console.log(JSON.stringify({seq: i, id: "f" + i, changes: [{rev: "1-a"}],
	doc: {_id: "f" + i, _rev: "1-a", domain: "d", doc_type: "XFormInstance", form: {}}}))' >>"$work/many.ndjson"
cap 3 0
ok "says where they are" says err "settle rejects list d"
stored=$(query "SELECT count(*) FROM forms")
ok "what was read before stays" test "$stored" -ge 1
ok "but the rest was not read" test "$stored" -lt 3995
exits 0 "they can be listed" rejects list d
exits 1 "the same without it goes on" migrate d
for bad in x 5x % -1 1e999 '' 1.5 +1 ' 1' 0x5 100.1% 1.2.3% nan inf; do
	exits 2 "--max-rejects '$bad'" migrate d --max-rejects "$bad"
done

# ---- trial runs ----

SETTLE_SOURCE=file:$work/trial.ndjson
{
	row 1 f1 "$(form f1 "$case_block")"
	row 2 c1 '{"_id":"c1","_rev":"1-a","domain":"d","doc_type":"CommCareCase"}'
	row 3 g1 '{"_id":"g1","_rev":"1-a","domain":"d","doc_type":"Group"}'
	row 4 f2 "$(form f2 '')"
	long=$(printf '%1500s' '' | tr ' ' g)
	row 5 "$long" "{\"_id\":\"$long\",\"_rev\":\"1-a\",\"domain\":\"d\",\"doc_type\":\"FixtureDataItem\"}"
} >"$work/trial.ndjson"

trial() {
	SETTLE_STATE_DIR=$work/state-$1
	SETTLE_TARGET=sqlite:$work/$1.db
}
kinds() {
	run stats d --format json
	node -e 'console.log(JSON.parse(require("fs").readFileSync(0)).kinds.filter(k => k.docs).map(k =>
		[k.kind, k.docs, k.diffs, k.missing, k.changes].join(" ")).join(", "))' <"$work/out"
}

trial limit
exits 1 "--limit 2: a trial run is not at the end" migrate d --limit 2
ok "--limit 2: reads two rows" says out "read 2 ="
ok "--limit 2: looks for no missing documents" says err "a trial run looks for no missing documents"
ok "--limit: the end says that it is a trial run" says out "a trial run, --limit 2: it cannot be committed"
exits 0 "--limit: stats" stats d
ok "--limit: stats says that it is a trial run" says out "a trial run, --limit 2: it cannot be committed"
ok "--limit: and what was left out" says out "- what follows the first 2 rows of a pass over the feed"
ok "--limit: the search too" says out "- the search for missing documents"
ok "--limit: no kind" not says out "other kinds"
run stats d --format json
ok "--limit: in JSON" says out '"trial":{"options":"--limit 2","left_out":["what follows'
exits 5 "--limit: no commit" commit d --accept-differences
ok "--limit: commit says why" says err "trial run (--limit 2)"
ok "--limit: commit says the way out" says err "settle reset d"
exits 5 "--limit: no full run" migrate d
ok "--limit: a full run is told of the setting" says err "began with --limit 2, now there is no --only and no --limit"
ok "--limit: and of the way out" says err "settle reset d"
exits 5 "--limit: no other limit" migrate d --limit 3
exits 5 "--limit: no --forms" migrate d --forms=missing
exits 1 "--limit: the same again" migrate d --limit 2
exits 1 "--limit: rejects retry does not make it a full one" rejects retry d
exits 5 "--limit: still no commit" commit d --accept-differences
exits 0 "--limit: reset" reset d --yes
exits 1 "--limit: then a full run" migrate d
exits 0 "a full run: stats" stats d
ok "a full run: is no trial" not says out "a trial run"
run stats d --format json
ok "a full run: nor in JSON" not says out '"trial"'
exits 5 "a full run cannot become a trial" migrate d --limit 2
ok "it is told of the setting" says err "began with no --only and no --limit, now there is --limit 2"

trial forms
exits 0 "--only forms: clean, as no case is compared" migrate d --only XFormInstance
ok "--only forms: others are skipped, a reject too" says out "read 5 = written 2 + unchanged 0 + deleted 0 + skipped 3"
ok "--only forms: only they are counted" test "$(kinds)" = "XFormInstance 2 0 0 0"
ok "--only forms: their cases are folded" test "$(query "SELECT count(*) FROM cases")" = 1
run stats d
ok "--only: stats says that it is a trial run" says out "a trial run, --only XFormInstance: it"
ok "--only: other kinds were left out" says out "- documents of other kinds (the pass counts them as skipped)"
ok "--only: cases too" says out "- the comparison of CommCareCase, CommCareCase-Deleted"
ok "--only: no rows" not says out "what follows"
exits 5 "--only: no commit" commit d
ok "--only: commit says why" says err "trial run (--only XFormInstance)"
exits 5 "--only: no other kinds" migrate d --only XFormInstance,Group
exits 0 "--only: the same again" migrate d --only XFormInstance

trial misspelt
exits 1 "--only a kind that no document is of" migrate d --only XFormInstanc
ok "--only a kind that no document is of: is said" says err "no document of domain d and of --only XFormInstanc was found: are the names right?"
exits 0 "--only a kind that no document is of: stats" stats d
ok "--only a kind that no document is of: is not clean" says out "the source has no document of this domain that --only XFormInstanc takes"

trial two
exits 1 "--only two kinds" migrate d --only ,XFormInstance,CommCareCase,
ok "--only two kinds: they are counted" test "$(kinds | sed 's/[0-9 ]*,/,/; s/ [0-9 ]*$//')" = "XFormInstance, CommCareCase"
trial cases
exits 1 "--only cases" migrate d --only CommCareCase --limit 4
ok "--only cases: without their forms they are missing" test "$(kinds | sed 's/ [0-9]*$//')" = "CommCareCase 1 0 1"
run stats d
ok "--only cases: a trial run brings no missing documents over" not says out "Run again with"
ok "--only cases: they are compared, but those of another kind" says out "- the comparison of CommCareCase-Deleted"
exits 5 "--only and --limit: both are told" commit d --accept-differences
ok "--only and --limit: both are there" says err "(--only CommCareCase --limit 4)"
trial live
exits 0 "--only, live" migrate d --live --only Group
exits 5 "--only, live: no full run" migrate d --live
exits 2 "--only without a kind" migrate d --only ,
finish
