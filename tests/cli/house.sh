#!/bin/sh
# The rules of the house (README, ARCHITECTURE), checked over the sources and over what the compiler made of them: who may use
# whom, which rooms are pure, headers that stand alone, functions nobody may call, files that stay readable.
# Needs NM and HOUSE_CC, the compiler with its flags; both come from the Makefile.
set -u
top_srcdir=${top_srcdir:-.}
top_builddir=${top_builddir:-.}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
n=0

# room, directory, archive, and the rooms it may use. "all" is every room but cmd.
cat >"$work/rooms" <<'ROOMS'
base     src/base     libbase.a     base
lite     src/lite     liblite.a     base lite
diff     diff         libdiff.a     base diff
replay   src/replay   libreplay.a   base replay
explain  src/explain  libexplain.a  base diff replay explain
patch    patch        libpatch.a    base diff replay patch
profile  src/profile  libprofile.a  base diff replay patch profile
state    src/state    libstate.a    base lite state
audit    src/audit    libaudit.a    base lite audit
couch    couch        libcouch.a    base couch
sql      sql          libsql.a      base lite sql
migrate  src/migrate  libmigrate.a  all
tables   src/tables   libtables.a   all
snapshot src/snapshot libsnapshot.a all
cmd      src/cmd      -             all cmd
ROOMS
pure='diff patch replay explain'

# Which room alone (or rooms, with commas) may call a library, and which others may name its constants (error codes) and so include its header.
cat >"$work/libraries" <<'LIBRARIES'
curl/       curl_     couch
libpq       PQ        sql,tables,snapshot
sqlite3     sqlite3_  lite   sql state
git2        git_      audit
yajl/       yajl_     base
libxml/     xml       patch
openssl/    EVP_      base,audit,snapshot
LIBRARIES

findings() { # NAME: a test that passes when nothing was written to $work/found
	n=$((n + 1))
	if [ -s "$work/found" ]; then
		echo "not ok $n - $1"
		sed 's/^/# /; 40q' "$work/found"
	else
		echo "ok $n - $1"
	fi
}

rooms() { # those that stand in the tree: name directory archive uses...
	while read -r name directory archive uses; do
		[ -f "$top_srcdir/$directory/local.mk" ] && echo "$name $directory $archive $uses"
	done <"$work/rooms"
}

sources() { # DIRECTORY...
	(cd "$top_srcdir" && find "$@" -name '*.[ch]' | sort)
}

is_in() { # WORD LIST
	case " $2 " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

may_use() { # ROOM ITS-USES OTHER
	is_in "$3" "$2" || { is_in all "$2" && [ "$3" != cmd ]; }
}

directories=$(rooms | while read -r _ directory _; do echo "$directory"; done)

# ---- every room is known here ----

(cd "$top_srcdir" && ls -d ./*/local.mk src/*/local.mk) | sed 's,^\./,,; s,/local.mk$,,' | grep -v '^tests$' | while read -r directory; do
	rooms | grep -q " $directory " || echo "$directory: no room of that name is known to $0"
done >"$work/found"
findings 'every room is known'

# ---- arrows by includes ----

rooms | while read -r room directory _ uses; do
	(cd "$top_srcdir" && grep -nHoE '^#include "[a-z0-9_]+/[^"]*"' -r "$directory" --include='*.[ch]') |
		while IFS= read -r line; do
			other=${line#*\"}
			other=${other%%/*}
			may_use "$room" "$uses" "$other" || echo "$line: $room may not use $other"
		done
done >"$work/found"
findings 'rooms include only the rooms below them'

while read -r header _ owners; do
	# shellcheck disable=SC2086
	(cd "$top_srcdir" && grep -nHE "^#include <$header" -r $directories --include='*.[ch]') |
		while IFS= read -r line; do
			room=$(rooms | while read -r room directory _; do
				case $line in
				"$directory"/*) echo "$room" ;;
				esac
			done)
			is_in "$room" "$(echo "$owners" | tr , ' ')" || echo "$line: only $owners may"
		done
done <"$work/libraries" >"$work/found"
findings 'each library is included by one room'

rooms | while read -r room directory _; do
	is_in "$room" "$pure" || continue
	(cd "$top_srcdir" && grep -nHE '^#include ("base/(log|clock|queue|url)\.h"|<(fcntl|unistd|dirent|poll|netdb|time|pthread|sys/.*)\.h>)' -r \
		"$directory" --include='*.[ch]')
done >"$work/found"
findings 'pure rooms include nothing that talks to the world'

# ---- arrows by symbols ----

# Lines "ROOM U|D SYMBOL".
symbols_of() { # ROOM ARCHIVE
	"${NM:-nm}" -g "$2" 2>/dev/null | awk -v room="$1" '
		NF >= 2 && $(NF - 1) ~ /^[A-Zvw]$/ { print room, ($(NF - 1) ~ /^[Uvw]$/ ? "U" : "D"), $NF }'
}

rooms | while read -r room directory archive _; do
	[ "$archive" = - ] || symbols_of "$room" "$top_builddir/$directory/$archive"
done | sort -u >"$work/symbols"

for room in $(rooms | awk '$3 != "-" { print $1 }'); do
	grep -q "^$room D " "$work/symbols" || echo "$room: no symbols in its archive"
done >"$work/found"
findings 'every room has been built'

awk '$2 == "D" { owner[$3] = $1; next } $2 == "U" { used[$1 " " $3] = 1 }
	END { for (u in used) { split(u, p, " "); if (p[2] in owner && owner[p[2]] != p[1]) print p[1], owner[p[2]], p[2] } }' \
	"$work/symbols" | sort | while read -r room other symbol; do
	uses=$(rooms | awk -v room="$room" '$1 == room { $1 = $2 = $3 = ""; print }')
	may_use "$room" "$uses" "$other" || echo "$room: $symbol of $other"
done >"$work/found"
findings 'rooms link only with the rooms below them'

while read -r _ prefix owner _; do
	awk -v prefix="$prefix" -v owner="$owner" '$2 == "U" && index($3, prefix) == 1 && index("," owner ",", "," $1 ",") == 0 { print $1 ": " $3 ", only " owner " may" }' \
		"$work/symbols" >"$work/hits"
	# git_ and the like are also names of our own: what a room defines is not the library.
	while IFS= read -r line; do
		symbol=${line#*: }
		grep -q " D ${symbol%%,*}\$" "$work/symbols" || echo "$line"
	done <"$work/hits"
done <"$work/libraries" >"$work/found"
findings 'each library is called by one room'

world='open|open64|openat|openat64|creat|creat64|fopen|fopen64|fdopen|freopen|fclose|opendir|read|write|pread|pwrite|fread|fwrite|fgets|fputs|
puts|putchar|printf|fprintf|vfprintf|stdout|stderr|stdin|unlink|remove|rename|mkdir|rmdir|stat|stat64|fstat|fstat64|lstat|access|mkstemp|tmpfile|
mmap|mmap64|popen|system|fork|execve|execvp|posix_spawn|socket|connect|bind|listen|accept|send|recv|sendto|recvfrom|getaddrinfo|poll|select|
getenv|time|gettimeofday|clock_gettime|localtime|localtime_r|random|rand|getrandom|randombytes_buf|pthread_create'
world=$(printf '%s' "$world" | tr -d '\n')
awk -v pure=" $pure " -v world="^_*($world)(_chk)?(@.*)?\$" '$2 == "U" && index(pure, " " $1 " ") && $3 ~ world { print $1 ": " $3 }' \
	"$work/symbols" >"$work/found"
findings 'pure rooms call nothing that talks to the world'

# ---- headers ----

# shellcheck disable=SC2086
sources $directories | grep '\.h$' | while read -r header; do
	include=${header#src/}
	echo "#include \"$include\"" | ${HOUSE_CC:-cc} -Werror -fsyntax-only -I"$top_srcdir/src" -I"$top_srcdir" -I"$top_builddir" -x c - 2>"$work/said" ||
		{ echo "$header does not compile alone"; head -n 5 "$work/said"; }
done >"$work/found"
findings 'every header compiles alone'

# ---- text ----

# shellcheck disable=SC2086
(cd "$top_srcdir" && grep -nHE '(^|[^_[:alnum:]])(strcpy|stpcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gets|alloca)[[:space:]]*\(' -r \
	$directories tests --include='*.[ch]') >"$work/found"
findings 'nobody calls a banned function'

# shellcheck disable=SC2086
(cd "$top_srcdir" && find $directories tests m4 -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.js' -o -name '*.mk' -o -name '*.m4' \) \
	-exec awk 'END { if (NR > 1000) print FILENAME ": " NR " lines" }' {} \;) >"$work/found"
findings 'no file is longer than 1000 lines'

# shellcheck disable=SC2086
(cd "$top_srcdir" && grep -nHE '(TODO|FIXME)([^_[:alnum:]]|$)' -r $directories tests --include='*.[ch]' --include='*.js' --include='*.mk') >"$work/found"
findings 'nothing is left for later'

echo "1..$n"
