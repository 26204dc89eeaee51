#!/bin/sh
# Patch forms that were planned for a case which has changed before they came into SQL: withdrawn, from the trail too. The
# pass is broken off between the trail's commit and SQL by a trigger that lets no patch form in.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT

domain=demo-clinic
export source=file:$top_srcdir/fixtures/demo/demo.json.gz

shut_out() {
	case $target in
	sqlite:*) query "CREATE TRIGGER no_patches BEFORE INSERT ON form_operations WHEN NEW.operation = 'Couch to SQL case patch' BEGIN SELECT RAISE(ABORT, 'no patches'); END" ;;
	*)
		query "CREATE FUNCTION no_patches() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.operation = ''Couch to SQL case patch'' THEN RAISE EXCEPTION ''no patches''; END IF; RETURN NEW; END'"
		query "CREATE TRIGGER no_patches BEFORE INSERT ON form_operations FOR EACH ROW EXECUTE FUNCTION no_patches()"
		;;
	esac
}

let_in() {
	case $target in
	sqlite:*) query "DROP TRIGGER no_patches" ;;
	*) query "DROP TRIGGER no_patches ON form_operations" ;;
	esac
}

settled() {
	run "$@" -t "$target" --state-dir "$state"
}

# A case of several forms that a patch form was planned for.
planned_case() {
	git clone -q "$state/audit.git" "$work/planned-$way"
	query "SELECT case_id FROM case_transactions GROUP BY case_id HAVING count(*) > 2 ORDER BY case_id" | while read -r id; do
		grep -rqF "\"id\": \"$id\"" "$work/planned-$way/patches" && echo "$id" && break
	done
}

stale() { # NAME
	settled migrate $domain -s "$source" -q
	ok "$1: migrated" test "$status" -eq 1
	shut_out
	settled migrate $domain -s "$source" --patch
	ok "$1: SQL takes no patch forms" test "$status" -eq 4
	ok "$1: they are in the trail" test "$(git -C "$state/audit.git" ls-tree -r --name-only $domain | grep -c '\.xml$')" -gt 80
	settled patch list $domain
	ok "$1: and not in SQL" silent out
	let_in
	# one of the cases loses a form, behind settle's back
	victim=$(planned_case)
	ok "$1: there is a case to change" test -n "$victim"
	query "DELETE FROM case_transactions WHERE case_id = '$victim' AND form_id = (SELECT max(form_id) FROM case_transactions WHERE case_id = '$victim')"
	settled migrate $domain -s "$source" --patch
	ok "$1: the next run comes to its end" test "$status" -eq 1
	ok "$1: naming what was withdrawn" grep -q "$victim has changed since its patch was planned: patch form [0-9a-f]* is withdrawn" "$work/err"
	form=$(sed -n "s/.*$victim has changed since its patch was planned: patch form \([0-9a-f]*\) is withdrawn.*/\1/p" "$work/err")
	ok "$1: and only that" test "$(grep -c 'is withdrawn' "$work/err")" -eq 1
	ok "$1: the form is no longer in the trail's tree" not sh -c "git -C '$state/audit.git' ls-tree -r --name-only $domain | grep -q '$form'"
	settled audit log $domain --format json
	ok "$1: an event says so" says out '"event":"withdraw"'
	ok "$1: naming form and case" sh -c "git -C '$state/audit.git' log -1 --grep 'Event: withdraw' --format=%B $domain | grep -qx '$form of $victim'"
	settled patch list $domain --format json
	ok "$1: the others came into SQL" test "$(wc -l <"$work/out")" -gt 80
	ok "$1: the withdrawn one did not" not says out "$form"
	settled audit verify $domain
	ok "$1: the trail is sound" test "$status" -eq 0
	settled stats $domain --format json
	ok "$1: nothing is left undone" says out '"pending":0'
	settled migrate $domain -s "$source" --patch
	ok "$1: another run withdraws nothing" not grep -q 'withdrawn' "$work/err"
	settled audit verify $domain
	ok "$1: and the trail stays sound" test "$status" -eq 0
}

start_pg || exit 99
create_pg_database stale || exit 99
db=stale
for way in sqlite pg; do
	state=$work/state-$way
	target=sqlite:$work/t.db
	[ $way = sqlite ] || target=$(pg_url $db)
	stale $way
done
finish
