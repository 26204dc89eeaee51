#!/bin/sh
# Odd documents: what JSON can hold and SQL cannot, what is no document, attachments and conflicts. On SQLite and PostgreSQL.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
odd=$top_srcdir/fixtures/odd
trap 'stop_pg; rm -rf "$work"' EXIT

# migrate_odd NAME TARGET
migrate_odd() {
	way=$1
	target=$2
	run migrate odd -s "file:$odd/odd.ndjson" -t "$target" --state-dir "$work/state-$way"
	ok "$way: rejects keep the exit code at 1" test "$status" -eq 1
	ok "$way: each reject is named with its reason" says err "id=bad-escape"
	ok "$way: documents with duplicate keys are counted" says err "3 documents have a key twice"
	run stats odd -t "$target" --state-dir "$work/state-$way" --format json
	for c in read written unchanged deleted skipped rejected; do
		ok "$way: $c" test "$(member $c)" = "$(node -p "require('$odd/expected.json').$c")"
	done
	for then in "as migrated" "compared again"; do
		run stats odd -t "$target" --state-dir "$work/state-$way" --format json
		ok "$way: duplicate keys are known later, $then" test "$(member duplicate_keys) $(member ledgers)" = "3 0"
		run diff forms odd -s "file:$odd/odd.ndjson" -t "$target" --state-dir "$work/state-$way"
	done
	run stats odd -t "$target" --state-dir "$work/state-$way" --verbose
	ok "$way: and told" says out "key twice  3 (documents with a key twice"
	run diff show odd -t "$target" --state-dir "$work/state-$way" --format json
	ok "$way: everything that is stored compares clean" silent out
	run show odd num-1e400 -t "$target" --state-dir "$work/state-$way" --side sql --format json
	ok "$way: 1e400 comes back as it was" says out 1e400
	run show odd num-integers -t "$target" --state-dir "$work/state-$way" --side sql --format json
	ok "$way: 30 digits come back" says out '[123456789012345678901234567890,-123456789012345678901234567890,1234567890123456789012345678901234567890]'
	run show odd num-document -t "$target" --state-dir "$work/state-$way" --side sql --format json
	ok "$way: numbers of a plain document too" says out '[1e400,1e200000,1.10,123456789012345678901234567890]'
	run show odd surrogates -t "$target" --state-dir "$work/state-$way" --side sql --format json
	ok "$way: an unpaired surrogate comes back" says out '\ud800'
}

# ---- odd parts ----

node "$top_srcdir/tests/cli/odd-parts.js" write "$work/parts.ndjson" >"$work/parts" || exit 99

shows_part() { # shows_part ID: SQL says what Couch said
	run show parts "$1" -t "$target" --state-dir "$work/parts-$way" --side sql --format json
	node "$top_srcdir/tests/cli/odd-parts.js" check "$1" <"$work/out" || return 1
}

# migrate_parts NAME TARGET
migrate_parts() {
	way=$1
	target=$2
	exits 0 "$way: odd parts are stored, and nothing differs" migrate parts -s "file:$work/parts.ndjson" -t "$target" --state-dir "$work/parts-$way" --format json
	ok "$way: all of them" test "$(member written) $(member rejected)" = "$(wc -w <"$work/parts" | tr -d ' ') 0"
	for id in $(cat "$work/parts"); do
		ok "$way: $id comes back" shows_part "$id"
		: >"$work/out"
	done
	exits 0 "$way: and again, unchanged" migrate parts -s "file:$work/parts.ndjson" -t "$target" --state-dir "$work/parts-$way" --format json
	ok "$way: nothing is written" test "$(member written)" = 0
}

migrate_odd sqlite "sqlite:$work/odd.db"
migrate_parts sqlite "sqlite:$work/parts.db"
start_pg || exit 99
create_pg_database odd || exit 99
migrate_odd pg "$(pg_url odd)"
create_pg_database parts || exit 99
migrate_parts pg "$(pg_url parts)"

# Ids that cannot be keys, of documents that are not there or not this domain's: nothing to ask SQL for.
cat >"$work/gone.ndjson" <<'END'
{"seq":1,"id":"a","changes":[{"rev":"1-a"}],"doc":{"_id":"a","_rev":"1-a","doc_type":"Application","domain":"gone","_conflicts":["1-\u0000"]}}
{"seq":2,"id":"t\u0000","changes":[{"rev":"2-a"}],"deleted":true}
{"seq":3,"id":"t\ud800","changes":[{"rev":"2-a"}],"deleted":true}
{"seq":4,"id":"s\u0000","changes":[{"rev":"1-a"}],"doc":{"_id":"s\u0000","_rev":"1-a","doc_type":"Application","domain":"other"}}
END
for way in first again; do
	run migrate gone -s "file:$work/gone.ndjson" -t "$(pg_url odd)" --state-dir "$work/state-gone" --format json
	ok "odd ids that are gone or another domain's: $way" test "$status" -eq 1
	ok "counted: $way" test "$(member deleted) $(member skipped) $(member rejected)" = "2 1 0"
done

# side_feed NAME COUNTER N: what is not brought over is counted and keeps the exit code at 1
side_feed() {
	run migrate odd -s "file:$odd/$1.ndjson" -t "sqlite:$work/$1.db" --state-dir "$work/state-$1" --format json
	ok "$1: not brought over, so exit code 1" test "$status" -eq 1
	ok "$1: counted" test "$(member "$2")" = "$3"
}

side_feed attachments attachments 7
side_feed conflicts conflicts 6
# Stock stays in the forms, and is counted (decision 24): not that of archived forms, and not the word alone.
cat >"$work/stock.ndjson" <<'END'
{"seq":1,"id":"a","changes":[{"rev":"1-a"}],"doc":{"_id":"a","_rev":"1-a","doc_type":"XFormInstance","domain":"stock","form":{"g":[{"balance":[{"@xmlns":"http:\/\/commcarehq.org/ledger/v1","@entity-id":"c"}]}]}}}
{"seq":2,"id":"b","changes":[{"rev":"1-a"}],"doc":{"_id":"b","_rev":"1-a","doc_type":"XFormArchived","domain":"stock","form":{"transfer":{"@xmlns":"http://commcarehq.org/ledger/v1"}}}}
{"seq":3,"id":"c","changes":[{"rev":"1-a"}],"doc":{"_id":"c","_rev":"1-a","doc_type":"XFormInstance","domain":"stock","form":{"note":"http://commcarehq.org/ledger/v1"}}}
{"seq":4,"id":"d","changes":[{"rev":"1-a"}],"doc":{"_id":"d","_rev":"1-a","doc_type":"XFormInstance","domain":"other","form":{"transfer":{"@xmlns":"http://commcarehq.org/ledger/v1"}}}}
END
exits 0 "stock: stored" migrate stock -s "file:$work/stock.ndjson" -t "sqlite:$work/stock.db" --state-dir "$work/stock"
ok "stock: forms that hold it are counted" says err '1 forms hold ledgers'
exits 0 "stock: known later" stats stock -t "sqlite:$work/stock.db" --state-dir "$work/stock" --verbose
ok "stock: and told" says out 'ledgers    1 (forms that hold stock'
sed -e 's/"1-a"/"2-a"/g' -e '1s/ledger//' "$work/stock.ndjson" >"$work/sold"
mv "$work/sold" "$work/stock.ndjson"
exits 0 "stock: a revision without it" migrate stock -s "file:$work/stock.ndjson" -t "sqlite:$work/stock.db" --state-dir "$work/stock" --format json
ok "stock: is counted no more" test "$(member ledgers)" = 0
finish
