#!/bin/sh
# Grammar, help, exit codes and suggestions of CLI.md.
. "$top_srcdir/tests/cli/lib.sh"

exits 2 "no command is a usage error"
ok "and points to help" says err 'settle help'
ok "and prints nothing on stdout" silent out

exits 0 "help" help
ok "names the commands" says out 'diff files COUCH.json SQL.json'
cp "$work/out" "$work/overview"
exits 0 "--help" --help
ok "is the same" cmp "$work/out" "$work/overview"
exits 0 "help of a command" help migrate
ok "begins with its usage" says out 'usage: settle migrate DOMAIN [OPTIONS]'
cp "$work/out" "$work/migrate"
exits 0 "command --help needs no argument" migrate --help
ok "is the same" cmp "$work/out" "$work/migrate"
exits 0 "help of a two-word command" help diff show
ok "has its options" says out '--changes'
exits 0 "help of a group" help diff
ok "lists its commands" says out 'diff files'
exits 0 "group --help" diff --help
ok "lists them too" says out 'diff show DOMAIN'
exits 2 "help of nothing known" help nothing
exits 2 "help of a command and a word too many" help migrate extra
ok "names both" says err 'there is no command "migrate extra"'
ok "and the command" says err 'settle help migrate'
exits 0 "--version" --version
ok "is name and version" grep -qE '^settle [0-9]+\.[0-9]+' "$work/out"
exits 0 "version as JSON" version --format json
ok "is an object" says out '{"name":"settle","version":'

exits 2 "unknown command" migrat demo
ok "suggests a similar one" says err 'did you mean `settle migrate`?'
exits 2 "unknown subcommand" diff shwo demo
ok "suggests a similar one" says err 'did you mean `settle diff show`?'
exits 2 "group without subcommand" profile
ok "lists what may follow" says err 'list, show, check'
exits 2 "unknown option" stats demo --formt json
ok "suggests a similar one" says err 'did you mean --format?'
exits 2 "option of another command" stats demo --jobs 3
exits 2 "unknown letter" stats demo -Z
exits 2 "option without its value" stats demo --target
ok "says so" says err '--target wants a value'
exits 2 "choice that is none" stats demo --format xml
ok "lists the choices" says err 'text|json'
exits 2 "no number" migrate demo --jobs two
exits 2 "number too small" migrate demo --jobs 0
exits 2 "number with an exponent" migrate demo --jobs 1e1
exits 2 "size that is none" migrate demo --max-doc 12Q
exits 2 "size with a blank behind it" migrate demo --max-doc '12 '
ok "is none either" says err 'wants a size'
exits 2 "size beyond all" migrate demo --max-doc 9999999999999G
args="-s file:x -t sqlite:$work/t.db --state-dir $work/numbers"
for option in --max-rate --quiet-for; do
	for bad in 0 -1 +1 ' 1' '1 ' 0x10 1e3 nan inf . 1.2.3 x; do
		# shellcheck disable=SC2086
		exits 2 "$option '$bad'" migrate demo $args "$option" "$bad"
	done
	# shellcheck disable=SC2086
	exits 2 "$option beyond all" migrate demo $args "$option" 99999999999
	ok "says so" says err 'wants a positive number below 1000000000'
	# shellcheck disable=SC2086
	exits 3 "$option of a fraction" migrate demo $args "$option" .5
done
for option in --source --target --state-dir --schema --profile --source-password-file; do
	exits 2 "$option with an empty word" check -s file:x -t "sqlite:$work/t.db" "$option" ''
	ok "says so" says err "$option is empty"
	exits 2 "$option= with nothing behind it" check -s file:x -t "sqlite:$work/t.db" "$option="
done
exits 2 "a letter with an empty word" stats demo -t ''
ok "says so" says err '--target is empty'
exits 2 "an empty word where more may be given" snapshot create -t "sqlite:$work/t.db" --recipient ''
ok "says so" says err '--recipient is empty'
exits 2 "flag with a value" stats demo --watch=yes
exits 2 "missing argument" stats
ok "names it" says err 'DOMAIN'
exits 2 "one argument too many" stats demo other
ok "names it" says err 'other'
exits 2 "no target" stats demo
ok "says how to give one" says err 'SETTLE_TARGET'
exits 2 "no source" migrate demo --target "sqlite:$work/t.db"
ok "says how to give one" says err 'SETTLE_SOURCE'
exits 2 "source of an unknown kind" migrate demo --target "sqlite:$work/t.db" --source ftp://x/y
exits 2 "target of an unknown kind" stats demo --target mysql://x/y
exits 2 "domain that is not UTF-8" stats "$(printf 'a\377')" --target "sqlite:$work/t.db"
exits 2 "empty domain" stats "" --target "sqlite:$work/t.db"
ok "says so" says err "stats wants DOMAIN, and argument 1 is empty"
exits 2 "empty domain, reset" reset "" --yes --target "sqlite:$work/t.db"
exits 2 "empty id" show d "" --target "sqlite:$work/t.db"
ok "says which" says err "show wants DOMAIN ID, and argument 2 is empty"
exits 2 "target that is not UTF-8" stats d --target "$(printf 'sqlite:%s/a\377' "$work")"
ok "says so" says err 'the target is not UTF-8'
exits 2 "source that is not UTF-8" migrate d --source "$(printf 'file:a\377')" --target "sqlite:$work/t.db"
ok "says so" says err 'the source is not UTF-8'
exits 2 "kinds that are not UTF-8" migrate d --only "$(printf 'a\377')" --source file:x --target "sqlite:$work/t.db"
ok "says so" says err '--only is not UTF-8'
exits 2 "profile that is not there" stats demo --target "sqlite:$work/t.db" --profile "$work/none.json"
exits 2 "nothing to check" check

echo '{"results":[{"seq":1' >"$work/cut.json"
exits 1 "check of a feed that is cut" check -s "file:$work/cut.json"
ok "the file is there" grep -q '^ok      source ' "$work/out"
ok "the feed is the finding" grep -q '^FINDING feed .*ends inside a row' "$work/out"
exits 1 "check of a file that is not there" check -s "file:$work/no.json"
ok "is a finding of the source" grep -q '^FINDING source ' "$work/out"
exits 1 "check of a directory" check -s "file:$work"
ok "is one too" grep -q '^FINDING source .*is no file' "$work/out"

# Where options may stand.
args="--target sqlite:$work/none.db --state-dir $work/state"
# shellcheck disable=SC2086
exits 0 "options after the arguments" stats demo $args
ok "not started" says out 'not-started'
# shellcheck disable=SC2086
exits 0 "global options before the command" $args --format json stats demo
ok "JSON" says out '{"domain":"demo","status":"not-started",'
exits 0 "option=value, short letters, bundled" -qv stats --format=json -t"sqlite:$work/none.db" --state-dir="$work/state" demo
ok "JSON again" says out '"domain":"demo"'
exits 0 "the last of an option counts" stats demo --format json --format text -t sqlite:/nowhere/x.db -t "sqlite:$work/none.db" \
	--state-dir "$work/state"
ok "text" says out 'Couch to SQL migration status for demo: not-started'
# shellcheck disable=SC2086
exits 0 "a domain that looks like an option" stats $args --format json -- --demo
ok "is opaque" says out '"domain":"--demo"'
# shellcheck disable=SC2086
exits 0 "a domain of odd characters" stats $args --format json '../a b/é"'
ok "is opaque too" says out '"domain":"../a b/é\""'
SETTLE_TARGET=sqlite:$work/none.db SETTLE_STATE_DIR=$work/state SETTLE_PROFILE=documents
export SETTLE_TARGET SETTLE_STATE_DIR SETTLE_PROFILE
exits 0 "the environment gives defaults" stats demo --format json
ok "the profile" says out '"profile":"documents"'
exits 0 "an option stands over the environment" stats demo --format json --profile commcare
ok "the other profile" says out '"profile":"commcare"'
SETTLE_TARGET=
exits 2 "an empty variable says nothing" stats demo
unset SETTLE_TARGET SETTLE_STATE_DIR SETTLE_PROFILE

exits 2 "errors as JSON" --log-format json stats
ok "an object a line" grep -qE '^\{"time":.*"level":"error","msg":"stats wants' "$work/err"
# shellcheck disable=SC2086
exits 0 "nothing was written by any of this" stats $args demo
ok "no target" test ! -e "$work/none.db"
ok "no state" test ! -e "$work/state"
ok "no home" test -z "$(ls -A "$HOME")"

# A command that begins no migration leaves nothing behind where there is none.
echo '{"results":[],"last_seq":0}' >"$work/feed.json"
args="--target sqlite:$work/made.db --state-dir $work/made --source file:$work/feed.json"
for command in "unfinish d" "reset d" "reset d --yes" "commit d" "diff cases d" "diff forms d" "diff filter d" "diff patch d" "rejects retry d" \
	"migrate d --finish" "migrate d --patch" "migrate d --forms=missing"; do
	# shellcheck disable=SC2086
	exits 5 "$command: not started" $command $args
	ok "$command: says so" says err 'not-started'
	ok "$command: hints at the way" says err 'settle migrate'
	ok "$command: no table is made" test ! -e "$work/made.db"
	ok "$command: the state directory knows no domain" test ! -e "$work/made/domains"
done
# shellcheck disable=SC2086
exits 5 "audit verify where there is nothing" audit verify d $args
ok "says so" says err 'd is not-started: neither the target nor the trail knows it'
# shellcheck disable=SC2086
exits 2 "show where there is nothing" show d x --target "sqlite:$work/made.db" --state-dir "$work/made"
ok "says so" says err 'no document x in d'
exits 0 "an empty migration" migrate d --source "file:$work/feed.json" --target "sqlite:$work/first.db" --state-dir "$work/made"
exits 0 "no patch form" patch list d --target "sqlite:$work/first.db" --state-dir "$work/made"
ok "is nothing to print" silent out
for command in "patch list" "diff show --patched"; do
	for target in first made; do
		# shellcheck disable=SC2086
		exits 5 "$command: a domain that nobody knows" $command nobody --target "sqlite:$work/$target.db" --state-dir "$work/made"
		ok "is said" says err "nothing is known of nobody in sqlite:$work/$target.db"
	done
done
exits 1 "a target whose tables are gone is a finding" audit verify d --target "sqlite:$work/made.db" --state-dir "$work/made"
ok "named with the trail" says out 'the target holds no tables of settle, but there is refs/heads/d'
finish
