/*
 * audit: the git-backed trail. One bare repository STATE_DIR/audit.git (0700), a branch for each domain, a commit for
 * each event. Stock git can read, check and clone it. Knows commits, paths and bytes; nothing about forms or SQL.
 *
 * A commit's message ends with trailers ("Settle-Event: ...") that audit_walk reads back. Its tree is what was in force
 * after it: what an event puts replaces the file of that path, the rest stays. Objects go out in packs of at most
 * AUDIT_PACK_OBJECTS, undeltified, and the paths that changed wait in a temporary file, so that memory does not grow
 * with an event; a small event is loose objects. A commit is on the disk when audit_commit returns. Writers take a lock
 * of the whole repository from audit_begin to audit_commit; readers need none. Errors: ERR_STATE (the repository cannot
 * be used, an object is damaged), ERR_BUSY (the lock), ERR_NOTFOUND where said. Threads: one thread at a time per
 * handle.
 */
#ifndef SETTLE_AUDIT_AUDIT_H
#define SETTLE_AUDIT_AUDIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

#define AUDIT_PACK_OBJECTS 50000
#define AUDIT_ID_SIZE 41 /* a commit's id in hex and NUL; "" = none */

struct audit;

enum audit_flags { AUDIT_READ_ONLY = 1u << 0 };

/* Read-only: ERR_NOTFOUND when there is no trail of this domain. Otherwise the repository is made. */
MUST_CHECK int audit_open(struct audit **out, const char *state_dir, struct slice domain, unsigned flags,
			  struct err *err);
void audit_close(struct audit *t); /* NULL allowed; forgets what was not committed */
/* The name of the domain's branch, "refs/heads/...". */
const char *audit_ref(const struct audit *t);
/* The last commit of the branch. */
MUST_CHECK int audit_head(struct audit *t, char id[AUDIT_ID_SIZE], struct err *err);

/* ---- writing ---- */

struct audit_trailer {
	const char *key; /* without "Settle-" */
	struct slice value;
};

enum audit_event_flags { AUDIT_CLEAR = 1u << 0 }; /* nothing of the tree before is in force any more */

struct audit_event {
	const char *event;    /* one word: "patch", "commit", ... */
	struct slice subject; /* one line for people */
	struct slice text;    /* lines for people, or SLICE_NONE */
	const struct audit_trailer *trailers;
	size_t n_trailers;
	int64_t time_us;
	unsigned flags;      /* AUDIT_CLEAR */
	const char *back_to; /* id of a commit of this branch: what was in force after it is so again; or NULL */
};

/* Waits for another writer up to a minute: ERR_BUSY then. */
MUST_CHECK int audit_begin(struct audit *t, struct err *err);
/* A file; path: parts of [A-Za-z0-9._%-] joined by '/'. The bytes are written through. Of a path put twice the last
 * counts. */
MUST_CHECK int audit_put(struct audit *t, struct slice path, struct slice bytes, struct err *err);
/* Takes the file out of the tree, if it is there. */
MUST_CHECK int audit_remove(struct audit *t, struct slice path, struct err *err);
MUST_CHECK int audit_commit(struct audit *t, const struct audit_event *e, char id[AUDIT_ID_SIZE], struct err *err);
/* Between begin and commit: could the branch go on from its last commit, and is there room for small files? Nothing
 * of it stays. */
MUST_CHECK int audit_check(struct audit *t, struct err *err);
void audit_rollback(struct audit *t);
/* How many files were put or removed since audit_begin. */
size_t audit_pending(const struct audit *t);

/* "KIND/ab/cd/ENCODED SUFFIX": where a file about this id stands; appended to out. */
void audit_path(const char *kind, struct slice id, const char *suffix, struct buf *out);
/* The id in such a path: 0, or -1 when it is no path that audit_path made. */
int audit_path_id(const char *kind, const char *suffix, struct slice path, struct buf *id);

/* ---- reading ---- */

struct audit_entry { /* a commit; slices are borrowed until the function that got it returns */
	char id[AUDIT_ID_SIZE];
	int n_parents;
	int64_t time; /* seconds */
	struct slice author, subject, message;
	struct slice event, domain, status; /* from trailers; SLICE_NONE if absent */
};
struct slice audit_trailer_get(struct slice message, const char *key);

/* 0 = go on, anything else ends the walk and is returned. */
typedef int audit_entry_fn(void *ctx, const struct audit_entry *e, struct err *err);
/* From the last commit to the first. */
MUST_CHECK int audit_walk(struct audit *t, audit_entry_fn *fn, void *ctx, struct err *err);
/* One commit of the branch by the start of its id (at least 4 digits): ERR_NOTFOUND. */
MUST_CHECK int audit_find(struct audit *t, struct slice prefix, struct arena *a, struct audit_entry *out,
			  struct err *err);
/* A file of the last commit: ERR_NOTFOUND. */
MUST_CHECK int audit_read(struct audit *t, struct slice path, struct arena *a, struct slice *bytes, struct err *err);

/* The files of the last commit whose path starts with prefix, in git's order, one after another. Memory: that of one.
 */
struct audit_cursor;
struct audit_file { /* borrowed until the next call */
	struct slice path, bytes;
	struct slice
	    why; /* SLICE_NONE, or what is wrong with it (bytes is SLICE_NONE then; path may be a directory's) */
};
MUST_CHECK int audit_cursor_open(struct audit_cursor **out, struct audit *t, struct slice prefix, struct err *err);
/* *more = 0: there are no more. */
MUST_CHECK int audit_cursor_next(struct audit_cursor *c, struct audit_file *out, int *more, struct err *err);
void audit_cursor_close(struct audit_cursor *c); /* NULL allowed */

/* What is wrong with a file, or directory, of that commit. */
typedef int audit_damage_fn(void *ctx, const char *commit, struct slice path, struct slice why, struct err *err);
/* Reads all files of earlier commits that are no longer in force, so that with those of the last one every object of
 * the branch was read; tells of the damaged ones. Memory: that of one. */
MUST_CHECK int audit_history(struct audit *t, audit_damage_fn *fn, void *ctx, struct err *err);

/* how: "added", "changed" or "removed". */
typedef int audit_change_fn(void *ctx, struct slice path, struct slice how, struct err *err);
/* Paths that this commit put or removed, against its parent. */
MUST_CHECK int audit_changes(struct audit *t, const char *id, audit_change_fn *fn, void *ctx, struct err *err);

#endif
