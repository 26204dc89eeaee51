# A throw-away PostgreSQL cluster for tests; to be sourced by a POSIX shell.
#
#   . "$top_srcdir/tests/server/pg.sh"
#   trap stop_pg EXIT; start_pg            # options of postgres may follow: start_pg -c fsync=on
#   create_pg_database NAME [createdb options]
#   copy_pg_database FROM TO
#   sql NAME SQL...; databases
#   settle --target "$(pg_url NAME)" ...
#
# The superuser is `settle`; everybody on this machine is trusted but the role `settle_password`, who must give a password. No TCP:
# the socket lies in $PGHOST, a directory under TMPDIR. PGHOST, PGPORT, PGUSER are exported; nothing of the caller's PG* remains.
# A second cluster beside the first: start_pg2, then in_pg2 COMMAND... runs any of the above, or psql, with the second one in the place of
# the first: in_pg2 create_pg_database NAME; in_pg2 pg_url NAME; in_pg2 stop_pg_server. stop_pg stops both.
# Run by root, the server runs as postgres or nobody, since it refuses to be root.

pg_as=
pg_dir=
pg_dir2=

pg_find_bin() {
	for pg_bin in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5,5nr) "$(pg_config --bindir 2>/dev/null)"; do
		if test -x "$pg_bin/initdb" && test -x "$pg_bin/postgres"; then
			return 0
		fi
	done
	echo "Bail out! no PostgreSQL server here (Debian package postgresql); ./autogen.sh check installs it"
	return 1
}

pg_find_user() {
	pg_as=
	test "$(id -u)" = 0 || return 0
	for pg_user in postgres nobody; do
		if id "$pg_user" >/dev/null 2>&1; then
			pg_as="setpriv --reuid=$(id -u "$pg_user") --regid=$(id -g "$pg_user") --clear-groups"
			chown "$pg_user" "$pg_dir"
			return 0
		fi
	done
	echo "Bail out! PostgreSQL does not run as root, and there is neither a user postgres nor nobody"
	return 1
}

pg_run() {
	(cd "$pg_dir" && HOME="$pg_dir" exec $pg_as "$@")
}

start_pg() {
	for pg_var in PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGDATABASE PGSERVICE PGOPTIONS PGPASSFILE PGAPPNAME; do
		unset "$pg_var"
	done
	pg_find_bin || return 1
	pg_make_cluster || return 1
	PGHOST=$pg_dir PGPORT=5432 PGUSER=settle
	export PGHOST PGPORT PGUSER
	restart_pg "$@"
}

# A cluster of its own in $pg_dir.
pg_make_cluster() {
	pg_base=${TMPDIR:-/tmp}
	test "${#pg_base}" -le 70 || pg_base=/tmp # the path of a socket is short
	pg_dir=$(mktemp -d "$pg_base/settle-pg.XXXXXX") || return 1
	pg_find_user || return 1
	pg_run "$pg_bin/initdb" -D "$pg_dir/data" -U settle -A trust -E UTF8 --locale=C --no-sync \
		>"$pg_dir/initdb.log" 2>&1 || { sed 's/^/# /' "$pg_dir/initdb.log"; return 1; }
	pg_run sh -c "printf '%s\n' 'local all settle_password scram-sha-256' 'local all all trust' >data/pg_hba.conf"
}

start_pg2() {
	pg_dir1=$pg_dir
	pg_make_cluster && restart_pg "$@"
	pg_started=$?
	pg_dir2=$pg_dir pg_dir=$pg_dir1
	return "$pg_started"
}

in_pg2() {
	(pg_dir=$pg_dir2 PGHOST=$pg_dir2 && export PGHOST && "$@")
}

# Starts a cluster that start_pg made and stop_pg_server stopped; options of postgres may follow.
restart_pg() {
	pg_run "$pg_bin/pg_ctl" -D "$pg_dir/data" -w -t 600 -s -l "$pg_dir/server.log" \
		-o "-c listen_addresses='' -k '$pg_dir' -p 5432 -c fsync=off $*" start >/dev/null ||
		{ sed 's/^/# /' "$pg_dir/server.log"; return 1; }
}

stop_pg_server() { # [fast|immediate]
	pg_run "$pg_bin/pg_ctl" -D "$pg_dir/data" -w -t 600 -s -m "${1:-immediate}" stop >/dev/null 2>&1
}

stop_pg() {
	if test -n "$pg_dir2"; then
		in_pg2 stop_pg_server immediate
		rm -rf "$pg_dir2"
		pg_dir2=
	fi
	test -n "$pg_dir" || return 0
	stop_pg_server immediate
	rm -rf "$pg_dir"
	pg_dir=
}

create_pg_database() {
	"$pg_bin/createdb" "$@"
}

# copy_pg_database FROM TO: when nobody is in FROM. The server takes its time over a connection that closed, and createdb waits five seconds.
copy_pg_database() {
	pg_tries=600
	while [ $pg_tries -gt 0 ] &&
		[ -n "$(sql postgres "SELECT pid FROM pg_stat_activity WHERE datname = '$1' AND backend_type = 'client backend'")" ]; do
		sleep 0.1
		pg_tries=$((pg_tries - 1))
	done
	create_pg_database -T "$1" "$2"
}

# sql DATABASE SQL...: rows and what else the server says, to its first error
sql() {
	pg_database=$1
	shift
	for pg_sql; do
		"$pg_bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$pg_database" -c "$pg_sql" 2>&1 || return 1
	done
}

# Names of the databases that tests made, or settle did.
databases() {
	sql postgres "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1" | tr '\n' ' '
}

# The --target of a database.
pg_url() {
	printf 'postgres://%s@/%s?host=%s' "$PGUSER" "$1" "$pg_dir"
}
