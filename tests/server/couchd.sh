# couchd.sh: to be sourced by shell tests. Starts and ends the CouchDB stand-in (tests/server/couchd).
# Needs top_builddir. Uses couchd_dir, couchd_pid, couchd_port, couchd_url.

# start_couchd [OPTION...]: starts a stand-in with these options on a free port; sets couchd_url and couchd_port. A directory for its
# data is made at the first call and kept until stop_couchd, so starting again after kill_couchd finds what was written (with --data).
start_couchd() {
	couchd_dir=${couchd_dir:-$(mktemp -d "${TMPDIR:-/tmp}/couchd.XXXXXX")}
	rm -f "$couchd_dir/port"
	"${top_builddir:-.}/tests/server/couchd" --port-file "$couchd_dir/port" "$@" >>"$couchd_dir/log" 2>&1 &
	couchd_pid=$!
	while ! [ -s "$couchd_dir/port" ]; do
		if ! kill -0 "$couchd_pid" 2>/dev/null; then
			sed 's/^/# /' "$couchd_dir/log"
			echo "Bail out! couchd does not start"
			return 1
		fi
		sleep 0.05
	done
	couchd_port=$(cat "$couchd_dir/port")
	couchd_url=http://127.0.0.1:$couchd_port
}

# kill_couchd: ends it as a crash would.
kill_couchd() {
	kill -KILL "$couchd_pid"
	wait "$couchd_pid" 2>/dev/null || :
	couchd_pid=
}

# end_couchd: ends it in good order, keeps its directory; returns its exit status.
end_couchd() {
	[ -n "${couchd_pid:-}" ] || return 0
	kill -TERM "$couchd_pid"
	wait "$couchd_pid" && couchd_status=0 || couchd_status=$?
	couchd_pid=
	return "$couchd_status"
}

# stop_couchd: ends it in good order and removes its directory.
stop_couchd() {
	end_couchd && couchd_status=0 || couchd_status=$?
	[ -z "${couchd_dir:-}" ] || rm -rf "$couchd_dir"
	couchd_dir=
	return "$couchd_status"
}

# fault RULES: how it misbehaves from here on; no_faults ends that and sets its counters back.
fault() {
	curl -sf -X POST -d "$1" "$couchd_url/_standin" >/dev/null || { echo "Bail out! couchd takes no such fault: $1"; return 1; }
}

no_faults() {
	curl -sf -X DELETE "$couchd_url/_standin" >/dev/null
}

# standin FILTER: jq's, of what the server tells of its requests and rules
standin() {
	curl -s "$couchd_url/_standin" | jq "$1"
}

# write_on DATABASE: writes notes into it one after another, until write_no_more, which returns when the last is written, or until $work is
# gone.
write_on() {
	: >"$work/writing"
	(
		i=0
		while [ -e "$work/writing" ]; do
			put_note "$1" "busy$i" x
			i=$((i + 1))
			sleep 0.02
		done
	) &
	couchd_writer=$!
}

write_no_more() {
	rm -f "$work/writing"
	wait "$couchd_writer"
}

# put_note DATABASE ID [TEXT]: writes a document, whatever was there
put_note() {
	note="\"doc_type\":\"Note\",\"text\":\"${3:-}\""
	curl -sf -X PUT -d "{$note}" "$couchd_url/$1/$2" >/dev/null && return
	note_rev=$(curl -s "$couchd_url/$1/$2" | sed -n 's/.*"_rev":"\([^"]*\)".*/\1/p')
	curl -s -X PUT -d "{\"_rev\":\"$note_rev\",$note}" "$couchd_url/$1/$2" >/dev/null
}
