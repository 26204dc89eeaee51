#!/bin/sh
# Passwords work, and are shown nowhere (DESIGN promise 7).
. "$top_srcdir/tests/cli/lib.sh"
source=http://me:s3cr3t@127.0.0.1:1/db
target="postgres://me:s3cr3t@127.0.0.1:1/db?sslpassword=s3cr3t"
export SETTLE_STATE_DIR="$work/state"

nowhere() {
	! grep -rqF s3cr3t "$work/out" "$work/err" "$work/state" 2>/dev/null
}

exits 1 "source that cannot be reached" check --source "$source"
ok "is shown redacted" says out 'http://me:***@127.0.0.1:1/db'
ok "warned about" says err 'SETTLE_SOURCE_PASSWORD'
ok "the password is nowhere" nowhere
exits 1 "target that cannot be reached" check --target "$target" --log-level trace
ok "warned about" says err 'PGPASSWORD'
ok "the password is nowhere" nowhere
exits 1 "keyword string" check --target "host=127.0.0.1 port=1 password=s3cr3t dbname=x" --log-level trace
ok "the password is nowhere" nowhere
exits 3 "migrate from a source that cannot be reached" migrate demo --source "$source" --target "sqlite:$work/t.db" --log-level trace
ok "the password is nowhere" nowhere
exits 4 "migrate to a target that cannot be reached" migrate demo --source "file:$top_srcdir/fixtures/demo/demo.json.gz" --target "$target" --log-level trace
ok "the password is nowhere" nowhere
exits 2 "URL that cannot be read" stats demo --target 'postgres://me:s3cr3t@host:port/db'
ok "the password is nowhere" nowhere
SETTLE_SOURCE=$source
export SETTLE_SOURCE
exits 1 "URL in the environment" check
ok "the password is nowhere" nowhere
unset SETTLE_SOURCE

# While it runs, the process list shows no password either.
rm -f "$work/out"
"$settle" stats demo --watch --source="$source" --target "sqlite:$work/none.db" >"$work/out" 2>"$work/err" &
pid=$!
within 30 test -s "$work/out"
tr '\0' ' ' <"/proc/$pid/cmdline" >"$work/cmdline"
ok "the process list shows the redacted URL" grep -qF 'http://me:***@127.0.0.1:1/db' "$work/cmdline"
ok "and not the password" not grep -qF s3cr3t "$work/cmdline"
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
ok "a signal ends the watch" test "$status" -eq 0

# --source-password-file
printf 's3cr3t\n' >"$work/password"
chmod 644 "$work/password"
exits 1 "password file" check --source http://me@127.0.0.1:1/db --source-password-file "$work/password"
ok "that others can read is warned about" says err 'chmod 600'
ok "the password is nowhere" nowhere
chmod 600 "$work/password"
exits 1 "password file of one's own" check --source http://me@127.0.0.1:1/db --source-password-file "$work/password"
ok "is not warned about" silent err
: >"$work/empty"
exits 2 "empty password file" check --source http://me@127.0.0.1:1/db --source-password-file "$work/empty"
exits 2 "password file that is not there" check --source http://me@127.0.0.1:1/db --source-password-file "$work/none"
exits 2 "password file that is a directory" check --source http://me@127.0.0.1:1/db --source-password-file "$work"

# One server tells whether what was given arrives.
authorization() {
	node -e '
		const server = require("http").createServer((q, a) => {
			console.log(q.headers.authorization ? Buffer.from(q.headers.authorization.slice(6), "base64").toString() : "none");
			a.statusCode = 401;
			a.end("{}");
		});
		server.listen(0, "127.0.0.1", () => require("fs").writeFileSync(process.argv[1], String(server.address().port)));
	' "$work/port" >"$work/seen" 2>"$work/node.err" &
	server=$!
	within 30 test -s "$work/port"
	port=$(cat "$work/port")
}
# A URL in the wrong place: messages name what was given.
for where in "migrate d" "stats d --format" "migrate d --jobs" "help" "diff" "diff files x" "multi" "stats d --target sqlite:x --profile"; do
	# shellcheck disable=SC2086
	run $where "http://me:s3cr3t@h/db"
	ok "$where: a usage error" test "$status" -eq 2
	ok "$where: no password" not grep -q s3cr3t "$work/out" "$work/err"
done
authorization
run check --source "http://me:inurl@127.0.0.1:$port/db"
ok "the URL's password is sent" grep -qx me:inurl "$work/seen"
: >"$work/seen"
SETTLE_SOURCE_PASSWORD=invariable
export SETTLE_SOURCE_PASSWORD
run check --source "http://me:inurl@127.0.0.1:$port/db"
ok "SETTLE_SOURCE_PASSWORD stands over it" grep -qx me:invariable "$work/seen"
run check --source "http://me@127.0.0.1:$port/db" --source-password-file "$work/password"
ok "the file over that" grep -qx me:s3cr3t "$work/seen"
kill "$server"
finish
