/*
 * store: the databases of the stand-in, in memory. A document keeps its leaf revisions as ready-made JSON text;
 * interior revisions are remembered by name only. Every change of a document takes the next sequence number of its
 * database.
 *
 * Invariants: a document's leaves are sorted, the winner (CouchDB's rule) first; a document owns exactly one slot of
 * by_seq; documents and databases are never moved, and a dropped database lives until its last reader lets go. Lack of
 * memory ends the process. Threads: one.
 */
#ifndef SETTLE_TESTS_STORE_H
#define SETTLE_TESTS_STORE_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdint.h>

struct attachment {
	struct slice name;      /* bytes */
	struct slice type_json; /* content_type as JSON text */
	struct slice digest;    /* "md5-..." */
	struct slice data;      /* bytes; ptr NULL when only a stub is known */
	uint64_t length;
	uint64_t revpos;
};

struct leaf {
	struct leaf *next;
	char *text;      /* {"_id":..,"_rev":..[,members][,"_deleted":true][,"_attachments":{stubs}]} */
	size_t text_len; /* of the whole */
	size_t core_len; /* of the part before ,"_attachments" and the closing brace */
	char *path;      /* "id","parent","grandparent": the ids of this revision and its ancestors, as in _revisions */
	size_t rev_len;  /* of the id at path + 1 */
	uint64_t gen;
	struct attachment *atts;
	size_t att_count;
	int deleted;
	int as_is; /* text is what a recorded feed showed, JSON or not: nothing can be added to it */
};

struct doc {
	struct slice id;      /* bytes */
	struct slice id_json; /* with quotes */
	struct leaf *leaves;
	uint64_t seq;
};

struct local_doc {
	struct slice id;   /* without _local/ */
	struct slice body; /* members only: "a":1,"b":2 */
	uint64_t rev;
};

struct db {
	struct db *next;
	char *name;
	char *uuid; /* 32 hex digits; also the seed of the sequence strings */
	char *security;
	long long start_time; /* seconds */
	struct doc **slots;   /* hash table by id, open addressing */
	size_t slot_count;
	struct doc **by_seq; /* [seq - 1]; NULL where a later change took over */
	size_t seq_cap;
	uint64_t update_seq;
	uint64_t purges; /* revisions that were purged */
	struct doc **by_id; /* all documents; sorted up to by_id_sorted */
	size_t doc_total, by_id_cap, by_id_sorted;
	uint64_t doc_count, del_count, text_bytes;
	struct local_doc *locals;
	size_t local_count;
	char seq_text[96]; /* the part of a sequence string that all of this database share */
	unsigned refs;
	int dropped;
};

struct store {
	struct db *dbs;
	uint64_t changes; /* counts every change of any database, so that waiting feeds know when to look */
};

void *xalloc(size_t size); /* zeroed */
void *xgrow(void *ptr, size_t size);
struct slice xslice(struct slice s); /* a copy on the heap, NUL-terminated */

struct db *store_db(const struct store *s, struct slice name); /* or NULL */
/* A database that does not exist yet. uuid: 32 hex digits. */
struct db *store_create(struct store *s, struct slice name, const char *uuid, long long start_time);
void store_drop(struct store *s, struct db *db);
void store_release(struct store *s);

/* Readers that outlive one request hold the database. */
struct db *db_hold(struct db *db);
void db_let_go(struct db *db);

struct doc *db_doc(const struct db *db, struct slice id); /* or NULL */
/* The document, made without leaves when it is not there; a leaf must follow. */
struct doc *db_doc_make(struct db *db, struct slice id);
/* Puts a leaf in (owned from then on) in place of `parent` (a leaf of this document, or NULL) and gives the document
 * the next sequence. */
void db_put_leaf(struct store *s, struct db *db, struct doc *doc, struct leaf *leaf, struct leaf *parent);
/* Takes a leaf out as if it had never been; without leaves the document goes too. No row of the feed tells. */
void db_purge_leaf(struct store *s, struct db *db, struct doc *doc, struct leaf *leaf);
/* The ids in byte order: db->by_id[0 .. doc_total), deleted ones among them. */
void db_sort(struct db *db);
/* Changed documents with a sequence in (since, upto]. */
uint64_t db_pending(const struct db *db, uint64_t since, uint64_t upto);

void leaf_free(struct leaf *leaf);
static inline struct slice leaf_rev_id(const struct leaf *leaf)
{
	return (struct slice){leaf->path + 1, leaf->rev_len};
}
void leaf_rev(const struct leaf *leaf, struct buf *out); /* "2-abc" without quotes */
/* The leaf "N-id", or NULL. */
struct leaf *doc_leaf(const struct doc *doc, uint64_t gen, struct slice rev_id);
/* Does any leaf or an ancestor of one carry this revision? */
int doc_knows(const struct doc *doc, uint64_t gen, struct slice rev_id);
/* Reads "N-id"; 0, or -1. */
int rev_parse(struct slice rev, uint64_t *gen, struct slice *id);

void local_put(struct db *db, struct slice id, struct slice body, uint64_t rev); /* body.ptr NULL removes it */
const struct local_doc *local_get(const struct db *db, struct slice id);         /* or NULL */

/* "N-opaque", without quotes. */
void seq_write(const struct db *db, uint64_t seq, struct buf *out);
/* A sequence of this database gives its number, one of another database 0 (as CouchDB does); 0, or -1 when it is
 * neither. */
int seq_parse(const struct db *db, struct slice text, uint64_t *seq);

#endif
