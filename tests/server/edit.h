/*
 * edit: from the JSON text of a document to a leaf revision in the store. The text of members is kept byte for byte
 * (white space between tokens aside); numbers and strings are never taken apart and written again. Threads: one.
 */
#ifndef SETTLE_TESTS_EDIT_H
#define SETTLE_TESTS_EDIT_H

#include "base/arena.h"
#include "base/json.h"
#include "tests/server/journal.h"
#include "tests/server/store.h"

/* Why something was not done, as CouchDB says it. */
struct refusal {
	int status;
	const char *error, *reason;
};
extern const struct refusal refusal_conflict, refusal_missing, refusal_deleted, refusal_bad_json, refusal_bad_rev;

/* A document as it was sent, taken apart. Everything lives in the arena or in the text. */
struct doc_parts {
	struct slice id;   /* ptr NULL: none given */
	struct slice rev;  /* "N-id"; ptr NULL: none given */
	struct slice path; /* of _revisions: "id","parent"; ptr NULL: none given */
	uint64_t gen;      /* of _revisions */
	int deleted;
	struct slice members; /* "a":1,"b":2 without those that begin with _ */
	struct json atts;     /* the _attachments object, or null */
	struct slice as_is;   /* ptr not NULL: the whole text, which is no JSON document; only id, rev and deleted are
				 known besides */
	struct slice revs;    /* text of _conflicts, or ptr NULL (recorded feeds) */
};

/* NULL, or why the text is no document. The text must be valid JSON already. */
const struct refusal *parts_read(struct slice text, struct arena *a, struct doc_parts *out);
/* NULL, or why a document may not be called so. */
const struct refusal *doc_id_check(struct slice id);

struct editor {
	struct store *store;
	struct journal *journal; /* or NULL */
	struct arena *arena;     /* scratch */
};

/* What a client does: a new revision on top of parts->rev (or of nothing). *made: the leaf, borrowed. */
const struct refusal *edit_put(struct editor *e, struct db *db, const struct doc_parts *parts,
			       const struct leaf **made);
/* What a replicator does: this revision, as it is; one already known changes nothing. Stubs without data are believed.
 */
const struct refusal *edit_replicate(struct editor *e, struct db *db, const struct doc_parts *parts);

enum render {
	RENDER_CONFLICTS = 1u << 0,
	RENDER_DELETED_CONFLICTS = 1u << 1,
	RENDER_REVS = 1u << 2,
	RENDER_REVS_INFO = 1u << 3,
	RENDER_ATTACHMENTS = 1u << 4, /* with data */
};
void leaf_render(const struct doc *doc, const struct leaf *leaf, unsigned flags, struct buf *out);

/* Base64 of bytes, with padding. */
void base64_write(struct slice bytes, struct buf *out);

#endif
