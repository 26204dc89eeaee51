#!/bin/sh
# The states of a migration (DESIGN section 5): every pair of status and command, and a live migration from first pass to commit.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'test -z "${follower:-}" || kill -KILL "$follower" 2>/dev/null; stop_couchd; stop_pg; rm -rf "$work"' EXIT

SETTLE_STATE_DIR=$work/state
SETTLE_PROFILE=$work/notes.json
export SETTLE_STATE_DIR SETTLE_PROFILE
"$settle" profile show documents >"$work/notes.json"

# ---- every pair ----

printf '%s\n' '{"seq":1,"id":"a","changes":[{"rev":"1-a"}],"doc":{"_id":"a","_rev":"1-a","doc_type":"Note","text":"x"}}' >"$work/feed.ndjson"
SETTLE_SOURCE=file:$work/feed.ndjson
export SETTLE_SOURCE

# become STATUS: a fresh migration in that status
become() {
	rm -rf "$work/state" "$work"/t.db*
	SETTLE_TARGET=sqlite:$work/t.db
	export SETTLE_TARGET
	case $1 in
	not-started) ;;
	live) run migrate d --live ;;
	in-progress) run migrate d ;;
	was-live) run migrate d --live && run migrate d --finish --quiet-for 0.1 ;;
	complete) run migrate d && run commit d ;;
	esac
}

# pair FROM EXPECTED-EXIT EXPECTED-STATUS COMMAND...
pair() {
	from=$1
	wanted=$2
	leads=$3
	shift 3
	become "$from"
	run "$@"
	ok "$from: $*: exit code $wanted" test "$status" -eq "$wanted"
	if [ "$wanted" = 5 ]; then
		ok "$from: $*: names the status" says err "is ${leads}:"
		ok "$from: $*: says a way out" says err "hint:"
	fi
	ok "$from: $*: leads to $leads" test "$(status_of d)" = "$leads"
}

pair not-started 0 in-progress migrate d
pair not-started 0 live migrate d --live
pair not-started 0 live migrate d --follow
pair not-started 5 not-started migrate d --finish
pair not-started 5 not-started unfinish d
pair not-started 5 not-started commit d
pair not-started 5 not-started reset d --yes
pair live 0 live migrate d
pair live 0 live migrate d --live
pair live 0 in-progress migrate d --finish --quiet-for 0.1
pair live 5 live unfinish d
pair live 5 live commit d
pair live 0 not-started reset d --yes
pair in-progress 0 in-progress migrate d
pair in-progress 5 in-progress migrate d --live
pair in-progress 0 in-progress migrate d --finish --quiet-for 0.1
pair in-progress 5 in-progress unfinish d
pair was-live 0 live unfinish d
pair in-progress 0 complete commit d
pair in-progress 0 not-started reset d --yes
pair complete 5 complete migrate d
pair complete 5 complete migrate d --live
pair complete 5 complete migrate d --finish
pair complete 5 complete unfinish d
pair complete 5 complete commit d
pair complete 5 complete reset d --yes
pair complete 5 complete reset d

pair not-started 5 not-started migrate d --patch
pair not-started 5 not-started diff cases d
pair not-started 5 not-started diff forms d
pair not-started 5 not-started diff filter d
pair not-started 5 not-started diff patch d
pair not-started 5 not-started rejects retry d
for from in live in-progress; do
	pair $from 0 $from migrate d --patch
	pair $from 0 $from diff cases d
	pair $from 0 $from diff forms d
	pair $from 0 $from diff filter d
	pair $from 0 $from diff patch d
	pair $from 0 $from rejects retry d
done
for from in live in-progress was-live; do
	leads=$from
	[ $from != was-live ] || leads=in-progress
	pair $from 0 $leads migrate d --forms=missing
	pair $from 0 $leads migrate d --dry-run
done
pair was-live 0 in-progress migrate d
pair was-live 5 in-progress migrate d --live
pair was-live 0 in-progress migrate d --finish --quiet-for 0.1
pair was-live 0 complete commit d
pair was-live 0 not-started reset d --yes
pair live 0 live migrate d --follow
pair in-progress 5 in-progress migrate d --follow
pair not-started 5 not-started migrate d --forms=missing
pair complete 5 complete migrate d --forms=missing
pair complete 5 complete migrate d --follow
pair complete 5 complete migrate d --patch
pair complete 0 complete diff cases d
pair complete 0 complete diff forms d
pair complete 5 complete diff filter d
pair complete 5 complete diff patch d
pair complete 5 complete rejects retry d

# ---- differences that are accepted ----

rm -rf "$work/state" "$work"/t.db*
printf '%s\n' '{"seq":1,"id":"f","changes":[{"rev":"1-a"}],"doc":{"_id":"f","_rev":"1-a","doc_type":"XFormInstance","domain":"d","user_id":"x","form":{"meta":{"userID":"u"}}}}' \
	'{"seq":2,"id":"bad","changes":[{"rev":"1-a"}],"doc":{"_id":"bad","_rev":"1-a","doc_type":"XFormInstance","domain":"d","form":{"case":{"@case_id":"c","@date_modified":"never"}}}}' >"$work/unclean.ndjson"
notes=$SETTLE_PROFILE
SETTLE_PROFILE=commcare SETTLE_SOURCE=file:$work/unclean.ndjson
exits 1 "a domain with a difference and a reject" migrate d
# As when a run was killed between the commit and the note of it.
sqlite3 "$work/t.db" "UPDATE settle_migration SET trail_head = '$(git --git-dir "$work/state/audit.git" rev-parse d~1)'"
exits 1 "a commit that SQL does not name is found" audit verify d
ok "and said" says out 'd is 1 commits beyond settle_migration.trail_head'
exits 1 "the next run has nothing new for the trail" migrate d
exits 0 "the next run notes the commit all the same" audit verify d
exits 5 "commit: refused while anything is left" commit d
exits 0 "commit --accept-differences" commit d --accept-differences
trail=$work/state/audit.git
ok "accepted: the difference is listed in the trail" git --git-dir "$trail" grep -q '"user_id"' d -- accepted
ok "accepted: the reject is listed in the trail" git --git-dir "$trail" grep -q '"rejected"' d -- accepted
exits 0 "accepted: the trail is sound" audit verify d
SETTLE_PROFILE=$notes SETTLE_SOURCE=file:$work/feed.ndjson

become live
exits 2 "--finish and --live exclude each other" migrate d --finish --live
exits 2 "--quiet-for wants a number" migrate d --finish --quiet-for soon
become in-progress
exits 2 "reset asks, and nobody is there to answer" reset d
ok "reset: says that --yes answers" says err "--yes"
ok "reset: nothing happened" test "$(status_of d)" = in-progress
answer() { # ANSWER: to reset
	status=0
	printf '%s\n' "$1" | "$settle" reset d >"$work/out" 2>"$work/err" || status=$?
}
answer 'yes, but'
ok "reset: an answer that is not yes" test $status = 1
ok "reset: the question was put" says err 'Delete all rows of d from '
ok "reset: nothing happened either" test "$(status_of d)" = in-progress
answer yes
ok "reset: a pipe may answer" test $status = 0
ok "reset: the state file is gone" not test -e "$work/state/domains/d/state.db"
exits 0 "after a reset the migration begins again" migrate d

cp "$work/feed.ndjson" "$work/kept.ndjson"
become in-progress
printf '%s\n' '{"seq":2,"id":"b","changes":[{"rev":"1-a"}],"doc":{"_id":"b","_rev":"1-a","doc_type":"Note","text":"y"}}' >>"$work/feed.ndjson"
exits 5 "commit: a feed that was recorded anew since is refused" commit d
ok "and named" says err "feed.ndjson holds other documents of d than the last pass read"
exits 0 "it is brought over" migrate d
sed -i 's/"1-a"/"2-a"/g' "$work/feed.ndjson"
exits 5 "commit: so is one with another revision" commit d
exits 0 "it is brought over" migrate d
exits 0 "then it is committed" commit d
mv "$work/kept.ndjson" "$work/feed.ndjson"

become not-started
cp -r "$work" "$work.before"
exits 0 "--dry-run of a first run" migrate d --dry-run
ok "--dry-run writes nothing" diff -r -x out -x err -x ok.out "$work.before" "$work"
rm -rf "$work.before"
become complete
exits 5 "--dry-run is refused like the run" migrate d --dry-run

# ---- lost and stale state ----

become in-progress
rm -rf "$work/state"
exits 5 "a lost state file is noticed" migrate d
ok "a lost state file: says the way out" says err "--rebuild-state"
exits 0 "and rebuilt from target and source" migrate d --rebuild-state
run stats d --format json
ok "rebuilt: counts the documents" says out '"kind":"Note","docs":1'
become in-progress
rm -f "$work"/t.db*
exits 0 "a state file whose target is gone is made anew" migrate d
ok "and that is said" says err "belongs to another migration"

# ---- live, on PostgreSQL and the stand-in ----

start_pg || exit 99
create_pg_database live || exit 99
start_couchd --data "$work/couch" || exit 99
mkdir -p "$work/couch"
SETTLE_SOURCE=$couchd_url/notes
SETTLE_TARGET=$(pg_url live)
SETTLE_STATE_DIR=$work/live-state

text_of() {
	psql -X -A -t -d live -c "SELECT body->>'text' FROM documents WHERE doc_id = '$1'"
}

text_is() {
	test "$(text_of "$1")" = "$2"
}

curl -s -X PUT "$couchd_url/notes" >/dev/null
put_note notes one first
exits 0 "live: the first pass" migrate d --live
ok "live: the document is there" text_is one first
"$settle" migrate d --follow >"$work/follow.out" 2>"$work/follow.err" &
follower=$!
put_note notes two second
ok "follow: a new document arrives" within 60 text_is two second
put_note notes one edited
ok "follow: an edit arrives" within 60 text_is one edited
run migrate d --live
ok "follow: a second writer is refused" test "$status" -eq 5
ok "follow: and told who holds it" says err "pid $follower"
exits 0 "follow: readers are not disturbed" stats d
kill -TERM $follower
wait $follower
ok "follow: SIGTERM is a clean break" test $? -eq 1
follower=

write_on notes
exits 1 "finish: a source that still writes keeps the migration live" migrate d --finish --quiet-for 30
ok "finish: says what still writes" says err "still writes"
ok "finish: no go" says out "No go"
ok "finish: stays live" test "$(status_of d)" = live
write_no_more
exits 0 "finish: a quiet source ends the live phase" migrate d --finish --quiet-for 0.5
ok "finish: go" says out "Go: \`settle commit d\` completes the migration"
ok "finish: leads to in-progress" test "$(status_of d)" = in-progress
exits 2 "--shutter needs --finish" migrate d --shutter
exits 0 "unfinish" unfinish d
exits 0 "finish with --shutter" migrate d --finish --quiet-for 0.2 --shutter
ok "shutter: the source holds a validate function" test -n "$(curl -s "$couchd_url/notes/_design/settle-d" | jq -r .validate_doc_update)"
curl -s "$couchd_url/notes/_design/settle-d" >"$work/design.json"
ok "shutter: the function refuses documents, and lets design documents and local ones be" node -e '
const refuse = eval("(" + JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).validate_doc_update + ")");
const refused = doc => { try { refuse(doc, null); return false; } catch (e) { return /being migrated/.test(e.forbidden); } };
process.exit(refused({ _id: "x" }) && !refused({ _id: "_design/x" }) && !refused({ _id: "_local/x" }) ? 0 : 1)' "$work/design.json"
ok "shutter: the status is published" test "$(curl -s "$couchd_url/notes/_local/settle-d" | jq -r .status)" = in-progress
exits 0 "shutter: settle's own documents are in no count" migrate d
run stats d --format json
ok "shutter: nothing was read" says out '"skipped":0'
SETTLE_SOURCE=
exits 2 "shutter: unfinish must be able to open the source again" unfinish d
ok "shutter: says so" says err "no source is given"
SETTLE_SOURCE=$couchd_url/notes
exits 0 "shutter: unfinish takes it away" unfinish d
ok "shutter: the design document is gone" test "$(curl -s "$couchd_url/notes/_design/settle-d" | jq -r .error)" = not_found
ok "shutter: the status is published again" test "$(curl -s "$couchd_url/notes/_local/settle-d" | jq -r .status)" = live
exits 0 "finish again" migrate d --finish --quiet-for 0.2
put_note notes late x
exits 5 "commit: a change since then is refused" commit d
ok "commit: names the document" says err "document late"
exits 0 "migrate brings it over" migrate d
exits 0 "commit" commit d
ok "commit: complete" test "$(status_of d)" = complete

# ---- other domains write a lot, this one last ----

"$settle" profile show documents | sed 's/"domain_field": null/"domain_field": "domain"/' >"$work/tenants.json"
SETTLE_PROFILE=$work/tenants.json
SETTLE_STATE_DIR=$work/tenants-state
SETTLE_TARGET=sqlite:$work/tenants.db
SETTLE_SOURCE=$couchd_url/tenants
curl -s -X PUT "$couchd_url/tenants" >/dev/null
put_of() { # put_of DOMAIN ID
	curl -s -X PUT -d "{\"domain\":\"$1\",\"doc_type\":\"Note\",\"text\":\"$(printf '%01000d' 0)\"}" "$couchd_url/tenants/$2" >/dev/null
}
put_of d first
exits 0 "one domain of many" migrate d
for i in 1 2 3; do put_of other "other$i"; done
put_of d last
fault '{"prefix":"/tenants/_changes","action":"slow","rate":1000,"times":0}'
exits 5 "commit: a change behind those of others, slowly read, is refused all the same" commit d
ok "commit: names it" says err "document last"
no_faults
exits 0 "it is brought over" migrate d
put_of other other4
exits 0 "a pass over others' documents only" migrate d
ok "no doubt about the domain's name: it was found before" not says err "is the name right"

put_moved() { # put_moved DOMAIN REV: a recorded feed with a form that makes a case, and a plain document
	printf '%s\n' \
		'{"seq":1,"id":"f1","changes":[{"rev":"'"$2"'"}],"doc":{"_id":"f1","_rev":"'"$2"'","doc_type":"XFormInstance","domain":"'"$1"'","received_on":"2020-01-01T00:00:00Z","form":{"case":{"@case_id":"c1","@date_modified":"2020-01-01T00:00:00Z","@user_id":"u","create":{"case_type":"t","case_name":"n","owner_id":"o"}}}}}' \
		'{"seq":2,"id":"p1","changes":[{"rev":"'"$2"'"}],"doc":{"_id":"p1","_rev":"'"$2"'","doc_type":"Application","domain":"'"$1"'"}}' \
		>"$work/moved.ndjson"
}
moved() {
	run migrate d -s "file:$work/moved.ndjson" -t "sqlite:$work/moved.db" --profile commcare --state-dir "$work/moved-state"
	sqlite3 "$work/moved.db" "SELECT 'form', deleted, couch_rev FROM forms; SELECT 'document', deleted, couch_rev FROM documents; SELECT 'case', deleted FROM cases" >"$work/moved"
}
put_moved d 1-a
moved
ok "a form, a plain document and a case of this domain" test "$(tr '\n' ' ' <"$work/moved")" = "form|0|1-a document|0|1-a case|0 "
put_moved other 2-b
moved
ok "they move to another domain: their rows stay, deleted" test "$(tr '\n' ' ' <"$work/moved")" = "form|1|2-b document|1|2-b case|1 "
ok "and nothing of them is left to tell" test "$status" -eq 0
put_moved d 3-c
moved
ok "they come back" test "$(tr '\n' ' ' <"$work/moved")" = "form|0|3-c document|0|3-c case|0 "

# ---- a live source is spared ----

run reset d --yes
i=0
while [ $i -lt 20 ]; do
	put_of d "spared$i"
	i=$((i + 1))
done
no_faults
"$settle" migrate d --live --max-rate 0.01 >"$work/out" 2>"$work/err" &
follower=$!
asked_for() { # asked_for N: has the feed been asked for so often?
	test "$(standin '.requests["GET /tenants/_changes"].count // 0')" -ge "$1"
}
within 60 asked_for 2
kill -TERM $follower
wait $follower
ok "--max-rate: a run that may read a document in 100 s ends cleanly when told to" test $? -eq 1
follower=
ok "--max-rate: and has not read twenty" test "$(query 'SELECT count(*) FROM documents')" -lt 20
run reset d --yes
all=$(curl -s "$couchd_url/tenants/_changes" | jq '.results | length')
no_faults
exits 0 "--max-rate: a run that may read ten a second" migrate d --live --max-rate 10
ok "--max-rate: reads all of it" grep -q "last pass  read $all = " "$work/out"
ok "--max-rate: and asks for a second's worth at a time, once for how much there is" test \
	"$(standin '.requests["GET /tenants/_changes"].count')" -eq $(((all + 9) / 10 + 1))

# ---- the feed ends while it is followed ----

exits 0 "caught up" migrate d --live
"$settle" migrate d --follow >"$work/follow.out" 2>"$work/follow.err" &
follower=$!
within 60 grep -q following "$work/follow.err"
curl -s -X DELETE "$couchd_url/tenants" >/dev/null
wait $follower
ok "follow: a database that was deleted is an error of the source" test $? -eq 3
follower=
finish
