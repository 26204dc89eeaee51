#!/bin/sh
# Cases that only SQL has: `migrate --forms=missing` asks the source for them and for their forms. On SQLite and PostgreSQL.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
trap 'stop_pg; rm -rf "$work"' EXIT

SETTLE_SOURCE=file:$work/feed.ndjson
export SETTLE_SOURCE SETTLE_TARGET SETTLE_STATE_DIR

row() { # row ID KIND FURTHER
	printf '{"seq":"%s","id":"%s","changes":[{"rev":"1-a"}],"doc":{"_id":"%s","_rev":"1-a","domain":"d","doc_type":"%s",%s}}\n' "$1" "$1" "$1" "$2" "$3"
}

form() { # form ID KIND CASE DAY [FURTHER]
	row "$1" "$2" "\"received_on\":\"2020-01-$4T00:00:00.000000Z\",\"form\":{${5:-}\"case\":{\"@case_id\":\"$3\",\"@date_modified\":\"2020-01-$4T00:00:00.000000Z\",\"@user_id\":\"u\",\"@xmlns\":\"http://commcarehq.org/case/transaction/v2\",\"create\":{\"case_type\":\"t\",\"case_name\":\"$1\",\"owner_id\":\"o\"},\"update\":{\"day\":\"$4\"}}}"
}

couch_case() { # couch_case ID FORM DAY: as that one form made it
	date="\"2020-01-$3T00:00:00.000000Z\""
	row "$1" CommCareCase "\"type\":\"t\",\"name\":\"$2\",\"owner_id\":\"o\",\"user_id\":\"u\",\"opened_by\":\"u\",\"opened_on\":$date,\"modified_on\":$date,\"server_modified_on\":$date,\"closed\":false,\"closed_on\":null,\"closed_by\":\"\",\"external_id\":null,\"day\":\"$3\",\"xform_ids\":[\"$2\"],\"actions\":[],\"indices\":[]"
}

all_forms() {
	form f1 XFormInstance remains 01
	form f2 XFormInstance gone 02
	form f3 XFormInstance archived 03
	form f4 XFormInstance half 04
	form f5 XFormInstance half 05
	form f6 XFormInstance known 06
	form f7 XFormInstance large 07
}

# cases: each with whether it is deleted, its name and how many transactions it has
cases() {
	query "SELECT case_id || ' ' || CASE WHEN deleted THEN 'deleted' ELSE 'there' END || ' ' || COALESCE(name, '-') || ' ' ||
		(SELECT count(*) FROM case_transactions t WHERE t.case_id = c.case_id) FROM cases c ORDER BY 1"
}

rows() {
	for table in forms cases case_transactions; do
		query "SELECT * FROM $table ORDER BY 1, 2, 3, 4"
	done
}

diffs() { # "KIND id" of all that differ
	run diff show d --format json
	sed 's/^{"kind":"\([^"]*\)","id":"\([^"]*\)".*/\1 \2/' "$work/out"
}

check_target() { # check_target NAME; SETTLE_TARGET is set
	way=$1
	SETTLE_STATE_DIR=$work/state-$way
	all_forms >"$work/feed.ndjson"
	exits 1 "$way: forms whose cases Couch does not have" migrate d
	ok "$way: are there" same "$(cases)" "$(printf 'archived there f3 1\ngone there f2 1\nhalf there f5 2\nknown there f6 1\nlarge there f7 1\nremains there f1 1')"
	ok "$way: and differ" same "$(diffs)" "$(printf 'CommCareCase %s\n' archived gone half known large remains)"

	{
		form f1 XFormInstance remains 01
		form f3 XFormArchived archived 03
		form f5 XFormInstance half 05
		form f6 XFormInstance known 06
		couch_case known f6 06
		form f7 XFormInstance large 07 "\"x\":\"$(printf '%3000s' '' | tr ' ' x)\","
	} >"$work/feed.ndjson"
	exits 1 "$way: --forms=missing" migrate d --forms=missing --max-doc 2K
	ok "$way: a form that is gone is named" says err "the source does not have this form of a case any more: deleted id=f2"
	ok "$way: one that is too large is not" not says err "deleted id=f7"
	ok "$way: what is left has forms that the source has, and is deleted" same "$(cases)" \
		"$(printf 'archived deleted - 0\ngone deleted - 0\nhalf deleted f5 1\nknown there f6 1\nlarge deleted f7 1\nremains deleted f1 1')"
	ok "$way: forms that are gone are deleted" same "$(query "SELECT form_id FROM forms WHERE deleted ORDER BY 1")" "$(printf 'f2\nf4')"
	ok "$way: what remains differs as a deleted case" same "$(diffs)" "$(printf 'CommCareCase-Deleted %s\n' half large remains)"
	ok "$way: in the same way" says out '"diffs":[{"type":"missing","path":["*"],"new":"present"}]'
	run stats d --format json
	ok "$way: it is no document of the source" says out '{"kind":"CommCareCase-Deleted","docs":0,"diffs":3,"missing":0,"changes":0}'
	rows >"$work/$way.once"
	exits 1 "$way: --forms=missing again" migrate d --forms=missing --max-doc 2K
	rows >"$work/$way.twice"
	ok "$way: changes nothing" cmp "$work/$way.once" "$work/$way.twice"
	exits 1 "$way: the cases compared again" diff cases d
	ok "$way: say the same" same "$(diffs)" "$(printf 'CommCareCase-Deleted %s\n' half large remains)"

	rm -rf "$SETTLE_STATE_DIR"
	exits 1 "$way: a lost state directory is rebuilt" migrate d --rebuild-state
	ok "$way: and knows what was marked" same "$(diffs)" "$(printf 'CommCareCase-Deleted %s\n' half large remains)"
	ok "$way: they are still deleted" same "$(cases)" \
		"$(printf 'archived deleted - 0\ngone deleted - 0\nhalf deleted f5 1\nknown there f6 1\nlarge deleted f7 1\nremains deleted f1 1')"

	{
		cat "$work/feed.ndjson"
		couch_case remains f1 01
		printf '{"seq":"x","id":"half","changes":[{"rev":"2-b"}],"deleted":true}\n'
	} >"$work/more.ndjson"
	mv "$work/more.ndjson" "$work/feed.ndjson"
	exits 1 "$way: Couch has one of them by now, and deleted another" migrate d
	ok "$way: the one is a case like any other, the other one deleted in both" same "$(cases | sed -n '3p;6p')" "$(printf 'half deleted f5 1\nremains there f1 1')"
	ok "$way: neither differs any more" same "$(diffs)" "CommCareCase-Deleted large"
	exits 1 "$way: --forms=ID" migrate d --forms=f1
	ok "$way: says what was there already" says err "already migrated: f1"
}

# Forms may use any id as a case's, also one that the source has for something else.
check_other_kind() {
	SETTLE_STATE_DIR=$work/state-other SETTLE_TARGET=sqlite:$work/other.db
	form own XFormInstance own 01 >"$work/feed.ndjson"
	form f1 XFormInstance thing 02 >>"$work/feed.ndjson"
	row thing Thing '"size":1' >>"$work/feed.ndjson"
	exits 1 "cases with the id of a form, and of a plain document" migrate d
	diffs >"$work/differs"
	ok "only SQL has them" same "$(cat "$work/differs")" "$(printf 'CommCareCase own\nCommCareCase thing')"
	exits 1 "the same command again" migrate d
	ok "says the same" same "$(diffs)" "$(cat "$work/differs")"
	sed 's/"size":1/"size":2/; s/"1-a"\(.*"size"\)/"2-a"\1/; s/"_rev":"1-a"\(.*"size"\)/"_rev":"2-a"\1/' "$work/feed.ndjson" >"$work/more.ndjson"
	mv "$work/more.ndjson" "$work/feed.ndjson"
	exits 1 "the plain document has changed" migrate d
	ok "it was written" says out 'written 1 + unchanged 2'
	ok "the cases differ as before" same "$(diffs)" "$(cat "$work/differs")"
	exits 1 "rules of now" diff filter d
	ok "leave them, too" same "$(diffs)" "$(cat "$work/differs")"
	ok "nothing waits to be compared" test "$("$settle" stats d --format json | grep -c '"pending":0')" = 1
	run diff forms d
	exits 1 "forms compared again, and cases" diff cases d
	ok "still say the same" same "$(diffs)" "$(cat "$work/differs")"
	form own XFormArchived own 01 | sed 's/"1-a"/"2-a"/g' >"$work/feed.ndjson"
	run migrate d
	ok "the case leaves with its form" same "$(diffs)" "CommCareCase thing"
	run stats d --format json
	ok "whose document is counted as what it is" says out '{"kind":"XFormArchived","docs":1,'
}

check_other_kind
SETTLE_TARGET=sqlite:$work/t.db
check_target sqlite
start_pg || exit 99
create_pg_database only || exit 99
SETTLE_TARGET=$(pg_url only)
check_target pg
finish
