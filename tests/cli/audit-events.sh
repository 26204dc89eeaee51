#!/bin/sh
# Every event of a migration leaves one commit in the audit trail: readable by people, with trailers for programs. A live
# migration of the stand-in from its first run to its commit, and what else there is.
# shellcheck disable=SC2016 # what sh -c is given
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; rm -rf "$work"' EXIT

SETTLE_STATE_DIR=$work/state
SETTLE_TARGET=sqlite:$work/t.db
export SETTLE_STATE_DIR SETTLE_TARGET
git=$work/state/audit.git
git_author

form() { # form SEQ ID CASE FIELDS: a line of a recorded feed
	printf '{"seq":%s,"id":"%s","changes":[{"rev":"1-a"}],"doc":{"_id":"%s","_rev":"1-a","doc_type":"XFormInstance","domain":"d","received_on":"2020-01-01T00:00:00Z",%s"form":{"case":{"@case_id":"%s","@date_modified":"2020-01-01T00:00:00Z","@user_id":"u","create":{"case_type":"t","case_name":"n","owner_id":"o"}}}}}\n' \
		"$1" "$2" "$2" "$4" "$3"
}
case_of() { # case_of SEQ ID FORM FIELDS
	printf '{"seq":%s,"id":"%s","changes":[{"rev":"1-a"}],"doc":{"_id":"%s","_rev":"1-a","doc_type":"CommCareCase","domain":"d","type":"t","name":"n","owner_id":"o","user_id":"u","opened_by":"u","opened_on":"2020-01-01T00:00:00Z","modified_on":"2020-01-01T00:00:00Z","closed":false,%s"xform_ids":["%s"],"actions":[{"action_type":"create","xform_id":"%s","server_date":"2020-01-01T00:00:00Z"}],"indices":[]}}\n' \
		"$1" "$2" "$2" "$4" "$3" "$3"
}

events() { # the events so far, the last one first
	run audit log d --format json
	sed 's/.*"event":"//; s/".*//' "$work/out" | tr '\n' ' '
}

trailer() { # trailer KEY [COMMIT]
	git -C "$git" log -1 --format="%(trailers:key=Settle-$1,valueonly)" "${2:-d}" | head -n 1
}

# told NAME EVENT SUBJECT: the last event
told() {
	ok "$1: an event" test "$(trailer Event)" = "$2"
	ok "$1: readable by people" test "$(git -C "$git" log -1 --format=%s d)" = "$3"
	for key in Domain Status Profile Rules Target Version; do
		ok "$1: trailer $key" test -n "$(trailer $key)"
	done
	ok "$1: by whoever did it" test "$(git -C "$git" log -1 --format=%an d)" = 'Ann Auditor'
	run audit verify d
	ok "$1: the trail is sound" test "$status" -eq 0
}

{ form 1 f1 c1 '"extra":1,'; case_of 2 c1 f1 '"remark":"by hand",'; form 3 f2 c2 ''; case_of 4 c2 f2 ''; } >"$work/feed.ndjson"
start_couchd --load "$work/feed.ndjson" --load-db notes || exit 99
SETTLE_SOURCE=$couchd_url/notes
export SETTLE_SOURCE

# ---- a migration ----

exits 1 "the first run" migrate d --live
ok "is told when it begins and when it ends" test "$(events)" = "end start "
told "end" end "migrated: 4 written, 0 unchanged, 0 deleted, 0 rejected"
ok "end: how many were written" test "$(trailer Written)" = 4
ok "start: status" test "$(trailer Status d~1)" = live
exits 1 "nothing new" migrate d --live
ok "is no event" test "$(events)" = "end start "
curl -s -X PUT -d '{"_id":"f3","doc_type":"XFormInstance","domain":"d","received_on":"2020-01-02T00:00:00Z","form":{}}' "$couchd_url/notes/f3" >/dev/null
curl -s -X PUT -d '{"_rev":"1-a","doc_type":"XFormInstance","domain":"d","received_on":"2020-01-01T00:00:00Z","form":{"case":{"@case_id":"c2","@date_modified":"2020-01-01T00:00:00Z","@user_id":"u","create":{"case_type":"t","case_name":"n","owner_id":"o"}}}}' "$couchd_url/notes/f2" >/dev/null

printf 'f3\nf2\nnone\n' >"$work/ids"
cd "$work" || exit 99
exits 1 "forms given by hand" migrate d --forms=./ids
cd - >/dev/null || exit 99
ok "forms by hand: before and after" test "$(events)" = "end by-hand end start "
told "forms by hand" end "documents by id: 3 asked for, 2 there, 2 written, 0 unchanged, 0 rejected"
ok "forms by hand: how many were asked for" test "$(trailer Asked)" = 3
ok "forms by hand: subject" test "$(git -C "$git" log -1 --format=%s d~1)" = "3 documents asked for by id"
ok "forms by hand: how many" test "$(trailer Documents d~1)" = 3
ok "forms by hand: which" test "$(git -C "$git" show d~1:by-hand.json | jq -c .documents)" = '["f3","f2","none"]'
exits 1 "one more, which is there" migrate d --forms=f3
ok "forms by hand: what changed nothing is told as a decision alone" test "$(events)" = "by-hand end by-hand end start "
told "one form by hand" by-hand "1 document asked for by id"

edited_rules >"$work/rules.json"
run diff filter d --dry-run --profile "$work/rules.json"
ok "filter: looking tells" says out 'CommCareCase c1'
ok "filter: and is no event" test "$(git -C "$git" rev-list --count d)" = 5
run diff filter d --profile "$work/rules.json"
told filter filter 'edited rules applied: 2 documents compared, of 1 the differences are others'
ok "filter: how many" test "$(trailer Compared) $(trailer Changed)" = "2 1"
ok "filter: what was edited is seen" sh -c 'git -C "$1" show d -- profile.json | grep -q "^+.*remark"' sh "$git"
run diff filter d --profile "$work/rules.json"
ok "filter: twice is once" test "$(git -C "$git" rev-list --count d)" = 6
run diff filter d
ok "filter: back again" test "$(trailer Event)" = filter

exits 1 "rejects are tried again, there are none" rejects retry d
ok "retry: nothing changed, no event" test "$(trailer Event)" = filter
exits 1 "a patch pass" diff patch d --select c1
told patch patch 'patch pass: 1 document'
ok "patch: how many forms" test "$(trailer Forms)" = 1
exits 1 "the live phase ends" migrate d --finish --quiet-for 0.1
ok "finish" sh -c 'git -C "$1" log --format="%(trailers:key=Settle-Event,valueonly)" d | grep -q finish' sh "$git"
ok "finish: status" test "$(trailer Status)" = in-progress
exits 0 "back to the live phase" unfinish d
told unfinish unfinish 'back to the live phase'
ok "unfinish: status" test "$(trailer Status)" = live
exits 1 "and its end again" migrate d --finish --quiet-for 0.1
exits 0 "a snapshot" snapshot create --name before
ok "snapshot" test "$(trailer Event)" = snapshot
ok "snapshot: to people" test "$(git -C "$git" log -1 --format=%s d)" = 'snapshot before'
ok "snapshot: which" test -n "$(trailer Snapshot)"
exits 0 "restored" snapshot restore before -y
ok "restore" test "$(trailer Event)" = restore
run audit verify d
ok "restore: the trail is sound" test "$status" -eq 0
exits 0 "committed, differences accepted" commit d --accept-differences
told commit commit 'committed, differences accepted'
ok "commit: status" test "$(trailer Status)" = complete
ok "commit: how many differences were accepted" test "$(trailer Accepted)" = "$(git -C "$git" ls-tree -r --name-only d accepted | wc -l)"
ok "commit: and which" test "$(git -C "$git" ls-tree -r --name-only d accepted | wc -l)" -gt 0

# ---- another, clean, and its reset ----

SETTLE_SOURCE=file:$work/clean.ndjson
SETTLE_TARGET=sqlite:$work/clean.db
form 1 f1 c1 '' | sed 's/"domain":"d"/"domain":"e"/' >"$work/clean.ndjson"
printf '{"seq":2,"id":"bad","changes":[{"rev":"1-a"}],"doc":{"_rev":"1-a","doc_type":"XFormInstance","domain":"e"}}\n' >>"$work/clean.ndjson"
run migrate e
ok "a reject is kept" says out 'rejected 1'
exits 0 "reset" reset e --yes
ok "reset: to people" test "$(git -C "$git" log -1 --format=%s e)" = 'reset: rows and state go'
ok "reset: status" test "$(trailer Status e)" = not-started
run migrate e
ok "a migration that begins again" test "$(git -C "$git" log --format='%(trailers:key=Settle-Event,valueonly)' e | grep . | tr '\n' ' ')" = 'end start reset end start '

# ---- what people and stock git see ----

ok "git log -p is text from end to end" sh -c 'git -C "$1" log -p d >"$2" && ! grep -q "^Binary files" "$2" && grep -q "^+++ b/patches/.*[.]xml$" "$2" && grep -q "^    Settle-Event: patch" "$2"' sh "$git" "$work/log"
ok "a difference of two moments is a line" grep -q '^-  "status": "live",$' "$work/log"
ok "trailers are git's own" test "$(git -C "$git" log -1 --format=%B e | git interpret-trailers --parse | grep -c '^Settle-')" -ge 6
ok "git finds nothing wrong" sh -c 'git -C "$1" fsck --strict --no-dangling >"$2" 2>&1 && ! grep -v "^notice" "$2"' sh "$git" "$work/fsck"
ok "git can clone it" git clone -q "$git" "$work/clone"
ok "every event has its manual entry" sh -c 'git -C "$1" log --all --format="%(trailers:key=Settle-Event,valueonly)" | sort -u | grep . | while read -r event; do grep -q "^[.]It $event\$" "$2" || { echo "$event"; exit 1; }; done' sh "$git" "$top_srcdir/src/cmd/settle.1"
finish
