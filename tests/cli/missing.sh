#!/bin/sh
# Missing documents: the scan finds what SQL lacks, goes on where it was killed, and `migrate --forms` brings it over.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; stop_pg; rm -rf "$work"' EXIT

demo=$top_srcdir/fixtures/demo/demo.json.gz
domain=demo-clinic

# missing: "KIND N ..." of the kinds that miss documents
missing() {
	run stats "$domain" --format json
	node -e 'const s = JSON.parse(require("fs").readFileSync(0));
		console.log(s.kinds.filter(k => k.missing).map(k => k.kind + " " + k.missing).join(" "))' <"$work/out"
}

missing_are() {
	test "$(missing)" = "$1"
}

# id_of TABLE COLUMN TYPE
id_of() {
	query "SELECT min($2) FROM $1 WHERE doc_type = '$3'"
}

put() { # put DATABASE ID JSON
	curl -sf -X PUT "$couchd_url/$1/$2" -d "$3" >/dev/null
}

# what_sql_holds: every row of documents, forms and cases
what_sql_holds() {
	for table in forms cases case_transactions documents; do
		query "SELECT * FROM $table ORDER BY 1, 2, 3, 4"
	done
}

start_pg || exit 99
create_pg_database missing || exit 99
create_pg_database many || exit 99
start_couchd --load "$demo" --load-db demo || exit 99

# ---- found, looked at again, brought over ----

# finds NAME: SETTLE_TARGET is set
finds() {
	way=$1
	SETTLE_STATE_DIR=$work/state-$way
	SETTLE_SOURCE=$couchd_url/demo
	export SETTLE_STATE_DIR SETTLE_SOURCE SETTLE_TARGET
	exits 5 "$way: --forms before a migration is refused" migrate $domain --forms=missing
	exits 1 "$way: migrate" migrate $domain
	ok "$way: looks for missing documents at its end" says err "0 newly missing"
	before=$(missing)
	ok "$way: cases without forms are missing" test -n "$before"
	exits 1 "$way: --forms=missing marks cases that only SQL has" migrate $domain --forms=missing
	ok "$way: and misses what was missing" missing_are "$before"
	what_sql_holds >"$work/$way.before"
	run diff show $domain --format json
	cp "$work/out" "$work/$way.diffs"

	form=$(id_of forms form_id XFormInstance)
	user=$(id_of documents doc_id CommCareUser)
	group=$(id_of documents doc_id Group)
	case_id=$(query "SELECT min(case_id) FROM cases WHERE doc_type = 'CommCareCase' AND NOT deleted")
	query "DELETE FROM forms WHERE form_id = '$form'"
	query "DELETE FROM documents WHERE doc_id IN ('$user', '$group')"
	exits 1 "$way: cached" migrate $domain --missing-docs=cached
	ok "$way: cached looks for nothing" not says err "newly missing"
	ok "$way: ... and counts nothing new" missing_are "$before"
	exits 1 "$way: resume" migrate $domain --missing-docs=resume
	ok "$way: finds them" says err "3 newly missing"
	ok "$way: counts them under their kinds" missing_are "XFormInstance 1 $before CommCareUser 1 Group 1"
	exits 1 "$way: once more" migrate $domain
	ok "$way: finds nothing twice" says err "0 newly missing"
	exits 1 "$way: rebuild" migrate $domain --missing-docs=rebuild
	ok "$way: a rebuild finds the same" missing_are "XFormInstance 1 $before CommCareUser 1 Group 1"

	query "CREATE TABLE away AS SELECT * FROM cases WHERE case_id = '$case_id'"
	query "DELETE FROM cases WHERE case_id = '$case_id'"
	run migrate $domain
	ok "$way: a case that SQL lost is missing" says err "1 newly missing"
	query "INSERT INTO cases SELECT * FROM away"
	query "DROP TABLE away"
	exits 1 "$way: recheck" migrate $domain --missing-docs=recheck
	ok "$way: recheck looks only at what is missing" says err ": 1 are there"
	ok "$way: recheck takes the mark away" missing_are "XFormInstance 1 $before CommCareUser 1 Group 1"

	printf '%s\n\n%s\n' "$user" "$group" >"$work/ids"
	(cd "$work" && exec "$settle" migrate $domain --forms=./ids) >"$work/out" 2>"$work/err"
	ok "$way: --forms=./FILE brings them over" missing_are "XFormInstance 1 $before"
	exits 1 "$way: --forms=missing" migrate $domain --forms=missing
	ok "$way: --forms=missing leaves what cannot be brought over" missing_are "$before"
	what_sql_holds >"$work/$way.after"
	ok "$way: SQL holds what it held" cmp "$work/$way.before" "$work/$way.after"
	run diff show $domain --format json
	ok "$way: and differs as it did" cmp "$work/$way.diffs" "$work/out"

	query "DELETE FROM case_transactions WHERE form_id = '$form'"
	exits 1 "$way: --forms=ID again" migrate $domain --forms="$form"
	what_sql_holds >"$work/$way.after"
	ok "$way: writes what hangs on the form anew" cmp "$work/$way.before" "$work/$way.after"
	exits 1 "$way: an id that nobody has" migrate $domain --forms=nosuch,"$user"
	ok "$way: is named" says err "does not have this document id=nosuch"
}

SETTLE_TARGET=$(pg_url missing)
finds pg
SETTLE_TARGET=sqlite:$work/t.db
finds sqlite

# ---- what is not missing ----

put demo _design/views '{"views":{}}'
put demo nobodys '{"doc_type":"Note"}'
put demo elsewhere '{"doc_type":"XFormInstance","domain":"other","form":{}}'
run migrate $domain
ok "a design document, another domain's and nobody's are not missing" says err "0 newly missing"
SETTLE_STATE_DIR=$work/state-other SETTLE_TARGET=sqlite:$work/other.db exits 0 "another domain of the same database: clean" migrate other
exits 1 "--forms with another domain's document" migrate $domain --forms=elsewhere
ok "says that it is another domain's" says err "belongs to another domain"
query "DELETE FROM documents WHERE doc_id = '$user'"
run migrate $domain
curl -sf -X DELETE "$couchd_url/demo/$(printf %s "$user" | sed 's/|/%7C/g')?rev=$(curl -sf "$couchd_url/demo/$(printf %s "$user" | sed 's/|/%7C/g')" |
	node -e 'console.log(JSON.parse(require("fs").readFileSync(0))._rev)')" >/dev/null
run migrate $domain
ok "a document deleted since is not missing any more" missing_are "$before"

# ---- a source that misbehaves ----

fault '{"prefix":"/demo/_all_docs","action":"cut","at":60000}'
query "DELETE FROM documents WHERE doc_id = '$group'"
run migrate $domain
ok "a connection that breaks is taken up again" says err "going on behind the last id"
ok "and nothing is lost" says err "1 newly missing"
no_faults
fault '{"prefix":"/demo/_all_docs","action":"status","status":403,"times":0}'
exits 3 "a source that refuses the list" migrate $domain
ok "is named" says err "_all_docs"
no_faults
fault '{"prefix":"/demo/_all_docs","action":"overwrite","at":6,"bytes":"}}}}}}}}}}}}}}}}}}}}"}'
exits 3 "a list that is none" migrate $domain
no_faults
exits 1 "and all is well again" migrate $domain
exits 1 "--forms=missing" migrate $domain --forms=missing
ok "brings over what was found on the way" missing_are "$before"

# Every id is listed, in an order of the server's own.
mkdir "$work/replay"
curl -sf "$couchd_url/demo/_all_docs" >"$work/list"
node -e 'const v = JSON.parse(require("fs").readFileSync(process.argv[1]));
	v.rows.reverse();
	const body = JSON.stringify(v);
	console.log("HTTP/1.1 200 OK\r\nContent-Length: " + (Buffer.byteLength(body) + 1) + "\r\n\r\n" + body)' "$work/list" >"$work/replay/a.http"
echo "> http://127.0.0.1:5984/demo/_all_docs?limit=1048576" >"$work/replay/a.request"
end_couchd
SETTLE_STATE_DIR=$work/state-order
SETTLE_TARGET=sqlite:$work/order.db
start_couchd --load "$demo" --load-db demo --replay "$work/replay" || exit 99
SETTLE_SOURCE=$couchd_url/demo
exits 1 "order: migrate" migrate $domain --missing-docs=cached
query "DELETE FROM documents WHERE doc_id = '$group'"
run migrate $domain
ok "ids in another order are sorted" says err "does not list its ids in byte order"
ok "and merged all the same" says err "1 newly missing"
ok "the kind is known" missing_are "$before Group 1"

# ---- a recorded feed ----

row() { # row SEQ ID BODY
	printf '{"seq":%s,"id":"%s","changes":[{"rev":"1-a"}],"doc":{"_id":"%s","_rev":"1-a","domain":"d",%s}}\n' "$1" "$2" "$2" "$3"
}
domain=d
SETTLE_STATE_DIR=$work/state-file
SETTLE_TARGET=sqlite:$work/file.db
SETTLE_SOURCE=file:$work/feed.ndjson
{
	row 1 b '"doc_type":"CommCareCase"'
	row 2 a '"doc_type":"XFormInstance","form":{}'
	row 3 c '"doc_type":"CommCareCase"'
} >"$work/feed.ndjson"
exits 1 "file: cases without forms" migrate d
ok "file: they are missing" missing_are "CommCareCase 2"
exits 1 "file: --forms=missing" migrate d --forms=missing
ok "file: they were found in it" says err "2 there"
ok "file: there is no more to bring over" missing_are "CommCareCase 2"
exits 1 "file: rebuild reads it once more" migrate d --missing-docs=rebuild
ok "file: and finds the same" missing_are "CommCareCase 2"
row 1 a '"doc_type":"XFormInstance","form":{}' >"$work/feed.ndjson"
exits 1 "file: one without them" migrate d
exits 1 "file: rebuild forgets what is not in it" migrate d --missing-docs=rebuild
ok "file: nothing is missing" missing_are ""
exits 1 "file: --forms=ID" migrate d --forms=a
"$settle" migrate d -s file:- --forms=a,b <"$work/feed.ndjson" >"$work/out" 2>"$work/err"
ok "standard input is another source" test $? -eq 5

# ---- many ids: killed, stopped, gone on ----

domain=m
node -e 'for (let i = 0; i < 40000; i++) {
	const id = "form-" + String(i).padStart(6, "0");
	console.log(JSON.stringify({seq: i + 1, id, changes: [{rev: "1-a"}],
		doc: {_id: id, _rev: "1-a", doc_type: "XFormInstance", domain: i % 2 ? "m" : "n", form: {}}}));
}' >"$work/many.ndjson"
end_couchd
start_couchd --load "$work/many.ndjson" --load-db many || exit 99
SETTLE_SOURCE=$couchd_url/many

# position: where the search is, as the state file has it
position() {
	sqlite3 "file:$SETTLE_STATE_DIR/domains/m/state.db?mode=ro" "SELECT CAST(value AS TEXT) FROM value WHERE key = 'missing-scan' AND CAST(value AS TEXT) LIKE '%after%'"
}

# search_a_while: begins it, until the position has moved
search_a_while() {
	at=$(position)
	"$settle" migrate m >"$work/out" 2>"$work/err" &
	pid=$!
	while kill -0 $pid 2>/dev/null && { test -z "$(position)" || test "$(position)" = "$at"; }; do
		sleep 0.1
	done
}

# goes_on NAME
goes_on() {
	way=$1
	SETTLE_STATE_DIR=$work/state-many-$way
	exits 0 "$way: 40000 documents, half of them another domain's" migrate m
	query "DELETE FROM forms WHERE form_id IN ('form-000001', 'form-039999')"
	fault '{"prefix":"/many/_all_docs","action":"slow","rate":100000,"times":0}'
	search_a_while
	kill -KILL $pid
	wait $pid 2>/dev/null
	search_a_while
	kill -TERM $pid
	wait $pid
	ok "$way: stopped in the middle" test $? -eq 1
	ok "$way: goes on where it was killed" says err "going on with the search for missing documents behind form-"
	no_faults
	exits 1 "$way: once more" migrate m
	ok "$way: goes on where it was stopped" says err "going on with the search for missing documents behind form-"
	ok "$way: both are missing" missing_are "XFormInstance 2"
	exits 1 "$way: and again" migrate m
	ok "$way: the next search begins anew" not says err "going on with"
	exits 0 "$way: --forms=missing" migrate m --forms=missing
}

SETTLE_TARGET=sqlite:$work/many.db
goes_on sqlite
SETTLE_TARGET=$(pg_url many)
goes_on pg

# ---- live ----

SETTLE_STATE_DIR=$work/state-live
SETTLE_TARGET=sqlite:$work/live.db
exits 0 "live: migrate" migrate m --live
ok "live: looks for missing documents once" says err "newly missing"
exits 0 "live: again" migrate m --live
ok "live: the feed brings what comes later" not says err "newly missing"
exits 0 "live: --forms stays live" migrate m --forms=missing
query "DELETE FROM forms WHERE form_id = 'form-000001'"
exits 1 "live: finish" migrate m --finish --quiet-for 0.2
ok "live: finish looks again" missing_are "XFormInstance 1"
exits 0 "live: --forms=missing" migrate m --forms=missing
exits 0 "live: unfinish" unfinish m
exits 0 "live: after unfinish" migrate m --live
ok "live: unfinish forgets where the search was" says err "newly missing"

# ---- options ----

for option in --live --follow --finish --dry-run --rebuild-state --limit=3 --only=XFormInstance --max-rejects=3 --missing-docs=cached; do
	exits 2 "--forms and $option exclude each other" migrate m --forms=missing $option
done
exits 2 "--forms without an id" migrate m --forms=,
exits 2 "--forms with a file that is not there" migrate m --forms=./nosuch/file
exits 2 "--missing-docs knows four words" migrate m --missing-docs=all
finish
