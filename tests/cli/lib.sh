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

finish() {
	echo "1..$tests"
	exit $failed
}
