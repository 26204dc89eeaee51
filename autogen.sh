#!/bin/sh
# autogen.sh          generate ./configure (then: ./configure && make && make install)
# autogen.sh demo     install what is missing, build, migrate the recorded demo domain into SQLite and show the outcome
# autogen.sh check    install what is missing for the tests too, build, run them all; ends with "N passed, N failed"
# autogen.sh tools    install what .ci/run needs on top of that
#
# Only Debian packages that are missing are installed, by root or through sudo; without either the command to run is printed and the
# exit status is 2. demo and check build in ./build-auto (or in the source tree, where that is configured already).
set -eu
cd "$(dirname "$0")"

# ---- packages ----

missing=

have() {
	command -v "$1" >/dev/null 2>&1
}

is_installed() { # a Debian package
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || :)" = installed ]
}

need() { # PACKAGE TEST...: wants the package unless the test holds
	package=$1
	shift
	"$@" || missing="$missing $package"
}

need_library() { # PKG-CONFIG-NAME PACKAGE
	if have pkg-config && pkg-config --exists "$1"; then
		return
	fi
	need "$2" is_installed "$2"
}

have_compiler() {
	have "${CC:-cc}" && { have cc || have gcc || have clang; }
}

have_c_headers() {
	[ -f /usr/include/stdio.h ] || is_installed libc6-dev
}

have_postgres() {
	for initdb in /usr/lib/postgresql/*/bin/initdb; do
		[ -x "$initdb" ] && return 0
	done
	have initdb
}

have_clang_runtime() {
	[ -n "$(find /usr/lib -path '*clang*' -name 'libclang_rt.asan*' 2>/dev/null | head -n 1)" ]
}

need_for_building() {
	need gcc have_compiler
	need libc6-dev have_c_headers
	need make have make
	need autoconf have autoconf
	need automake have automake
	need pkg-config have pkg-config
	need_library libcurl libcurl4-openssl-dev
	need_library yajl libyajl-dev
	need_library libpq libpq-dev
	need_library sqlite3 libsqlite3-dev
	need_library libgit2 libgit2-dev
	need_library zlib zlib1g-dev
	need_library libsodium libsodium-dev
	need_library libcrypt libcrypt-dev
	need_library libcrypto libssl-dev
	need_library libxml-2.0 libxml2-dev
}

need_for_testing() {
	need_library cmocka libcmocka-dev
	need libxml2-utils have xmllint
	need git have git
	need sqlite3 have sqlite3
	need postgresql have_postgres
	need nodejs have node
	need npm have npm
	need curl have curl
	need jq have jq
}

need_for_ci() {
	need clang have clang
	need libclang-rt-14-dev have_clang_runtime
	need clang-tidy have clang-tidy
	need xz-utils have xz
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

may_be_root() {
	[ "$(id -u)" = 0 ] && return 0
	have sudo || return 1
	sudo -n true 2>/dev/null || [ -t 0 ]
}

install_missing() {
	[ -n "$missing" ] || return 0
	if ! have apt-get || ! may_be_root; then
		echo "These packages are missing, and installing them needs root. Run this first:" >&2
		echo "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
		exit 2
	fi
	echo "installing:$missing"
	mkdir -p "$build"
	# shellcheck disable=SC2016,SC2086
	logged packages as_root env DEBIAN_FRONTEND=noninteractive \
		sh -c 'apt-get update; exec apt-get install -y --no-install-recommends "$@"' sh $missing
}

# ---- building ----

logged() { # NAME COMMAND...: its output goes to a log file, which is shown when it fails
	log=$build/$1.log
	shift
	"$@" >"$log" 2>&1 || {
		status=$?
		tail -n 40 "$log" >&2
		echo "failed: $* (all of its output: $log)" >&2
		return "$status"
	}
}

jobs() {
	nproc 2>/dev/null || echo 2
}

configure_build() {
	if [ ! -x configure ]; then
		logged generate autoreconf --install || return
	fi
	# shellcheck disable=SC2016
	[ -f "$build/config.status" ] || logged configure sh -c 'cd "$1" && exec "$2/configure"' sh "$build" "$PWD"
}

build_all() {
	mkdir -p "$build"
	echo "building in $build"
	configure_build && logged build make -C "$build" -j"$(jobs)"
}

# ---- demo ----

settle() {
	"$build/settle" --state-dir "$demo/state" --source "file:fixtures/demo/demo.json.gz" --target "sqlite:$demo/demo.db" \
		--no-progress --log-level "$log_level" "$@"
}

show() { # FILTER COMMAND...: the command as it would be typed, and what the filter leaves of its output; 1 says that differences remain
	filter=$1
	shift
	echo
	echo "\$ settle $*"
	status=0
	settle "$@" >"$demo/out" || status=$?
	$filter "$demo/out"
	[ "$status" -le 1 ] || exit "$status"
}

beginning() {
	head -n "$lines" "$1"
	[ "$(wc -l <"$1")" -le "$lines" ] || echo "... ($(wc -l <"$1") lines)"
}

table() {
	sed -n '/^Kind/,/^$/p' "$1" | sed '$d'
}

run_demo() {
	demo=$build/demo
	rm -rf "$demo"
	mkdir -p "$demo"
	echo "from the recorded feed fixtures/demo/demo.json.gz into $demo/demo.db"
	log_level=warn
	lines=6
	show 'tail -n 1' migrate demo-clinic
	show table stats demo-clinic
	show beginning diff show demo-clinic
	log_level=error # what is refused is told as a warning each
	lines=2
	show 'head -n 1' diff patch demo-clinic
	show beginning patch list demo-clinic
	show cat audit log demo-clinic
	show cat audit verify demo-clinic
	rm "$demo/out"
	echo
	echo "The rows are in $demo/demo.db (SQLite), what settle remembers is in $demo/state, the audit trail in audit.git there."
	echo "Next: $build/settle help, or again with PostgreSQL: --target postgres://..."
}

# ---- check ----

# What the test programs that failed had to say: each failure with its first lines.
tell_failures() { # DIRECTORY
	grep -lrE --include='*.trs' '^:test-result: (FAIL|XPASS|ERROR)' "$1" | while read -r trs; do
		awk -v name="${trs%.trs}" '
			/^#/ { if (left-- > 0) print "  " $0; next }
			{ left = 0 }
			/^(not ok|Bail out|ERROR:)/ { print name ": " $0; left = 25; told = 1 }
			{ last = $0 }
			END { if (!told) print name ": it failed, and does not say why; its last line: " last }' "${trs%.trs}.log"
	done
}

# Adds up the TAP results of every test program, after what those had to say that failed.
sum_results() { # DIRECTORY STATUS-OF-MAKE
	tell_failures "$1"
	find "$1" -name '*.trs' -exec cat {} + | awk -v status="$2" '
		/^:test-result: (PASS|XFAIL)/ { passed++ }
		/^:test-result: (FAIL|XPASS|ERROR)/ { failed++ }
		/^:test-result: SKIP/ { skipped++ }
		END {
			if (status != 0 && !failed || !passed)
				failed++
			printf "%d passed, %d failed", passed, failed
			if (skipped)
				printf ", %d skipped", skipped
			print ""
			exit failed != 0
		}'
}

run_check() {
	find "$build" -name '*.trs' -exec rm -f {} +
	status=0
	make -C "$build" -j"$(jobs)" check || status=$?
	sum_results "$build" "$status"
}

# ---- what is asked ----

build="build-auto"
[ ! -f config.status ] || build=.
case ${1-} in
'')
	exec autoreconf --install
	;;
demo)
	need_for_building
	install_missing
	build_all
	run_demo
	;;
check)
	need_for_building
	need_for_testing
	install_missing
	build_all || { sum_results "$build" 1; exit 1; }
	run_check
	;;
tools)
	need_for_building
	need_for_testing
	need_for_ci
	install_missing
	;;
sum) # DIRECTORY STATUS: what .ci/run needs to count its own test runs
	sum_results "$2" "$3"
	;;
*)
	sed -n '2,5s/^# //p' "$0" >&2
	exit 2
	;;
esac
