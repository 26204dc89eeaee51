# shellcheck shell=sh
# What the shell tests share. TAP on stdout; a directory of its own, removed at the end.
settle=$top_builddir/settle
work=$(mktemp -d "${TMPDIR:-/tmp}/settle-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
unset SETTLE_SOURCE SETTLE_TARGET SETTLE_STATE_DIR SETTLE_PROFILE SETTLE_SOURCE_PASSWORD NO_COLOR XDG_STATE_HOME
HOME=$work/home
export HOME
mkdir "$HOME"
tests=0
failed=0
target=

# ok NAME COMMAND...: passes when the command does
ok() {
	tests=$((tests + 1))
	name=$1
	shift
	if "$@" >"$work/ok.out" 2>&1; then
		echo "ok $tests - $name"
	else
		failed=1
		echo "not ok $tests - $name"
		echo "# $*"
		sed 's/^/# /' "$work/ok.out"
		for file in out err; do
			[ ! -f "$work/$file" ] || sed "s/^/# $file: /" "$work/$file"
		done
	fi
}

# run ARGUMENTS...: settle, with $status, $work/out and $work/err
run() {
	status=0
	"$settle" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# exits WANTED NAME ARGUMENTS...
exits() {
	wanted=$1
	name=$2
	shift 2
	run "$@"
	ok "$name" test "$status" -eq "$wanted"
}

# says FILE TEXT: is the text in out or err?
says() {
	grep -qF -- "$2" "$work/$1"
}

silent() {
	! test -s "$work/$1"
}

not() {
	! "$@"
}

# same A B: two texts
same() {
	test "$1" = "$2" || { echo "$1"; echo "is not"; echo "$2"; return 1; }
}

# member NAME: its value in $work/out, a JSON object: a number, true or false
member() {
	sed "s/.*\"$1\":\([a-z0-9]*\)[,}].*/\1/" "$work/out"
}

# status_of DOMAIN: of its migration
status_of() {
	run stats "$1" --format json
	sed 's/.*"status":"\([^"]*\)".*/\1/' "$work/out"
}

# within SECONDS COMMAND...: waits until it passes
within() {
	tries=$(($1 * 20))
	shift
	while [ $tries -gt 0 ]; do
		"$@" && return 0
		sleep 0.05
		tries=$((tries - 1))
	done
	return 1
}

# query SQL: rows of the target, which is $target, or $SETTLE_TARGET where there is none
query() {
	queried=${target:-$SETTLE_TARGET}
	case $queried in
	sqlite:*) sqlite3 "${queried#sqlite:}" "$1" ;;
	*) psql -X -A -t -q -d "$queried" -c "$1" ;;
	esac
}

# contents_of DATABASE: every row that a migration wrote into this PostgreSQL database
contents_of() {
	for table in forms cases case_transactions case_indices attachments form_operations documents settle_conflict settle_dirty_case; do
		psql -X -A -t -d "$1" -c "SELECT '$table', t FROM $table t ORDER BY 2"
	done
}

# all_good DIRECTORY: every snapshot that the list calls good is good; $work/key is what they were encrypted for
all_good() {
	for name in $("$settle" snapshot list --dir "$1" --format json | sed -n 's/^{"name":"\([^"]*\)".*"good":true.*/\1/p'); do
		"$settle" snapshot verify "$name" --dir "$1" --key "$work/key" >/dev/null 2>&1 || return 1
	done
}

# outcome NAME TARGET: what readers see of $domain, whose state lies in $work/state-NAME, into $work/NAME.{diffs,changes,kinds}
outcome() {
	run diff show $domain -t "$2" --state-dir "$work/state-$1" --format json
	cp "$work/out" "$work/$1.diffs"
	run diff show $domain -t "$2" --state-dir "$work/state-$1" --format json --changes
	cp "$work/out" "$work/$1.changes"
	run stats $domain -t "$2" --state-dir "$work/state-$1" --format json
	sed 's/.*"kinds"/"kinds"/' "$work/out" >"$work/$1.kinds"
}

# edited_rules: the profile commcare with a rule more, as somebody would edit it
edited_rules() {
	"$settle" profile show commcare | node -e '
		const p = JSON.parse(require("fs").readFileSync(0, "utf8"));
		p.rules.find(b => b.for === "CommCareCase").rules.push({type: "missing", path: "remark", absent: "new", reason: "a test"});
		console.log(JSON.stringify(p));'
}

# loosen GIT-DIRECTORY: every object is a file, and can be damaged
loosen() {
	for pack in "$1"/objects/pack/*.pack; do
		test -e "$pack" || continue
		mv "$pack" "$work/moved.pack"
		rm -f "${pack%.pack}".*
		git -C "$1" unpack-objects -q <"$work/moved.pack"
	done
	chmod -R u+w "$1/objects"
}

# flip FILE OFFSET: another byte there, whatever it was: what is encrypted may hold any
flip() {
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\$(printf %03o $((byte ^ 4)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# git_author: who git says commits here
git_author() {
	printf '[user]\n\tname = Ann Auditor\n\temail = ann@example.org\n' >"$HOME/.gitconfig"
}

# in_mounts COMMAND...: in a mount namespace of its own
in_mounts() {
	mount_flags=-m
	[ "$(id -u)" = 0 ] || mount_flags=-rm
	unshare $mount_flags "$@"
}

finish() {
	echo "1..$tests"
	exit $failed
}
