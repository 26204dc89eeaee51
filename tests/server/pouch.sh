# pouch.sh: to be sourced by shell tests. Sets up a PouchDB server (express-pouchdb, in memory) below the build tree, starts and ends it.
# Needs top_srcdir and top_builddir. Uses pouch_dir, pouch_pid, pouch_port, pouch_url, pouch_work.

# npm_ci: installs what package-lock.json in this directory says. That is hundreds of files from a server that may stumble: what came stays in
# the cache, and the rest is asked for again.
npm_ci() {
	for pouch_wait in 5 10 20 40 no; do
		npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --prefer-offline --cache "$PWD/cache" >npm.log 2>&1 && return
		[ "$pouch_wait" = no ] || sleep "$pouch_wait"
	done
	return 1
}

# install_pouch: once a build tree, with the versions of package-lock.json, from wherever npm is set up to get its packages. Nothing is
# left outside of the build tree, the cache is removed again. Safe to call from several tests at once.
install_pouch() {
	pouch_dir=${top_builddir:-.}/tests/server/pouch-peer
	mkdir -p "$pouch_dir"
	(
		flock 9
		cmp -s "$top_srcdir/tests/server/pouch/package-lock.json" "$pouch_dir/installed" && exit 0
		rm -rf "$pouch_dir/node_modules" "$pouch_dir/installed"
		cp -f "$top_srcdir/tests/server/pouch/package.json" "$top_srcdir/tests/server/pouch/package-lock.json" "$pouch_dir/" || exit 1
		chmod u+w "$pouch_dir"/package*.json
		cd "$pouch_dir" || exit 1
		npm_ci || {
			sed 's/^/# /' npm.log
			exit 1
		}
		rm -rf cache
		cp package-lock.json installed
	) 9>"$pouch_dir/lock"
}

# start_pouch: on a free port of 127.0.0.1; sets pouch_url and pouch_port.
start_pouch() {
	pouch_work=$(mktemp -d "${TMPDIR:-/tmp}/pouch.XXXXXX")
	pouch_server=$(cd "$top_srcdir/tests/server/pouch" && pwd)/server.js
	( cd "$pouch_dir" && exec node --unhandled-rejections=warn "$pouch_server" ) >"$pouch_work/log" 2>&1 &
	pouch_pid=$!
	while ! grep -q '^listening on' "$pouch_work/log"; do
		if ! kill -0 "$pouch_pid" 2>/dev/null; then
			sed 's/^/# /' "$pouch_work/log"
			echo "Bail out! the PouchDB server does not start"
			return 1
		fi
		sleep 0.1
	done
	pouch_port=$(sed -n 's/^listening on .*://p' "$pouch_work/log")
	pouch_url=http://127.0.0.1:$pouch_port
}

# load_pouch FEED DB: makes the database and fills it from a recorded feed.
load_pouch() {
	node "$top_srcdir/tests/server/pouch/load.js" "$1" "$pouch_url/$2"
}

stop_pouch() {
	if [ -n "${pouch_pid:-}" ]; then
		kill -TERM "$pouch_pid" 2>/dev/null || :
		wait "$pouch_pid" 2>/dev/null || :
	fi
	[ -z "${pouch_work:-}" ] || rm -rf "$pouch_work"
	pouch_pid='' pouch_work=''
}
