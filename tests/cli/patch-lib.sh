# shellcheck shell=sh disable=SC2086,SC2154
# What the tests that kill patch passes share; to be sourced after lib.sh and pg.sh. $domain, $target (the PostgreSQL database is called
# torn), $state and $more (further options) say which migration.

settled() {
	# shellcheck disable=SC2086 # $more is a list
	run "$@" $more -t "$target" --state-dir "$state"
}

# keep NAME, put_back NAME: the target and the state directory of the migration before any patch
keep() {
	rm -rf "$work/kept-$1"
	cp -r "$state" "$work/kept-$1"
	case $target in
	sqlite:*) cp "$work/t.db" "$work/kept.db" ;;
	*)
		"$pg_bin/dropdb" --if-exists kept
		copy_pg_database torn kept
		;;
	esac
}

put_back() {
	rm -rf "$state"
	cp -r "$work/kept-$1" "$state"
	case $target in
	sqlite:*)
		rm -f "$work"/t.db*
		cp "$work/kept.db" "$work/t.db"
		;;
	*)
		"$pg_bin/dropdb" --force torn
		copy_pg_database kept torn
		;;
	esac
}

# answers NAME: what readers see, without the ids and times of patch forms
answers() {
	settled patch list $domain --format json
	sed 's/.*"case_id":"\(.*\)","received_on".*/\1/' "$work/out" | LC_ALL=C sort >"$work/$1.cases"
	sed 's/.*"form_id":"\([0-9a-f]*\)".*/s,\1,FORM,g/' "$work/out" >"$work/$1.forms"
	for list in "" --changes; do
		settled diff show $domain $list --format json
		cat "$work/out"
	done | sed -f "$work/$1.forms" | sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/TIME/g' >"$work/$1.diffs"
	settled stats $domain --format json
	sed 's/.*"kinds"/"kinds"/' "$work/out" >"$work/$1.kinds"
	git -C "$state/audit.git" ls-tree -r --name-only $domain | grep -c '^patches/.*\.xml$' >"$work/$1.files"
}

# as_calm: as the undisturbed run, whose answers are called calm
as_calm() {
	answers torn
	for what in cases diffs kinds files; do
		cmp "$work/calm.$what" "$work/torn.$what" || return 1
	done
	settled audit verify $domain
	test "$status" -eq 0 || { cat "$work/out"; return 1; }
}
