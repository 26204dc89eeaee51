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

/* ---- tree.c: files -> trees ---- */

struct change { /* of one path */
	git_oid id;
	uint32_t removed;
	size_t at; /* order of coming */
	char path[];
};
struct changes { /* the list from malloc, so that it grows without leaving its former selves behind */
	struct change **v;
	size_t n, cap;
};

/* The tree after the changes; base NULL: an empty one. Sorts the changes. */
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
	struct changes changes;
	git_oid parent;
	int has_parent;
};

/* ERR_STATE with what libgit2 says; "WHAT: ...". Returns the code. */
int audit_git_err(struct err *err, int rc, const char *what);
/* *has = 0 when the branch is not there. */
MUST_CHECK int audit_head_oid(struct audit *t, git_oid *out, int *has, struct err *err);

#endif
