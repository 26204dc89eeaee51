#!/bin/sh
# Many domains, one after another.
. "$top_srcdir/tests/cli/lib.sh"
SETTLE_STATE_DIR=$work/state SETTLE_TARGET=sqlite:$work/t.db SETTLE_SOURCE=file:$work/feed.ndjson
export SETTLE_STATE_DIR SETTLE_TARGET SETTLE_SOURCE

form() { # form ID DOMAIN [USER]: with USER a form that differs in its user
	printf '{"seq":"%s-x","id":"%s","changes":[{"rev":"1-a"}],"doc":{"_id":"%s","_rev":"1-a","doc_type":"XFormInstance","domain":"%s"%s,"form":{"meta":{"userID":"u"}}}}\n' \
		"$1" "$1" "$1" "$2" "${3:+,\"user_id\":\"$3\"}"
}

{
	form 1 good
	form 2 bad other
	form 3 fine
} >"$work/feed.ndjson"
printf '# three domains\ngood\n\nbad \nfine\n' >"$work/domains"

exits 1 "one domain is not clean, so the exit code is 1" multi "$work/domains" --format json
ok "clean ones are committed" says out '{"domain":"good","outcome":"committed","clean":true,"docs":1'
ok "the one that differs is reset" says out '{"domain":"bad","outcome":"has diffs: reset","clean":false,"docs":1,"diffs":1'
ok "and does not stop the others" says out '{"domain":"fine","outcome":"committed"'
run stats bad --format json
ok "reset means not started" says out '"status":"not-started"'
exits 0 "domains on the command line; what is complete is skipped" multi :good:fine
ok "complete ones are named" says out "good: already migrated"
ok "all is well is said" says out "All migrations successful!"

exits 1 "live: not clean, exit code 1" multi :bad --live
ok "live: left live" says out "bad: live, not clean"
run stats bad --format json
ok "live: status" says out '"status":"live"'
exits 1 "begun before: not touched" multi :bad
ok "begun before: says so" says out "bad: migration is in progress"
exits 1 "--resume goes on" multi :bad --live --resume
ok "--resume: still live" says out "bad: live, not clean"
exits 2 "--resume needs --live" multi :bad --resume

exits 1 "a domain without documents is not clean" multi :typo
ok "no documents: reset, not committed" says out "typo: has no documents: reset"
ok "no documents: that is no success" says out "Not all migrations ended clean."
run stats typo --format json
ok "no documents: status" says out '"status":"not-started"'
exits 1 "nor is it with --live" multi :typo --live
ok "no documents: left live" says out "typo: live, not clean"
exits 1 "nor after another catch up" multi :typo --live --resume
exits 2 "a list without a domain" multi ::
exits 2 "a file that is not there" multi "$work/none"
finish
