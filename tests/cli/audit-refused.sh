#!/bin/sh
# A trail that cannot be written stops a pass before SQL is changed: a read-only directory, a full disk, a repository that is damaged.
# When it can be written again, the same command does what it should have done.
. "$top_srcdir/tests/cli/lib.sh"
trap 'rm -rf "$work"' EXIT

domain=demo-clinic
SETTLE_SOURCE=file:$top_srcdir/fixtures/demo/demo.json.gz
SETTLE_TARGET=sqlite:$work/t.db
SETTLE_STATE_DIR=$work/state
export SETTLE_SOURCE SETTLE_TARGET SETTLE_STATE_DIR
git=$work/state/audit.git

# What SQL holds, but for who holds the domain's lock.
dump() {
	sqlite3 "$work/t.db" 'UPDATE settle_migration SET epoch = 0, holder = NULL, holder_since = NULL' .dump
}

# in_namespace MOUNT COMMAND...: runs it with something mounted; $git and $work are known to MOUNT
in_namespace() {
	mount=$1
	shift
	status=0
	# shellcheck disable=SC2016
	in_mounts env git="$git" work="$work" sh -c "$mount"' && exec "$@"' sh "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# refused NAME TEXT: the command ended with 5, said so, and changed nothing
refused() {
	ok "$1: exit code 5" test "$status" -eq 5
	ok "$1: says '$2'" says err "$2"
	ok "$1: says what it means" says err 'hint:'
	dump >"$work/after"
	ok "$1: SQL is as it was" cmp -s "$work/before" "$work/after"
	ok "$1: so is the branch" test "$(cat "$git/refs/heads/$domain")" = "$head"
	git -C "$git" fsck --strict --no-dangling >"$work/fsck" 2>&1
	ok "$1: git finds nothing wrong" test $? -eq 0
}

run migrate $domain -q
head=$(cat "$git/refs/heads/$domain")
dump >"$work/before"
printf '{"seq":1,"id":"a","changes":[{"rev":"1-a"}],"doc":{"_id":"a","_rev":"1-a","doc_type":"XFormInstance","domain":"other","form":{}}}\n' >"$work/other.ndjson"

# ---- a read-only directory ----

# shellcheck disable=SC2016
read_only='mount --bind "$git" "$git" && mount -o remount,bind,ro "$git"'
in_namespace "$read_only" "$settle" diff patch $domain
refused "read-only: diff patch" 'Read-only file system'
in_namespace "$read_only" "$settle" migrate $domain --patch
refused "read-only: migrate --patch" 'Read-only file system'
in_namespace "$read_only" "$settle" migrate $domain --forms=a,b
refused "read-only: forms by hand" 'Read-only file system'
in_namespace "$read_only" "$settle" rejects retry $domain
refused "read-only: rejects retry" 'Read-only file system'
edited_rules >"$work/rules.json"
in_namespace "$read_only" "$settle" diff filter $domain --profile "$work/rules.json"
refused "read-only: diff filter" 'Read-only file system'
in_namespace "$read_only" "$settle" commit $domain --accept-differences
refused "read-only: commit" 'Read-only file system'
in_namespace "$read_only" "$settle" reset $domain --yes
refused "read-only: reset" 'Read-only file system'
in_namespace "$read_only" "$settle" migrate other -s "file:$work/other.ndjson" -t "sqlite:$work/other.db"
ok "read-only: a first migration: exit code 5" test "$status" -eq 5
ok "read-only: a first migration: nothing of it is in SQL" test "$(sqlite3 "$work/other.db" 'SELECT count(*) FROM forms')" = 0

# ---- a full disk ----

# shellcheck disable=SC2016
full='cp -r "$git" "$work/copy" && mount -t tmpfs -o size=$size none "$git" && cp -r "$work/copy/." "$git/" && { dd if=/dev/zero of="$git/filler" bs=1k 2>/dev/null; true; }'
rm -rf "$work/copy"
size=2m
export size
in_namespace "$full" "$settle" diff patch $domain
refused "no space at all: diff patch" 'No space left on device'
# Room for a small event, and not for a patch pass.
# shellcheck disable=SC2016
nearly='cp -r "$git" "$work/copy" && mount -t tmpfs -o size=2m none "$git" && cp -r "$work/copy/." "$git/" && dd if=/dev/zero of="$git/filler" bs=1k 2>/dev/null; truncate -s -150k "$git/filler"'
rm -rf "$work/copy"
in_namespace "$nearly" "$settle" diff patch $domain
refused "the disk fills up: diff patch" 'No space left on device'
ok "the disk fills up: what was planned is kept for the next run" test "$(sqlite3 "$work/state/domains/$domain/state.db" 'SELECT count(*) FROM patch')" -gt 80
run audit verify $domain
ok "the disk fills up: the trail is sound" test "$status" -eq 0

# ---- a repository that is damaged ----

cp -r "$git" "$work/git-kept"
damaged() { # damaged NAME TEXT: the repository was damaged; it is put back afterwards
	run diff patch $domain
	rm -rf "$git"
	cp -r "$work/git-kept" "$git"
	refused "$1" "$2"
}
mv "$git/objects/$(echo "$head" | sed 's,..,&/,')" "$work/moved" 2>/dev/null || rm -f "$git"/objects/pack/*
damaged "the last commit is gone" 'cannot read a commit of the audit trail'
printf 'nonsense\n' >"$git/refs/heads/$domain"
damaged "the ref is none" "refs/heads/$domain"
rm -rf "$git/HEAD" "$git/refs" "$git/objects"
damaged "no repository at all" 'audit'
printf '[core\n' >"$git/config"
damaged "a config that cannot be read" 'audit'

# ---- all is well again ----

run diff patch $domain
ok "with a sound trail the pass goes on with what was planned" test "$status" -eq 1
run patch list $domain
ok "every form once" test "$(wc -l <"$work/out")" -eq "$(sort -u "$work/out" | wc -l)"
run audit verify $domain
ok "and the trail is sound" test "$status" -eq 0
ok "git finds nothing wrong" git -C "$git" fsck --strict --no-dangling
finish
