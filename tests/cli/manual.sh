#!/bin/sh
# Help, manual page and README tell of the same options and commands.
. "$top_srcdir/tests/cli/lib.sh"
manual=$top_srcdir/src/cmd/settle.1

run help --all
grep -oE -- '--[a-z][a-z-]+' "$work/out" | sort -u >"$work/help.options"
ok "help tells of options" test "$(wc -l <"$work/help.options")" -gt 20
sed -nE 's/^\.It Fl (. , Fl )?-([a-z][a-z-]+).*/--\2/p' "$manual" | sort -u >"$work/manual.options"
ok "the manual page has the same ones" diff "$work/help.options" "$work/manual.options"

# Every command of the overview, with its arguments, has a place in the manual page.
sed -nE 's/^\.It Cm //p' "$manual" | sed -E 's/ (Ar|Op Ar)//; s/ Ar / /g; s/ [A-Z].*//' | sort -u >"$work/manual.commands"
sed -nE '/^Commands/,/^$/s/^  ([a-z][a-z ]*[a-z])( .*|$)/\1/p' "$work/out" | sed -E 's/  .*//' | sort -u >"$work/help.commands"
ok "help tells of commands" test "$(wc -l <"$work/help.commands")" -gt 8
ok "the manual page has the same ones" diff "$work/help.commands" "$work/manual.commands"

# And each command has the same options there.
awk '/^usage: settle / { name = ""; for (i = 3; i <= NF && $i ~ /^[a-z]+$/; i++) name = name " " $i; next }
	name != "" && /^  (    |-., )--[a-z]/ { sub(/^ +(-., )?/, ""); sub(/[ =[].*/, ""); print name, $0 }' "$work/out" | sort >"$work/help.each"
sed '/^\.Sh GLOBAL/,$d' "$manual" | awk '/^\.It Cm / { name = ""; for (i = 3; i <= NF && $i ~ /^[a-z]+$/; i++) name = name " " $i; next }
	name != "" && sub(/^\.It Fl (. , Fl )?-/, "--") { print name, $1 }' | sort >"$work/manual.each"
ok "commands have options of their own" grep -q ' snapshot prune --keep' "$work/help.each"
ok "the manual page tells of each of them at its command" diff "$work/help.each" "$work/manual.each"

# A list that is not closed swallows the commands behind it.
ok "lists of the manual page are closed" test "$(grep -c '^\.Bl' "$manual")" -eq "$(grep -c '^\.El' "$manual")"

# README shows no option that does not exist; ./autogen.sh, configure, git and curl have their own.
grep -E '^ *(settle|export SETTLE)|`settle|^\| `' "$top_srcdir/README.md" | grep -oE -- ' --[a-z][a-z-]+' | tr -d ' ' | sort -u >"$work/readme.options"
comm -23 "$work/readme.options" "$work/help.options" >"$work/unknown"
grep -vxE -- '--rebuild-state' "$work/unknown" >"$work/unknown.left"
ok "README shows no option that is not there" test ! -s "$work/unknown.left"
sed -nE 's/^ *settle ((diff|profile|tables|patch|snapshot|audit) )?([a-z]+).*/\1\3/p' "$top_srcdir/README.md" | sort -u >"$work/readme.commands"
ok "README shows commands" test -s "$work/readme.commands"
comm -23 "$work/readme.commands" "$work/help.commands" >"$work/unknown"
ok "and none that is not there" test ! -s "$work/unknown"
# Ids that README shows are those of the demo domain: whoever tries them finds them.
gzip -dc "$top_srcdir/fixtures/demo/demo.json.gz" >"$work/demo"
grep -oE '^ *settle .* [0-9a-f]{32}' "$top_srcdir/README.md" | grep -oE '[0-9a-f]{32}$' | sort -u >"$work/ids"
ok "README shows ids" test -s "$work/ids"
while read -r id; do
	ok "$id is in the demo domain" grep -q "\"_id\":\"$id\"" "$work/demo"
done <"$work/ids"
finish
