#!/bin/sh
# A target or a state file that was restored from an older copy is noticed and named, and both are made whole again from the source;
# what patch forms did is known after that as before. Into both targets.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; stop_pg; rm -rf "$work"' EXIT

domain=demo-clinic
git_author
start_couchd --load "$top_srcdir/fixtures/demo/demo.json.gz" --load-db demo || exit 99
SETTLE_SOURCE=$couchd_url/demo
export SETTLE_SOURCE

# keep_target, put_back_target NAME: the whole database; keep_state, put_back_state NAME: the state file
keep_target() {
	case $SETTLE_TARGET in
	sqlite:*) mkdir -p "$work/kept" && cp "$work/t.db" "$work/kept/$1.db" ;;
	*) copy_pg_database restored "kept_$1" ;;
	esac
}
put_back_target() {
	case $SETTLE_TARGET in
	sqlite:*) rm -f "$work"/t.db* && cp "$work/kept/$1.db" "$work/t.db" ;;
	*) dropdb --force restored && copy_pg_database "kept_$1" restored ;;
	esac
}
keep_state() {
	rm -rf "$work/kept/$1.state"
	mkdir -p "$work/kept" && cp -r "$SETTLE_STATE_DIR/domains" "$work/kept/$1.state"
}
put_back_state() {
	rm -rf "$SETTLE_STATE_DIR/domains" && cp -r "$work/kept/$1.state" "$SETTLE_STATE_DIR/domains"
}

# found NAME: what stats (but the work of the last pass), diff show and patch list tell, into NAME
found() {
	run stats $domain --format json
	jq -S '{status, clean, pending, kinds, ignored}' "$work/out" >"$work/$1"
	for what in '' --changes --patched; do
		run diff show $domain $what --format json
		sort "$work/out" >>"$work/$1"
	done
	run patch list $domain --format json
	sort "$work/out" >>"$work/$1"
}
apart() { # apart TEXT: stats say it
	run stats $domain --format json
	test "$status" -eq 0 && jq -e --arg text "$1" '.apart == $text and .clean == false' "$work/out"
}

# write REVISION-OF-THE-CASE: one more form for a case, as an application would write both
n=0
write() {
	n=$((n + 1))
	curl -sf -X PUT -d '{"doc_type":"XFormInstance","domain":"'$domain'","xmlns":"x","received_on":"2027-01-0'$n'T00:00:00.000000Z","form":{"#type":"data","@xmlns":"x","case":{"@case_id":"restored'$n'","@user_id":"u","@date_modified":"2027-01-0'$n'T00:00:00.000000Z","@xmlns":"http://commcarehq.org/case/transaction/v2","create":{"case_name":"Restored","case_type":"t","owner_id":"u"}},"meta":{"userID":"u","instanceID":"form'$n'"}}}' "$SETTLE_SOURCE/form$n" >/dev/null
}

restored() { # restored NAME
	exits 1 "$1: the first run" migrate $domain --live -q
	keep_target first
	keep_state first
	write
	exits 1 "$1: what came since, and a patch pass" migrate $domain --patch -q
	found before
	run patch list $domain --format json
	ok "$1: there are patch forms" test "$(wc -l <"$work/out")" -gt 80
	keep_target last
	keep_state last

	put_back_target first
	exits 5 "$1: an older target is refused" migrate $domain
	ok "$1: and named" says err "the target of $domain is older than its state file"
	ok "$1: with the way out" says err "--rebuild-state"
	ok "$1: stats say it too" apart 'the target is older than its state file'
	exits 5 "$1: nothing else is done with it" diff patch $domain
	exits 5 "$1: nor is it finished" migrate $domain --finish
	exits 1 "$1: --rebuild-state makes both whole" migrate $domain --rebuild-state
	ok "$1: and says what becomes of the state file" says err "is newer than its target: it is made anew"
	exits 1 "$1: patched anew" migrate $domain --patch -q
	exits 0 "$1: the trail is sound: forms that went with the target were withdrawn" audit verify $domain

	put_back_target last
	put_back_state first
	exits 5 "$1: an older state file is refused" migrate $domain
	ok "$1: and named" says err "the state file of $domain is older than its target"
	ok "$1: with the way out" says err "--rebuild-state"
	ok "$1: stats say it too" apart 'the state file is older than its target'
	put_back_state last
	exits 1 "$1: the state file of the same moment put back is gone on with" migrate $domain -q
	found after
	ok "$1: all is as before" cmp "$work/before" "$work/after"

	put_back_state first
	exits 1 "$1: --rebuild-state makes both whole" migrate $domain --rebuild-state
	found after
	ok "$1: all is found again, patched cases too" cmp "$work/before" "$work/after"
	exits 1 "$1: a second patch pass" migrate $domain --patch
	ok "$1: patches nothing" says err 'patched 0 documents'
	found after
	ok "$1: and leaves all as it was" cmp "$work/before" "$work/after"
	put_back_state first
	exits 0 "$1: a reset needs neither" reset $domain --yes
}

SETTLE_STATE_DIR=$work/state SETTLE_TARGET=sqlite:$work/t.db
export SETTLE_STATE_DIR SETTLE_TARGET
restored sqlite

start_pg || exit 99
create_pg_database restored || exit 99
SETTLE_STATE_DIR=$work/pg-state SETTLE_TARGET=$(pg_url restored)
restored pg
finish
