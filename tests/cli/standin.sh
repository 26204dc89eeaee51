#!/bin/sh
# The CouchDB stand-in: it must answer as the recordings of a real CouchDB do, keep what it was given through a kill, and misbehave
# exactly as told. Everything else that talks to it stands on this.
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
. "$top_srcdir/tests/server/couchd.sh"
raw=$top_srcdir/fixtures/couch/raw
work=$(mktemp -d) || exit 99
trap 'stop_couchd; rm -rf "$work"' EXIT
n=0

ok() { # ok NAME COMMAND...
	n=$((n + 1))
	name=$1
	shift
	rm -f "$work/failed"
	if "$@" >"$work/out" 2>&1 && [ ! -e "$work/failed" ]; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$work/out" | head -40
	fi
}

get() { # get PATH [CURL OPTIONS]
	path=$1
	shift
	curl -gsS --max-time 100 -u admin:PASSWORD "$@" "$couchd_url$path"
}

put() { # put PATH BODY
	get "$1" -X PUT -H 'Content-Type: application/json' -d "$2"
}

post() { # post PATH BODY
	get "$1" -X POST -H 'Content-Type: application/json' -d "$2"
}

standin() { # standin RULES
	no_faults && fault "$1"
}

is() { # is WANTED GOT: a difference fails the whole test, also from within a function
	[ "$1" = "$2" ] && return
	touch "$work/failed"
	printf 'wanted: %s\ngot:    %s\n' "$1" "$2"
	return 1
}

# ---- the recordings ----

# One recording asked of a server: ask NAME URL USER:PASSWORD CURL-OPTIONS...
ask() {
	line=$(cat "$raw/$1.request")
	ask_url=$2$(printf '%s' "$line" | sed 's|.*http://[^/]*\([^ ]*\).*|\1|')
	ask_user=$(printf '%s' "$line" | sed -n 's|.*-u \([^ ]*\) .*|\1|p')
	ask_method=$(printf '%s' "$line" | sed -n 's|.*-X \([A-Z]*\) .*|\1|p')
	ask_body=$(printf '%s' "$line" | sed -n 's|.* -d ||p')
	[ "$ask_user" != USER:PASSWORD ] || ask_user=$3
	shift 3
	set -- -gsS --max-time 100 -H 'Content-Type: application/json' -H 'Accept: application/json' "$@"
	[ -z "$ask_user" ] || set -- "$@" -u "$ask_user"
	[ -z "$ask_method" ] || set -- "$@" -X "$ask_method"
	[ -z "$ask_body" ] || set -- "$@" --data-binary "$ask_body"
	curl "$@" "$ask_url"
}

# Status, names of the header fields in their order, and every path of the body's JSON with its type. Positions in lists do not count,
# nor do the members that are the document's own, nor what CouchDB adds because it packs attachments.
shape() {
	tr -d '\r' <"$1" >"$work/shape.in"
	sed '/^$/q' "$work/shape.in" | sed -e 's/^\(HTTP.*\)/\1/;t' -e 's/^\(Content-Type\|Cache-Control\|Server\|Transfer-Encoding\|Accept-Ranges\): .*/&/;t' -e 's/:.*//'
	sed '1,/^$/d' "$work/shape.in" >"$work/shape.body"
	jq -cs '[paths as $p | [($p | map(if type == "number" then 0 else . end)), (getpath($p) | type)]
		| select(.[0] as $p | ($p | index("doc") // index("ok")) as $d
			| $d == null or $p[$d + 1] == null or ($p[$d + 1] | tostring | startswith("_")))
		| select(.[0][-1] | tostring | startswith("encod") | not)] | unique | .[]' "$work/shape.body" 2>/dev/null ||
		cat "$work/shape.body"
}

replayed_is_recorded() {
	ask "$1" "$replay_url" any:any --raw -i --output "$work/replayed" || :
	cmp "$raw/$1.http" "$work/replayed"
}

same_shape() {
	ask "$1" "$replay_url" any:any -i >"$work/want.http" && ask "$1" "$couchd_url" admin:PASSWORD -i >"$work/got.http" || return
	shape "$work/want.http" >"$work/want.shape"
	shape "$work/got.http" >"$work/got.shape"
	test -s "$work/want.shape" && diff "$work/want.shape" "$work/got.shape"
}

# The first chunk's size and the last bytes on the wire.
same_framing() {
	ask "$1" "$replay_url" any:any --raw | head -c 3 | od -c >"$work/want"
	ask "$1" "$couchd_url" admin:PASSWORD --raw | head -c 3 | od -c >"$work/got"
	[ "$2" = end-only ] || diff "$work/want" "$work/got" || return
	ask "$1" "$replay_url" any:any --raw | tail -c 15 | od -c >"$work/want"
	ask "$1" "$couchd_url" admin:PASSWORD --raw | tail -c 15 | od -c >"$work/got"
	diff "$work/want" "$work/got"
}

start_couchd --replay "$raw" || exit 99
replay_url=$couchd_url
replay_pid=$couchd_pid
replay_dir=$couchd_dir
couchd_dir=
for request in "$raw"/*.request; do
	name=$(basename "$request" .request)
	ok "replay: $name is sent byte for byte" replayed_is_recorded "$name"
done

feed_is_the_loaded_one() { # run on a stand-in of its own
	couchd_dir=
	start_couchd --load "$work/rec.json.gz" --load-db rec || return
	gzip -dc "$work/rec.json.gz" | sed 's/"[0-9]*-g1A[^"]*"/"S"/g' >"$work/want"
	get '/rec/_changes?include_docs=true&style=all_docs&conflicts=true' | sed 's/"[0-9]*-g1A[^"]*"/"S"/g' >"$work/got"
	stop_couchd
	test -s "$work/want" && cmp "$work/want" "$work/got"
}
ask changes-all-docs-style "$replay_url" any:any | gzip >"$work/rec.json.gz"
ok 'a loaded feed comes out again byte for byte, sequences aside' feed_is_the_loaded_one

documents_of() { # the documents of a normal feed, one a line, without the members whose place is the server's choice
	tr -d '\r' | sed -n 's/^{"seq".*"doc":\(.*[^,]\),*$/\1/p' | sed -e 's/,"_rev":"[^"]*"//' -e 's/,"_deleted":true//' | sort
}
demo_comes_out() {
	couchd_dir=
	start_couchd --load "$top_srcdir/fixtures/demo/demo.json.gz" --load-db demo || return
	gzip -dc "$top_srcdir/fixtures/demo/demo.json.gz" | documents_of >"$work/want"
	get '/demo/_changes?include_docs=true' | documents_of >"$work/got"
	stop_couchd
	test "$(wc -l <"$work/want")" -gt 3000 && cmp "$work/want" "$work/got"
}
ok 'every document of the demo domain comes out as it went in' demo_comes_out

odd_comes_out() { # also what is no JSON, and also after a restart
	odd=$top_srcdir/fixtures/odd/odd.ndjson
	couchd_dir=
	start_couchd --data "$work/odd" --load "$odd" --load-db odd || return
	get '/odd/_changes?include_docs=true' >"$work/odd1"
	kill_couchd
	start_couchd --data "$work/odd" || return
	get '/odd/_changes?include_docs=true&conflicts=true' >"$work/odd2"
	stop_couchd
	is "$(grep -ac '^{"seq"' "$odd")" "$(grep -ac '^{"seq"' "$work/odd1")"
	grep -aq '"a":1,}}' "$work/odd1" && cmp "$work/odd1" "$work/odd2"
}
ok 'odd documents, also broken ones, come out as they went in' odd_comes_out

losers() { # a row without _conflicts: what would beat the winner must be deleted
	printf '%s\n' '{"seq":"1-a","id":"d","changes":[{"rev":"1-bbb"},{"rev":"2-ccc"},{"rev":"1-aaa"}],"doc":{"_id":"d","_rev":"1-bbb","v":1}}' \
		'{"seq":"2-a","id":"e","changes":[{"rev":"1-bbb"},{"rev":"1-aaa"}],"doc":{"_id":"e","_rev":"1-bbb","_conflicts":[]}}' >"$work/losers"
	couchd_dir=
	start_couchd --load "$work/losers" --load-db l || return
	is '1-bbb ["1-aaa"] ["2-ccc"]' \
		"$(get '/l/d?conflicts=true&deleted_conflicts=true' | jq -rc '[._rev, ._conflicts, ._deleted_conflicts] | map(tostring) | join(" ")')"
	is '["1-aaa"]' "$(get '/l/e?deleted_conflicts=true' | jq -c ._deleted_conflicts)"
	stop_couchd
}
ok 'losing revisions of a loaded row are conflicts, or deleted ones' losers

# The live one starts from the recorded feed, but the losing revisions, of which a feed shows only the names, are written first.
couchd_dir=
start_live() {
	start_couchd --data "$work/data" --user admin --password PASSWORD "$@"
}
start_live || exit 99
put /rec '' >/dev/null
ask doc-open-revs "$replay_url" any:any | jq -c '{new_edits: false, docs: map(.ok)}' >"$work/leaves"
get /rec/_bulk_docs -H 'Content-Type: application/json' --data-binary "@$work/leaves" >/dev/null
end_couchd || exit 99
start_live --load "$work/rec.json.gz" --load-db rec || exit 99

att='"_attachments":{"form.xml":{"content_type":"text/xml","data":"PGRhdGE+PG4+MTwvbj48L2RhdGE+"},"a b/ü.txt":{"content_type":"text/plain","data":"aGVsbG8gd29ybGQ="},"empty.bin":{"content_type":"application/octet-stream","data":""}}'
put '/rec/with-att?rev=1-31a320601ba45d31120faad71d36de19' "{$att}" >/dev/null
for name in root db-info missing-db unauthorized wrong-password session-login security conflict-409 local-put local-get \
	doc-conflicts all-docs all-docs-range all-docs-conflicts bulk-get changes-normal changes-limit changes-limit-0 \
	changes-seq-interval changes-selector changes-attachments changes-all-docs-style changes-bad-since changes-continuous \
	attachment attachment-odd-name doc-open-revs; do
	ok "shape of $name" same_shape "$name"
done
for name in changes-normal changes-limit-0 doc-open-revs; do
	ok "framing of $name" same_framing "$name" whole
done
for name in all-docs changes-continuous; do
	ok "framing of the end of $name" same_framing "$name" end-only
done
kill -TERM "$replay_pid"
wait "$replay_pid"
rm -rf "$replay_dir"

# ---- sequences ----

seqs() { # seqs PATH
	get "$1" | sed -n 's/^{"seq":"\([^"]*\)".*/\1/p'
}
sequence_resumes() {
	seqs /rec/_changes >"$work/all"
	tenth=$(sed -n 10p "$work/all")
	seqs "/rec/_changes?since=$tenth" >"$work/rest"
	sed 1,10d "$work/all" | cmp - "$work/rest"
}
ok 'since: a sequence that was given resumes after its row' sequence_resumes
ok 'since: the sequence of a row stays the same' sequence_resumes
bad_since() {
	is 400 "$(get "/rec/_changes?since=$1" -o /dev/null -w '%{http_code}')"
}
ok 'since: a number is refused' bad_since 7
made_up() {
	bad_since "$(seqs '/rec/_changes?limit=1' | sed 's/^[0-9]*/40/')"
}
ok 'since: a made-up sequence is refused' made_up
put /other '' >/dev/null
put /other/a '{}' >/dev/null
other_database() { # a late one, which would leave out many rows if it were taken for this database's own
	put /elsewhere '' >/dev/null
	post /elsewhere/_bulk_docs "$(jq -nc '{docs: [range(40) | {_id: "\(.)"}]}')" >/dev/null
	late=$(seqs /elsewhere/_changes | tail -n 1)
	is 40 "${late%%-*}"
	is "$(seqs /rec/_changes | wc -l)" "$(seqs "/rec/_changes?since=$late" | wc -l)"
}
ok 'since: the sequence of another database starts from the beginning' other_database
pending_adds_up() {
	total=$(get /rec/_changes | grep -c '^{"seq"')
	is $((total - 7)) "$(get '/rec/_changes?limit=7' | sed -n 's/.*"pending":\([0-9]*\)}.*/\1/p')"
	is "$total" "$(get '/rec/_changes?limit=0' | sed -n 's/.*"pending":\([0-9]*\)}.*/\1/p')"
}
ok 'pending is what the limit left' pending_adds_up
intervals() {
	is 'null,S,null,null,S,null,null,' \
		"$(get '/rec/_changes?limit=7&seq_interval=3' | sed -n 's/^{"seq":\("[^"]*"\|null\).*/\1/p' | sed 's/".*"/S/' | tr '\n' ,)"
}
ok 'seq_interval leaves sequences out where CouchDB does' intervals

# ---- documents and revisions ----

exact='{"z":1.10,"a":123456789012345678901234567890,"e":1E400,"nul":"x\u0000y","half":"\ud800","k":{"b":1,"a":-0}}'
bytes_kept() {
	rev=$(put /other/exact "$exact" | jq -r .rev)
	is "{\"_id\":\"exact\",\"_rev\":\"$rev\",${exact#?}" "$(get /other/exact)"
}
ok 'the bytes of a document are kept' bytes_kept
spaces_go() {
	printf '{ "a" : [ 1 ,\n 2 ] , "s" : " \\" : x " }' >"$work/body"
	get /other/spaces -X PUT --data-binary "@$work/body" >/dev/null
	is '"a":[1,2],"s":" \" : x "}' "$(get /other/spaces | sed 's/.*","a"/"a"/')"
}
ok 'white space between tokens goes, so that feeds keep their lines' spaces_go
update_needs_rev() {
	first=$(put /other/doc '{"v":1}' | jq -r .rev)
	is conflict "$(put /other/doc '{"v":2}' | jq -r .error)"
	is conflict "$(put '/other/doc?rev=1-0123' '{"v":2}' | jq -r .error)"
	second=$(put "/other/doc?rev=$first" '{"v":2}' | jq -r .rev)
	is 2 "${second%%-*}"
	is true "$(get "/other/doc?rev=$second" -X DELETE | jq -r .ok)"
	is deleted "$(get /other/doc | jq -r .reason)"
	is 4 "$(put /other/doc '{"v":3}' | jq -r .rev | cut -d- -f1)"
}
ok 'an update names the revision it stands on' update_needs_rev
winner() {
	post /other/_bulk_docs '{"new_edits":false,"docs":[{"_id":"w","_rev":"2-bbb","_revisions":{"start":2,"ids":["bbb","aaa"]},"v":"b"},
		{"_id":"w","_rev":"2-ccc","_revisions":{"start":2,"ids":["ccc","aaa"]},"v":"c"},
		{"_id":"w","_rev":"3-ddd","_revisions":{"start":3,"ids":["ddd","xxx","aaa"]},"_deleted":true}]}' >"$work/answer"
	is '[]' "$(cat "$work/answer")"
	is '2-ccc ["2-bbb"] ["3-ddd"]' \
		"$(get '/other/w?conflicts=true&deleted_conflicts=true' | jq -rc '[._rev, ._conflicts, ._deleted_conflicts] | map(tostring) | join(" ")')"
	get '/other/w?rev=2-ccc' -X DELETE >/dev/null
	is 2-bbb "$(get /other/w | jq -r ._rev)"
	post /other/_bulk_docs '{"new_edits":false,"docs":[{"_id":"w","_rev":"4-eee","_revisions":{"start":4,"ids":["eee","fff","bbb","aaa"]}}]}' >/dev/null
	is 3 "$(get '/other/w?open_revs=all' | jq length)"
}
ok 'the winner is alive first, then longest, then highest; leaves grow' winner
known_revision() {
	before=$(get /other | jq -r .update_seq)
	post /other/_bulk_docs '{"new_edits":false,"docs":[{"_id":"w","_rev":"2-bbb","_revisions":{"start":2,"ids":["bbb","aaa"]},"v":"other"}]}' >/dev/null
	is "$before" "$(get /other | jq -r .update_seq)"
}
ok 'a revision that is known already changes nothing' known_revision
bulk() {
	is '["conflict",true,"illegal_docid","doc_validation"]' "$(post /other/_bulk_docs \
		'{"docs":[{"_id":"exact"},{"_id":"new","x":1},{"_id":"_bad"},{"_id":"y","_odd":1}]}' | jq -c 'map(.error // .ok)')"
}
ok 'bulk writes answer for each document' bulk
not_json() {
	is 400 "$(post /other/_bulk_docs '{"docs":[' -o /dev/null | jq -r .error | sed 's/bad_request/400/')"
	is bad_request "$(put /other/bad '{"a":tru}' | jq -r .error)"
}
ok 'what is no JSON is refused' not_json
missing_stub() {
	is missing_stub "$(put /other/stub '{"_attachments":{"a":{"stub":true}}}' | jq -r .error)"
}
ok 'an attachment stub for nothing is refused' missing_stub
attachment_bytes() {
	is 'hello world' "$(get /rec/with-att/a%20b%2F%C3%BC.txt)"
	is 'md5-7mkg+nM0HN26sZkLN8KVSA==' "$(get /rec/with-att | jq -r '._attachments["a b/ü.txt"].digest')"
	is 'md5-R5DZ7D3Pw1LCTtXZ33fjjQ==' "$(get /rec/with-att | jq -r '._attachments["form.xml"].digest')"
	is 'md5-1B2M2Y8AsgTpgAmY7PhCfg==' "$(get /rec/with-att | jq -r '._attachments["empty.bin"].digest')"
	is 404 "$(get /rec/with-att/none -o /dev/null -w '%{http_code}')"
	is aGVsbG8gd29ybGQ= "$(get '/rec/with-att?attachments=true' | jq -r '._attachments["a b/ü.txt"].data')"
}
ok 'attachments: bytes, data when asked for, and the digests that CouchDB gave' attachment_bytes
local_documents() {
	is 0-1 "$(put /other/_local/x '{"a":1}' | jq -r .rev)"
	is 0-2 "$(put /other/_local/x '{"_rev":"0-1","a":2}' | jq -r .rev)"
	is '{"_id":"_local/x","_rev":"0-2","a":2}' "$(get /other/_local/x)"
	is 0 "$(get /other/_changes | grep -c _local)"
	get /other/_local/x -X DELETE >/dev/null
	is missing "$(get /other/_local/x | jq -r .reason)"
}
ok 'local documents are kept apart' local_documents
design() {
	put /other/_design/d '{"validate_doc_update":"function(){}"}' >/dev/null
	is _design/d "$(get /other/_design/d | jq -r ._id)"
	is _design/d "$(get '/other/_changes?filter=_design' | sed 1d | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')"
}
ok 'design documents are stored and listed' design
all_docs_order() {
	put /order '' >/dev/null
	post /order/_bulk_docs '{"docs":[{"_id":"b"},{"_id":"ä"},{"_id":"B"},{"_id":"a"},{"_id":"aa"},{"_id":"gone","_deleted":true}]}' >/dev/null
	is 'B a aa b ä' "$(get /order/_all_docs | jq -r '[.rows[].id] | join(" ")')"
	is 'aa b 2' "$(get '/order/_all_docs?startkey="aa"&endkey="b"' | jq -r '([.rows[].id] | join(" ")) + " \(.offset)"')"
	is 'aa' "$(get '/order/_all_docs?startkey="aa"&endkey="b"&inclusive_end=false' | jq -r '[.rows[].id] | join(" ")')"
	is 'aa b 2' "$(get '/order/_all_docs?skip=2&limit=2' | jq -r '([.rows[].id] | join(" ")) + " \(.offset)"')"
	is '[["a",null],["gone",null],[null,"not_found"]]' \
		"$(post '/order/_all_docs?include_docs=true' '{"keys":["a","gone","none"]}' | jq -c '[.rows[] | [.id, .error]]')"
	is '[]' "$(get '/order/_all_docs?limit=0' | jq -c .rows)"
	is query_parse_error "$(get '/order/_all_docs?descending=true' | jq -r .error)"
}
ok '_all_docs: byte order, ranges, keys' all_docs_order
selectors() {
	put /sel '' >/dev/null
	post /sel/_bulk_docs '{"docs":[{"_id":"1","d":"x","in":{"k":1}},{"_id":"2","d":"y","in":{"k":1.0}},{"_id":"3","d":"z"}]}' >/dev/null
	is '1' "$(post '/sel/_changes?filter=_selector' '{"selector":{"d":"x"}}' | jq -r '[.results[].id] | join(" ")')"
	is '1 2' "$(post '/sel/_changes?filter=_selector' '{"selector":{"in.k":1}}' | jq -r '[.results[].id] | join(" ")')"
	is '1 3' "$(post '/sel/_changes?filter=_selector' '{"selector":{"d":{"$in":["x","z"]}}}' | jq -r '[.results[].id] | join(" ")')"
	is '1 3' "$(post '/sel/_changes?filter=_selector' '{"selector":{"$or":[{"d":"x"},{"in":{"$exists":false}}]}}' | jq -r '[.results[].id] | join(" ")')"
	is bad_request "$(post '/sel/_changes?filter=_selector' '{"selector":{"d":{"$gt":1}}}' | jq -r .error)"
	is '2 3' "$(post '/sel/_changes?filter=_doc_ids' '{"doc_ids":["3","2"]}' | jq -r '[.results[].id] | join(" ")')"
	is missing "$(get '/sel/_changes?filter=app/none' | jq -r .reason)"
}
ok 'filters: selectors, ids, and what is not known is refused' selectors

heads_only() { # the counters know what was sent; curl would not look
	no_faults
	for path in / /rec /rec/_changes /rec/_all_docs /rec/conf '/rec/conf?open_revs=all' /rec/with-att/form.xml; do
		get "$path" -I -o "$work/head" -w '%{http_code} '
	done >"$work/answers"
	is '200 200 200 200 200 200 200 ' "$(cat "$work/answers")"
	is '7 0' "$(curl -gsS "$couchd_url/_standin" | jq -r '[.requests[]] | "\(map(.count) | add) \(map(.bytes) | add)"')"
}
ok 'HEAD: no body, whatever the answer' heads_only

# ---- feeds that wait ----

long_poll() {
	get '/sel/_changes?feed=longpoll&since=now&heartbeat=200' -N >"$work/poll" &
	poll=$!
	until [ "$(grep -c '^$' "$work/poll")" -ge 2 ]; do
		sleep 0.1
	done
	put /sel/late '{}' >/dev/null
	wait $poll || return
	is late "$(jq -r '.results[0].id' "$work/poll")"
}
ok 'a long poll beats, and ends with the change' long_poll
continuous() {
	get '/sel/_changes?feed=continuous&since=now&heartbeat=200' -N >"$work/feed" &
	feed=$!
	until [ -s "$work/feed" ]; do
		sleep 0.1
	done
	put /sel/later '{}' >/dev/null
	get /sel -X DELETE >/dev/null
	wait $feed || return
	is later "$(sed -n 's/.*"id":"\([^"]*\)".*/\1/p' "$work/feed")"
	tail -n 2 "$work/feed" | grep -q '^{"last_seq":"'
}
ok 'a continuous feed beats, shows the change, and ends politely when its database goes' continuous
quiet_ends() {
	is 0 "$(get '/order/_changes?feed=continuous&since=now&timeout=200' | grep -c '"id"')"
	is 0 "$(get '/order/_changes?feed=longpoll&since=now&timeout=200' | jq '.results | length')"
}
ok 'without heartbeat, patience ends' quiet_ends

# ---- who may ask ----

cookie() {
	curl -sS -c "$work/jar" -X POST "$couchd_url/_session" -d 'name=admin&password=PASSWORD' >/dev/null
	is admin "$(curl -sS -b "$work/jar" "$couchd_url/_session" | jq -r .userCtx.name)"
	is rec "$(curl -sS -b "$work/jar" "$couchd_url/rec" | jq -r .db_name)"
	is 401 "$(curl -sS -o /dev/null -w '%{http_code}' -b AuthSession=YWRtaW46N0ZGRkZGRkY6MDA "$couchd_url/rec")"
	is 401 "$(curl -sS -o /dev/null -w '%{http_code}' "$couchd_url/_session" -d 'name=admin&password=x')"
	is null "$(curl -sS "$couchd_url/_session" | jq -r .userCtx.name)"
}
ok 'a cookie opens what the password opens' cookie

# ---- killed ----

everything() {
	for db in rec other order; do
		get /$db
		get "/$db/_changes?include_docs=true&style=all_docs&conflicts=true&attachments=true"
		get /$db/_security
	done
	get /other/_local/kept
	get /
}
put /other/_local/kept '{"a":1}' >/dev/null
put /other/_security '{"admins":{"names":["x"]}}' >/dev/null
survives_kill() {
	everything >"$work/before"
	kill_couchd
	start_live || return
	everything >"$work/after"
	cmp "$work/before" "$work/after" && test -s "$work/after"
}
ok 'what was answered survives SIGKILL, sequences included' survives_kill
ok 'the cookie survives it too' cookie
torn_record() {
	everything >"$work/before"
	size=$(stat -c %s "$work/data/journal")
	put /other/torn '{"v":1}' >/dev/null
	kill_couchd
	truncate -s $((size + 100)) "$work/data/journal"
	start_live || return
	everything >"$work/after"
	cmp "$work/before" "$work/after" && is "$size" "$(stat -c %s "$work/data/journal")"
}
ok 'a torn last record is dropped, and only that' torn_record
damaged() {
	end_couchd || return
	cp "$work/data/journal" "$work/journal"
	printf '\0' | dd of="$work/data/journal" bs=1 seek=200 conv=notrunc 2>/dev/null
	timeout 60 "$top_builddir/tests/server/couchd" --data "$work/data" 2>"$work/err"
	status=$?
	cp "$work/journal" "$work/data/journal"
	start_live || return
	is 5 "$status" && grep -q 'damaged at byte' "$work/err"
}
ok 'damage in the middle of the journal is refused' damaged
big_bodies() {
	jq -nc '{docs: [range(20000) | {_id: "big\(.)", text: ("x" * 200)}]}' >"$work/big"
	put /big '' >/dev/null
	is 20000 "$(get /big/_bulk_docs -H 'Content-Type: application/json' --data-binary "@$work/big" | jq length)"
	is 20000 "$(get '/big/_changes?include_docs=true' | grep -c '"doc"')"
	is 20000 "$(get /big/_all_docs | jq '.rows | length')"
	is 1 "$(jq -c '{docs: [{_id: "chunked", text: ("y" * 100000)}]}' -n | get /big/_bulk_docs -X POST -H 'Transfer-Encoding: chunked' \
		-H 'Content-Type: application/json' --data-binary @- | jq length)"
}
ok 'large and chunked requests and large feeds' big_bodies
slow_reader() {
	get '/big/_changes?include_docs=true' --limit-rate 20M >"$work/slow"
	get '/big/_changes?include_docs=true' | cmp - "$work/slow" || return
	jq -nc '{v: [range(3000000)]}' >"$work/long"
	get /big/long -X PUT -H 'Content-Type: application/json' --data-binary "@$work/long" >/dev/null
	get /big/long --limit-rate 20M | sed 's/^{"_id":"long","_rev":"[^"]*",/{/' | cmp - "$work/long"
}
ok 'a reader that is slower than the server gets everything' slow_reader

# ---- misbehaviour ----

feed_of() { # feed_of FILE: curl's exit status
	get '/rec/_changes?include_docs=true' >"$1" 2>/dev/null
	echo $?
}
feed_of "$work/whole" >/dev/null
cut_at() {
	standin '{"prefix":"/rec/_changes","nth":2,"action":"cut","at":5000}'
	is 0 "$(feed_of "$work/first")"
	is 18 "$(feed_of "$work/second")"
	is 0 "$(feed_of "$work/third")"
	cmp "$work/whole" "$work/third" && test "$(stat -c %s "$work/second")" -lt 5000 && test "$(stat -c %s "$work/second")" -gt 4500
}
ok 'cut: the second feed ends after 5000 bytes, the third is whole' cut_at
inserted() {
	standin '{"path":"^/rec/_changes\\?.*docs","action":"insert","at":3,"bytes":"GARBAGE"}'
	get '/rec/_changes?include_docs=true' --raw | head -c 14 >"$work/got"
	printf 'd\r\nGARBAGE{"re' | cmp - "$work/got"
}
ok 'insert: bytes stand in the middle of the wire' inserted
overwritten() {
	standin '{"method":"GET","prefix":"/rec/_changes","action":"overwrite","at":40,"bytes":"@@@@"}'
	is 0 "$(feed_of "$work/got")"
	is 4 "$(cmp -l "$work/whole" "$work/got" | wc -l)"
}
ok 'overwrite: the framing stays, the bytes do not' overwritten
statuses() {
	standin '{"rules":[{"prefix":"/rec","action":"status","status":429,"retry_after":3},{"prefix":"/rec","nth":2,"times":2,"action":"status"}]}'
	is 429 "$(get /rec -o "$work/body" -D "$work/head" -w '%{http_code}')"
	grep -q '^Retry-After: 3' "$work/head" || return
	is too_many_requests "$(jq -r .error "$work/body")"
	is '503 503 200' "$(get /rec -o /dev/null -w '%{http_code} ')$(get /rec -o /dev/null -w '%{http_code} ')$(get /rec -o /dev/null -w '%{http_code}')"
	for status in 401 500; do
		standin "{\"action\":\"status\",\"status\":$status}"
		is $status "$(get /rec -o /dev/null -w '%{http_code}')"
	done
}
ok 'status: 401, 429 with Retry-After, 500, 503, as often as told' statuses
dropped() {
	standin '{"method":"PUT","action":"drop"}'
	put /other/dropped '{}' 2>/dev/null
	is 52 $?
	is missing "$(get /other/dropped | jq -r .reason)"
}
ok 'drop: the request is not carried out' dropped
lost() {
	standin '{"method":"PUT","action":"lose"}'
	put /other/lost '{}' 2>/dev/null
	is 52 $?
	is lost "$(get /other/lost | jq -r ._id)"
}
ok 'lose: the request is carried out, the answer is not sent' lost
# beginning_of BYTES: more than so many bytes of the feed come into $work/got, and then it does not end
beginning_of() {
	: >"$work/got"
	curl -gsSN --max-time 100 -u admin:PASSWORD "$couchd_url/rec/_changes?include_docs=true" >"$work/got" 2>/dev/null &
	feed=$!
	until [ "$(stat -c %s "$work/got")" -gt "$1" ] || ! kill -0 $feed 2>/dev/null; do
		sleep 0.1
	done
	sleep 1
	kill $feed
	wait $feed
	is 143 $?
}
stalled() {
	standin '{"prefix":"/rec/_changes","action":"stall","at":4000,"ms":600000}'
	beginning_of 3500 || return
	test "$(stat -c %s "$work/got")" -le 4000 || return
	standin '{"prefix":"/rec/_changes","action":"stall","at":4000,"ms":50}'
	is 0 "$(feed_of "$work/got")"
	cmp "$work/whole" "$work/got"
}
ok 'stall: a pause in the middle, then the rest' stalled
slowed() {
	standin '{"prefix":"/rec/_changes","action":"slow","rate":300}'
	beginning_of 0 || return
	standin '{"prefix":"/rec/_changes","action":"slow","rate":1000000}'
	is 0 "$(feed_of "$work/got")"
	cmp "$work/whole" "$work/got"
}
ok 'slow: the rate holds, and everything comes' slowed
bad_rules() {
	is 400 "$(curl -sS -o /dev/null -w '%{http_code}' -X POST "$couchd_url/_standin" -d '{"action":"dance"}')"
	is 400 "$(curl -sS -o /dev/null -w '%{http_code}' -X POST "$couchd_url/_standin" -d '{"action":"cut","wher":1}')"
	is 400 "$(curl -sS -o /dev/null -w '%{http_code}' -X POST "$couchd_url/_standin" -d '{"action":"cut","path":"("}')"
	is 400 "$(curl -sS -o /dev/null -w '%{http_code}' -X POST "$couchd_url/_standin" -d '[{"action":"cut"},{"action":"cut","at":-1}]')"
	standin '[]'
	is 0 "$(curl -sS "$couchd_url/_standin" | jq '.rules | length')"
}
ok 'rules that make no sense are refused whole' bad_rules
counted() {
	standin '{"prefix":"/nowhere","action":"cut"}'
	get /rec >/dev/null
	get /rec >"$work/info"
	is "2 $((2 * $(stat -c %s "$work/info")))" "$(curl -sS "$couchd_url/_standin" | jq -r '.requests["GET /rec"] | "\(.count) \(.bytes)"')"
	is '{"action":"cut","seen":0,"fired":0}' "$(curl -sS "$couchd_url/_standin" | jq -c '.rules[0]')"
}
ok 'requests, bytes and rules are counted' counted
ok 'it ends in good order' end_couchd
purged() {
	start_couchd --data "$work/purge" || return
	curl -sS -X PUT "$couchd_url/p" >/dev/null
	curl -sS -X POST -H 'Content-Type: application/json' "$couchd_url/p/_bulk_docs" \
		-d '{"new_edits":false,"docs":[{"_id":"a","_rev":"1-a"},{"_id":"b","_rev":"1-a"},{"_id":"b","_rev":"1-b"},{"_id":"c","_rev":"1-c"}]}' >/dev/null
	is '{"purge_seq":null,"purged":{"a":["1-a"],"b":["1-b"],"d":[]}}' \
		"$(curl -sS -X POST -H 'Content-Type: application/json' "$couchd_url/p/_purge" -d '{"a":["1-a","9-z"],"b":["1-b"],"d":["1-d"]}')" || return
	for again in no yes; do
		is 'c 1-c, b 1-a' "$(curl -sS "$couchd_url/p/_changes" | jq -r '[.results[] | .id + " " + .changes[0].rev] | join(", ")')" || return
		is '2 2 6' "$(curl -sS "$couchd_url/p" | jq -r '"\(.doc_count) \(.purge_seq | split("-")[0]) \(.update_seq | split("-")[0])"')" || return
		is not_found "$(curl -sS "$couchd_url/p/a" | jq -r .error)" || return
		is 2 "$(curl -sS "$couchd_url/p/_all_docs" | jq '.rows | length')" || return
		kill_couchd
		start_couchd --data "$work/purge" || return
	done
	end_couchd
}
ok 'purged revisions are gone, and stay gone' purged
script_file() {
	echo '[{"prefix":"/","action":"status","status":500}]' >"$work/script"
	start_live --script "$work/script" || return
	is 500 "$(get / -o /dev/null -w '%{http_code}')"
	is 200 "$(get / -o /dev/null -w '%{http_code}')"
	end_couchd
}
ok 'rules from a file' script_file
refused_start() { # refused_start STATUS TEXT OPTIONS...
	wanted=$1
	text=$2
	shift 2
	timeout 60 "$top_builddir/tests/server/couchd" "$@" >"$work/err" 2>&1
	is "$wanted" $? && grep -q -e "$text" "$work/err"
}
echo 'no feed' >"$work/nofeed"
ok 'an unknown option is refused' refused_start 2 usage --colour
ok 'a user without a password is refused' refused_start 2 password --user x
ok 'a port that is none is refused' refused_start 2 port --port 70000
ok 'a feed that is none is refused' refused_start 2 'no row of a changes feed' --load "$work/nofeed" --load-db x
ok 'a feed that is not there is refused' refused_start 2 none.json --load "$work/none.json" --load-db x
ok 'recordings that are not there are refused' refused_start 2 nodir --replay "$work/nodir"
ok 'a script that is not there is refused' refused_start 2 noscript --script "$work/noscript"
ok 'a data directory that cannot be is refused' refused_start 5 nofeed --data "$work/nofeed/data"

echo "1..$n"
