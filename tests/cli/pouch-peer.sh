#!/bin/sh
# The PouchDB peer: installed by the lock file below the build tree, answers as the kind of source that settle must also read (numbers for
# sequences, no pending), and takes the demo domain.
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
. "$top_srcdir/tests/server/pouch.sh"
work=$(mktemp -d) || exit 99
trap 'stop_pouch; rm -rf "$work"' EXIT
n=0

ok() { # ok NAME COMMAND...
	n=$((n + 1))
	name=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$work/out" | head -40
	fi
}

is() { # is WANTED GOT
	[ "$1" = "$2" ] && return
	printf 'wanted: %s\ngot:    %s\n' "$1" "$2"
	return 1
}

get() {
	curl -sS --max-time 60 "$pouch_url$1"
}

lock_is_clean() {
	test -s "$top_srcdir/tests/server/pouch/package-lock.json" &&
		! grep -q -e '"resolved"' -e '://' "$top_srcdir/tests/server/pouch/package-lock.json"
}
ok 'the lock file records no addresses' lock_is_clean
ok 'it is installed' install_pouch
nothing_left() {
	test -d "$pouch_dir/node_modules/pouchdb-core" && test ! -e "$pouch_dir/cache"
}
ok 'the packages are there, their cache is not' nothing_left
ok 'it starts' start_pouch
ok 'it takes the demo domain' load_pouch "$top_srcdir/fixtures/demo/demo.json.gz" demo
documents_are_there() {
	live=$(gzip -dc "$top_srcdir/fixtures/demo/demo.json.gz" | grep '"doc":' | grep -vc '"deleted":true')
	is "$live" "$(get /demo | jq .doc_count)"
}
ok 'every document is there' documents_are_there
numbers() {
	get '/demo/_changes?limit=1&include_docs=true' >"$work/feed"
	is 'number number null' "$(jq -r '[(.results[0].seq | type), (.last_seq | type), (.pending | tostring)] | join(" ")' "$work/feed")"
}
ok 'its sequences are numbers, and nothing is said to be pending' numbers
ok 'a database that is there is not filled twice' sh -c '! node "$1" "$2" "$3" 2>/dev/null' - \
	"$top_srcdir/tests/server/pouch/load.js" "$top_srcdir/fixtures/demo/demo.json.gz" "${pouch_url:-none}/demo"
echo "1..$n"
