#!/bin/sh
# Errors that heal: PostgreSQL and the source are torn down and come back while a migration runs; the same process ends it, as an
# undisturbed run would.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; stop_pg; rm -rf "$work"' EXIT
domain=demo-clinic

start_pg || exit 99
for db in calm restart cut; do
	create_pg_database $db || exit 99
done
mkdir "$work/couch"
start_couchd --data "$work/couch" --load "$top_srcdir/fixtures/demo/demo.json.gz" --load-db demo || exit 99
run migrate $domain -s "$couchd_url/demo" -t "$(pg_url calm)" --state-dir "$work/state-calm"
outcome calm "$(pg_url calm)"
ok "undisturbed run" test -s "$work/calm.diffs"

# ---- the target goes and comes back ----

"$settle" migrate $domain -s "$couchd_url/demo" -t "$(pg_url restart)" --state-dir "$work/state-restart" --batch-bytes 60000 --max-rate 500 \
	>"$work/out" 2>"$work/err" &
pid=$!
has_begun() {
	sql restart 'SELECT 1 FROM forms LIMIT 1' | grep -qx 1
}
within 60 has_begun
for _ in 1 2; do
	stop_pg_server immediate
	sleep 0.3
	restart_pg || exit 99
	sleep 0.5
done
wait $pid
ok "restart: the run survives an immediate stop of PostgreSQL" test $? -eq 1
ok "restart: it says that it tries again" says err "trying again"
outcome restart "$(pg_url restart)"
ok "restart: the same differences as undisturbed" cmp "$work/calm.diffs" "$work/restart.diffs"
ok "restart: the same counts as undisturbed" cmp "$work/calm.kinds" "$work/restart.kinds"

# ---- the source cuts the connection ----

fault '{"path":"include_docs=true","times":3,"action":"cut","at":700000}'
run migrate $domain -s "$couchd_url/demo" -t "$(pg_url cut)" --state-dir "$work/state-cut" --batch-bytes 60000
ok "cut: the run survives a source that cuts the connection" test "$status" -eq 1
ok "cut: it says that it tries again" says err "trying again"
outcome cut "$(pg_url cut)"
ok "cut: the same differences as undisturbed" cmp "$work/calm.diffs" "$work/cut.diffs"
ok "cut: the same counts as undisturbed" cmp "$work/calm.kinds" "$work/cut.kinds"
finish
