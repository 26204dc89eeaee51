#!/bin/sh
# Whatever is altered behind settle's back, in SQL or in the audit trail, `audit verify` names it. On patched cases of the demo domain,
# with contents and with digests in the trail. (patch.sh alters rows of both targets, column by column.)
. "$top_srcdir/tests/cli/lib.sh"
trap 'rm -rf "$work"' EXIT

domain=demo-clinic
SETTLE_SOURCE=file:$top_srcdir/fixtures/demo/demo.json.gz
SETTLE_TARGET=sqlite:$work/t.db
SETTLE_STATE_DIR=$work/state
export SETTLE_SOURCE SETTLE_TARGET SETTLE_STATE_DIR
git=$work/state/audit.git

# keep, back: SQL and trail as they were
keep() {
	rm -rf "$work/kept"
	mkdir "$work/kept"
	query "PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
	cp -r "$work/t.db" "$git" "$work/kept/"
}
back() {
	rm -rf "$git" "$work"/t.db*
	cp -r "$work/kept/t.db" "$work/"
	cp -r "$work/kept/audit.git" "$work/state/"
}

# found NAME TEXT: verify tells it; then everything is put back
found() {
	run audit verify $domain
	ok "$1: exit code 1" test "$status" -eq 1
	ok "$1: named: $2" says out "$2"
	back
}

object() { # object NAME: the file of a loose object
	echo "$git/objects/$(git -C "$git" rev-parse "$1" | sed 's,..,&/,')"
}
commit_of() { # commit_of EVENT: the last one of that kind
	git -C "$git" log --format='%H %(trailers:key=Settle-Event,valueonly)' $domain | sed -n "s/^\([0-9a-f]*\) $1\$/\1/p" | head -n 1
}

run migrate $domain -q
run diff patch $domain --select CommCareCase
run diff patch $domain
ok "there are patch forms" test "$(query "SELECT count(*) FROM form_operations WHERE operation = 'Couch to SQL case patch'")" -gt 80
loosen "$git"
run audit verify $domain
ok "nothing altered, nothing found" test "$status" -eq 0
keep
form=$(query "SELECT min(form_id) FROM form_operations WHERE operation = 'Couch to SQL case patch'")
path=$(git -C "$git" ls-tree -r --name-only $domain | grep "$form.json")
patch=$(commit_of patch)

# ---- SQL ----

query "UPDATE forms SET body = replace(body, '\"@xmlns\"', '\"@xmlnt\"') WHERE form_id = '$form'"
found "a form's body" "forms: body of patch form $form is not what the trail says"
query "UPDATE forms SET body = replace(body, 'diff', 'duff') WHERE form_id = '$form'"
found "the diff block in a form's body" "forms: body of patch form $form is not what the trail says"
query "UPDATE attachments SET bytes = CAST(replace(CAST(bytes AS TEXT), 'diff', 'duff') AS BLOB) WHERE owner_id = '$form'"
found "a form's XML" "attachments: bytes of patch form $form is not what the trail says"
query "DELETE FROM forms WHERE form_id = '$form'"
found "a form that was deleted" "forms: patch form $form has 0 rows, the trail says 1"
for table in forms form_operations case_transactions; do
	query "DELETE FROM $table WHERE form_id = '$form'"
done
query "DELETE FROM attachments WHERE owner_id = '$form'"
found "a form that was deleted with all its rows" "forms: patch form $form has 0 rows, the trail says 1"
query "INSERT INTO form_operations SELECT domain, 'another', position, user_id, date, operation FROM form_operations WHERE form_id = '$form'"
found "a patch form that settle did not write" "form_operations: patch form another is not in the trail"
query "INSERT INTO case_transactions SELECT domain, case_id, 'another', position, server_date, original_server_date, kind, actions, raw FROM case_transactions WHERE form_id = '$form'"
found "a transaction of such a form" "case_transactions: patch form another is not in the trail"
query "UPDATE case_transactions SET actions = '[]' WHERE form_id = '$form'"
found "what a form did" "case_transactions: actions of patch form $form is not what the trail says"
case_id=$(query "SELECT case_id FROM case_transactions WHERE form_id = '$form'")
query "DELETE FROM cases WHERE case_id = '$case_id'"
found "a case that was deleted" "cases: patched case $case_id is not there"
query "UPDATE settle_migration SET trail_head = '0123456789012345678901234567890123456789'"
found "the head that SQL knows" "settle_migration.trail_head is 0123456789012345678901234567890123456789, which is not in refs/heads/$domain"
query "UPDATE settle_migration SET trail_head = NULL"
found "no head" "settle_migration.trail_head is empty"
query "UPDATE settle_migration SET trail_head = '$(git -C "$git" rev-parse $domain~1)'"
found "an earlier head" "refs/heads/$domain is 1 commits beyond settle_migration.trail_head"

# ---- the trail ----

cp "$(object "$domain:profile.json")" "$(object "$domain:$path")"
found "a blob" "$path: "
rm "$(object "$domain:$path")"
found "a blob that is gone" "$path: "
rm "$(object "$domain:$(dirname "$path")")"
found "a directory that is gone" "$(dirname "$path"): "
cp "$(object "$domain:profile.json")" "$(object "$patch~1:stats.json")"
found "a blob of an earlier commit" "commit $(git -C "$work/kept/audit.git" rev-parse "$patch~1"): stats.json: "
rm "$(object "$patch")"
found "a commit that is gone" "commit $patch: "
rm "$(object "$domain")"
found "the last commit" "$(git -C "$work/kept/audit.git" rev-parse $domain)"
git -C "$git" update-ref refs/heads/$domain "$patch~1"
found "a branch that was put back" "settle_migration.trail_head is $(git -C "$work/kept/audit.git" rev-parse $domain), which is not in refs/heads/$domain"

# rewrite FILTER: the history since the patch pass, with other messages, dates or files
rewrite() {
	rm -rf "$work/rewriting"
	git clone -q -b $domain "$git" "$work/rewriting"
	git -C "$work/rewriting" -c user.name=x -c user.email=x@y -c advice.setUpstreamFailure=false filter-branch -f "$@" -- --all >/dev/null 2>&1
	git -C "$git" fetch -q -f "$work/rewriting" "$domain:$domain"
}
FILTER_BRANCH_SQUELCH_WARNING=1
export FILTER_BRANCH_SQUELCH_WARNING
head=$(git -C "$git" rev-parse $domain)
rewrite --msg-filter 'sed s/patch/hatch/'
found "messages that were rewritten" "settle_migration.trail_head is $head, which is not in refs/heads/$domain"
rewrite --index-filter "git rm -q --cached --ignore-unmatch $path ${path%.json}.xml"
git -C "$git" rev-parse $domain >"$work/head"
query "UPDATE settle_migration SET trail_head = '$(cat "$work/head")'"
found "a form taken out of the trail, with SQL's head made to fit" "form_operations: patch form $form is not in the trail"
rewrite --tree-filter "sed -i 's/\"received_on\": \"20/\"received_on\": \"19/' $path 2>/dev/null; sed -i s/diff/duff/ ${path%.json}.xml 2>/dev/null; true"
query "UPDATE settle_migration SET trail_head = '$(git -C "$git" rev-parse $domain)'"
found "a form changed in the trail, with SQL's head made to fit" "patch form $form: its XML is not the one of its digest"
head -c 9000000 /dev/zero >"$work/accepted"
rewrite --index-filter "git update-index --add --cacheinfo 100644,\$(git hash-object -w '$work/accepted'),accepted/0"
query "UPDATE settle_migration SET trail_head = '$(git -C "$git" rev-parse $domain)'"
run audit verify $domain
ok "other files before the patch forms, of any size: every form is looked at" test "$status" -eq 0
back

escape=$(printf '\033')
# commit_files PATH...: the branch goes on by a commit with these files, which hold { and what clears a terminal, as its message does, made in
# the year 3168808
commit_files() {
	GIT_INDEX_FILE=$work/index
	export GIT_INDEX_FILE
	git -C "$git" read-tree $domain
	for file; do
		git -C "$git" update-index --add --cacheinfo "100644,$(echo "{$escape[2J" | git -C "$git" hash-object -w --stdin),$file"
	done
	git -C "$git" log -1 --format=%B $domain | sed "1s/^/$escape[2J/" | GIT_AUTHOR_DATE='@100000000000000 +0000' GIT_COMMITTER_DATE='@100000000000000 +0000' \
		git -C "$git" -c user.name=x -c user.email=x@y commit-tree -p $domain "$(git -C "$git" write-tree)" >"$work/head"
	unset GIT_INDEX_FILE
	git -C "$git" update-ref refs/heads/$domain "$(cat "$work/head")"
	query "UPDATE settle_migration SET trail_head = '$(cat "$work/head")'"
}
commit_files 'patches/%0/0x/%00x.json' 'patches/%F/Fx/%FFx.xml' patches/no/fo/noform.json
run audit log $domain
ok "a commit of no time" test "$(head -n 1 "$work/out" | cut -c 13-19)" = '  Z  x '
run audit show $domain "$(cat "$work/head")"
ok "a message is shown, and obeyed by no terminal" not grep "$escape" "$work/out"
ok "in its lines" grep -q '^Settle-Event: patch$' "$work/out"
run audit show $domain noform
ok "nor is a file of the trail" same "$(cat "$work/out")" "$(printf '{\357\277\275[2J\n')"
run audit show $domain noform --format json
ok "a file that is no JSON: show ends" test "$status" -eq 5
ok "and names it" says err 'patches/no/fo/noform.json: '
run audit verify $domain
ok "forms whose ids are no texts" says out 'patches/%0/0x/%00x.json: it is no file of the trail'
ok "neither those of XML files" says out 'patches/%F/Fx/%FFx.xml: it is no file of the trail'
found "and a form's file that is no JSON" 'patches/no/fo/noform.json: '
sed -i 's/x/y/' "$git/refs/heads/$domain" 2>/dev/null
printf 'no commit\n' >"$git/refs/heads/$domain"
found "a ref that is none" "settle_migration.trail_head is $head"

# another domain's history under this name
printf '{"seq":1,"id":"a","changes":[{"rev":"1-a"}],"doc":{"_id":"a","_rev":"1-a","doc_type":"XFormInstance","domain":"other","form":{}}}\n' >"$work/other.ndjson"
run migrate other -s "file:$work/other.ndjson" -t "sqlite:$work/other.db"
keep
git -C "$git" update-ref refs/heads/$domain refs/heads/other
found "another domain's history" "it is not of this domain"
tree=$(git -C "$git" rev-parse "$domain^{tree}")
foreign=$(git -C "$git" -c user.name=x -c user.email=x@y commit-tree -m 'from nowhere' "$tree")
git -C "$git" update-ref refs/heads/$domain "$foreign"
query "UPDATE settle_migration SET trail_head = '$foreign'"
found "a history from nowhere, with SQL's head made to fit" "commit $foreign: it is no event of settle"
merge=$(git -C "$git" -c user.name=x -c user.email=x@y commit-tree -p $domain -p other -m 'two' "$tree")
git -C "$git" update-ref refs/heads/$domain "$merge"
found "two histories in one" "commit $merge: it has 2 parents, a trail is one chain"

# ---- digests in the trail: the diff blocks are SQL's ----

SETTLE_TARGET=sqlite:$work/digest.db
SETTLE_STATE_DIR=$work/digest
git=$work/digest/audit.git
run migrate $domain -q
run diff patch $domain --audit-content digest
run audit verify $domain --format json
ok "digests: the trail is sound" test "$status" -eq 0
n=$(sqlite3 "$work/digest.db" "SELECT count(*) FROM form_operations WHERE operation = 'Couch to SQL case patch'")
ok "digests: every block was undone from SQL, and that is told" says out "\"reconstructed\":{\"from_trail\":0,\"from_sql\":$n,\"untold\":0}"
form=$(sqlite3 "$work/digest.db" "SELECT min(form_id) FROM form_operations WHERE operation = 'Couch to SQL case patch'")
case_id=$(sqlite3 "$work/digest.db" "SELECT case_id FROM case_transactions WHERE form_id = '$form'")
sqlite3 "$work/digest.db" "CREATE TABLE kept AS SELECT * FROM attachments WHERE owner_id = '$form'" \
	"UPDATE attachments SET bytes = CAST(replace(CAST(bytes AS TEXT), 'diff', 'duff') AS BLOB) WHERE owner_id = '$form'"
run audit verify $domain
ok "digests: a diff block that was altered in SQL" says out "patch form $form: its XML is not the one of its digest"
sqlite3 "$work/digest.db" "DELETE FROM attachments WHERE owner_id = '$form'"
run audit verify $domain
ok "digests: a form whose XML is gone" says out "patch form $form: its XML is neither in the trail nor in SQL"
sqlite3 "$work/digest.db" "INSERT INTO attachments SELECT * FROM kept"
run audit verify $domain
ok "digests: put back, it is sound again" test "$status" -eq 0

# A form that is older than a patch comes after it: what the case was after the patch is not known any more.
feed_of() { # feed_of FORMS...: forms, and a case that differs
	for id; do
		printf '{"seq":1,"id":"%s","changes":[{"rev":"1-a"}],"doc":{"_id":"%s","_rev":"1-a","doc_type":"XFormInstance","domain":"d","received_on":"2020-01-0%sT00:00:00Z","form":{"case":{"@case_id":"c","@date_modified":"2020-01-01T00:00:00Z","@user_id":"u","update":{"p%s":"x"},"create":{"case_type":"t","case_name":"n","owner_id":"o"}}}}}\n' \
			"$id" "$id" "${id#f}" "$id"
	done
	printf '{"seq":9,"id":"c","changes":[{"rev":"1-a"}],"doc":{"_id":"c","_rev":"1-a","doc_type":"CommCareCase","domain":"d","type":"t","name":"n","owner_id":"o","user_id":"u","opened_by":"u","opened_on":"2020-01-01T00:00:00Z","modified_on":"2020-01-01T00:00:00Z","closed":false,"remark":"by hand","xform_ids":["f2"],"actions":[{"action_type":"create","xform_id":"f2","server_date":"2020-01-02T00:00:00Z"}],"indices":[]}}\n'
}
SETTLE_TARGET=sqlite:$work/late.db
SETTLE_STATE_DIR=$work/late
SETTLE_SOURCE=file:$work/late.ndjson
feed_of f2 >"$work/late.ndjson"
run migrate d -q
exits 0 "late: patched" diff patch d --audit-content digest
run audit verify d
ok "late: the block is undone from SQL" says out "0 with the trail's documents, 1 with SQL's"
feed_of f1 f2 >"$work/late.ndjson"
run migrate d -q
run audit verify d -v
ok "late: nothing is wrong" test "$status" -eq 0
ok "late: but whether the block leads back cannot be told, and that is told" says out 'diff blocks of which that cannot be told, as the trail keeps digests only: 1'
ok "late: with the form and the reason" grep -qE 'whether patch form [0-9a-f]{32} can be undone cannot be told: its case has changed' "$work/err"
run audit verify d --format json
ok "late: to programs too" says out '"reconstructed":{"from_trail":0,"from_sql":0,"untold":1}'
finish
