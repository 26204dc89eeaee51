#!/bin/sh
# migrate --dry-run: says what would happen, is refused like the run, and writes nothing anywhere. On both targets.
. "$top_srcdir/tests/cli/lib.sh"
. "$top_srcdir/tests/server/pg.sh"
. "$top_srcdir/tests/server/couchd.sh"
trap 'stop_couchd; stop_pg; rm -rf "$work"' EXIT

domain=demo-clinic
start_couchd --load "$top_srcdir/fixtures/demo/demo.json.gz" --load-db demo || exit 99
SETTLE_SOURCE=$couchd_url/demo
export SETTLE_SOURCE
mkdir "$work/target"

# everything NAME: names and bytes of the state directory, the target and the source, into NAME
everything() {
	{
		find "$work/target" "$SETTLE_STATE_DIR" -type f -exec sha256sum {} + 2>/dev/null | sort -k2
		curl -s "$SETTLE_SOURCE"
		case $SETTLE_TARGET in
		sqlite:*) ;;
		*)
			psql -X -A -t -d dry -c "SELECT oid, relname, xmin FROM pg_class ORDER BY oid"
			for table in $(psql -X -A -t -d dry -c "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"); do
				psql -X -A -t -d dry -c "SELECT '$table', ctid, xmin, t::text FROM $table t ORDER BY ctid"
			done
			;;
		esac
	} >"$work/$1"
}

# dry EXIT NAME ARGUMENTS...
dry() {
	wanted=$1
	what="$name_of_target: $2"
	shift 2
	everything before
	exits "$wanted" "$what" migrate $domain --dry-run "$@"
	cp "$work/out" "$work/said"
	everything after
	ok "$what: writes nothing" cmp "$work/before" "$work/after"
}
plan() { # plan JQ-EXPRESSION: of what was said
	jq -e "$1" "$work/said"
}

dry_runs() { # dry_runs NAME
	name_of_target=$1
	dry 0 "a first run" --format json
	ok "$1: says what a first run would do" plan '.status == "not-started" and .leads_to == "in-progress" and .tables == false and
		.state_file == "is made" and .from_checkpoint == false and .to_read == 3123 and .written == false'
	dry 0 "a first run, for people"
	ok "$1: in words" grep -qx 'to read     3123 changes from the beginning' "$work/said"
	dry 5 "what a run would refuse" --finish
	run migrate $domain --live -q
	dry 0 "going on" --live --format json
	ok "$1: says so" plan '.status == "live" and .leads_to == "live" and .tables and .state_file == "is gone on with" and
		.from_checkpoint and .to_read == 0 and .pending == 0'
	dry 0 "a patch pass" --patch --format json
	ok "$1: says what differs" plan '.to_patch > 100 and .missing > 10'
	dry 0 "finish with a shutter" --finish --shutter --format json
	ok "$1: says where it leads, and that the source is closed" plan '.leads_to == "in-progress" and .shutter'
	ok "$1: and does not close it" test "$(curl -s "$SETTLE_SOURCE/_design/settle-$domain" | jq -r .error)" = not_found
	dry 5 "another profile" --profile documents
	ok "$1: is refused as the run would be" says err 'profile of this migration'
	dry 5 "a trial run of what is none" --limit 5
	mv "$SETTLE_STATE_DIR" "$work/away"
	dry 5 "a lost state file" --format json
	ok "$1: is noticed" says err '--rebuild-state'
	dry 0 "a rebuild" --rebuild-state --format json
	ok "$1: says so" plan '.state_file == "is rebuilt" and .from_checkpoint == false'
	mv "$work/away" "$SETTLE_STATE_DIR"
	dry 3 "a source that is not there" -s "$couchd_url/nosuch"
	run migrate $domain --finish --quiet-for 0.1 -q
	run commit $domain --accept-differences
	dry 5 "after commit"
}

SETTLE_STATE_DIR=$work/state SETTLE_TARGET=sqlite:$work/target/t.db
export SETTLE_STATE_DIR SETTLE_TARGET
name_of_target=sqlite
dry 2 "--distribute" --distribute
dry_runs sqlite
start_pg || exit 99
create_pg_database dry || exit 99
SETTLE_STATE_DIR=$work/pg-state SETTLE_TARGET=$(pg_url dry)
name_of_target=pg
dry 4 "--distribute without Citus" --distribute
ok "says so" says err 'no citus extension'
dry_runs pg
dry 4 "--distribute without Citus, into tables that are there" --distribute

# Citus itself is not here; what settle asks it for is.
citus() { # citus NAME: a target with what settle needs of the extension
	create_pg_database "$1" && psql -X -q -v ON_ERROR_STOP=1 -d "$1" <<-'END'
		INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
			VALUES (99999, 'citus', 10, 2200, false, '12.1');
		CREATE TABLE asked (what text, by text, beside text);
		CREATE TABLE pg_dist_partition (logicalrelid regclass, partmethod "char");
		CREATE FUNCTION create_distributed_table(table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash',
			colocate_with text DEFAULT 'default') RETURNS void LANGUAGE sql AS $$
			INSERT INTO pg_dist_partition VALUES (table_name, 'h');
			INSERT INTO asked VALUES (table_name::text, distribution_column, CASE colocate_with WHEN 'none' THEN 'none' ELSE colocate_with::regclass::text END)$$;
	END
}
asked() { # asked NAME: what was distributed how
	psql -X -A -t -d "$1" -c 'SELECT what, by, beside FROM asked ORDER BY what'
}

citus late && citus early || exit 99
SETTLE_STATE_DIR=$work/late-state SETTLE_TARGET=$(pg_url late)
run migrate $domain --live --limit 5 -q
for option in --dry-run --live; do
	exits 5 "$option: tables made without --distribute are refused with it" migrate $domain $option --limit 5 --distribute
	ok "$option: and named" says err "tables were made without --distribute: forms (form_id), form_operations (form_id), cases (case_id)"
	ok "$option: with the way out" says err 'leave --distribute out'
done
grep '^SELECT create_distributed_table' "$top_srcdir/src/cmd/settle.1" | psql -X -q -v ON_ERROR_STOP=1 -d late >"$work/out" 2>"$work/err"
exits 0 "after the manual's statements they are taken" migrate $domain --dry-run --live --limit 5 --distribute
SETTLE_STATE_DIR=$work/early-state SETTLE_TARGET=$(pg_url early)
run migrate $domain --live --limit 5 --distribute -q
exits 0 "tables made with --distribute are gone on with" migrate $domain --dry-run --live --limit 5 --distribute
asked late >"$work/late"
asked early >"$work/early"
ok "the manual distributes as settle does" cmp "$work/late" "$work/early"
ok "all that settle distributes" test "$(wc -l <"$work/early")" -eq 8
finish
