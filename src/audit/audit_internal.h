/* What the files of the audit room share. Threads: as the handle. */
#ifndef SETTLE_AUDIT_INTERNAL_H
#define SETTLE_AUDIT_INTERNAL_H

#include "audit/audit.h"

#include <git2.h>
#include <stdio.h>

/* ---- pack.c: objects on their way into the repository ---- */

struct pack;

MUST_CHECK int pack_open(struct pack **out, git_odb *odb, const char *directory, struct err *err);
void pack_close(struct pack *p);
/* Gives the object's id. It can be read once pack_flush has been called. */
MUST_CHECK int pack_add(struct pack *p, git_object_t type, struct slice bytes, git_oid *id, struct err *err);
MUST_CHECK int pack_flush(struct pack *p, struct err *err);
/* Is there room for a few objects? Forgets what waits. */
MUST_CHECK int pack_probe(struct pack *p, struct err *err);

/* ---- changes.c: the paths that an event changes ---- */

struct changes;
struct change {
	struct slice path; /* borrowed until the next change */
	git_oid id;        /* of the blob, unless removed */
	int removed;
};

MUST_CHECK int changes_open(struct changes **out, struct err *err);
void changes_close(struct changes *c); /* NULL allowed */
/* id NULL: the path is removed. Of a path added twice the last counts. */
MUST_CHECK int changes_add(struct changes *c, struct slice path, const git_oid *id, struct err *err);
size_t changes_count(const struct changes *c);
/* In byte order of their paths. *more = 0: there are none left. */
MUST_CHECK int changes_first(struct changes *c, struct change *out, int *more, struct err *err);
MUST_CHECK int changes_next(struct changes *c, struct change *out, int *more, struct err *err);

/* ---- tree.c: files -> trees ---- */

/* The tree after the changes; base NULL: an empty one. */
MUST_CHECK int tree_build(git_repository *repo, struct pack *p, const git_oid *base, struct changes *changes,
			  git_oid *out, struct err *err);

/* ---- the handle ---- */

struct audit {
	git_repository *repo;
	git_odb *odb;
	char *ref;
	char *directory;
	struct slice domain;
	unsigned flags;
	struct arena memory;
	/* between begin and commit */
	int lock; /* file descriptor, -1 */
	struct pack *pack;
	struct arena event_memory;
	struct changes *changes;
	git_oid parent;
	int has_parent;
};

/* ERR_STATE with what libgit2 says; "WHAT: ...". Returns the code. */
int audit_git_err(struct err *err, int rc, const char *what);
/* *has = 0 when the branch is not there. */
MUST_CHECK int audit_head_oid(struct audit *t, git_oid *out, int *has, struct err *err);

#endif
