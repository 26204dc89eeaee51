/* store.c: databases, documents and the index by id. Revisions are in revision.c, sequence strings in sequence.c. */
#include "config.h"

#include "tests/server/store.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_SLOTS 64

void *xgrow(void *ptr, size_t size)
{
	void *p = realloc(ptr, size ? size : 1);

	if (!p) {
		fputs("couchd: out of memory\n", stderr);
		exit(6);
	}
	return p;
}

void *xalloc(size_t size)
{
	void *p = xgrow(NULL, size);

	memset(p, 0, size);
	return p;
}

struct slice xslice(struct slice s)
{
	char *copy = xgrow(NULL, s.len + 1);

	if (s.len)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = 0;
	return (struct slice){copy, s.len};
}

struct db *store_db(const struct store *s, struct slice name)
{
	for (struct db *db = s->dbs; db; db = db->next)
		if (slice_is(name, db->name))
			return db;
	return NULL;
}

static void name_sequences(struct db *db)
{
	int n =
	    snprintf(db->seq_text, sizeof(db->seq_text), "-g1AAAACbeJzLYWBgYMpgTmEQTM4v%sDNLXMwBCwxyQVB4L", db->uuid);

	if (n < 0 || (size_t)n >= sizeof(db->seq_text))
		abort();
}

struct db *store_create(struct store *s, struct slice name, const char *uuid, long long start_time)
{
	struct db *db = xalloc(sizeof(*db));

	db->name = (char *)xslice(name).ptr;
	db->uuid = (char *)xslice(slice_of(uuid)).ptr;
	db->security =
	    (char *)xslice(SLICE("{\"members\":{\"roles\":[\"_admin\"]},\"admins\":{\"roles\":[\"_admin\"]}}")).ptr;
	db->start_time = start_time;
	db->slot_count = FIRST_SLOTS;
	db->slots = xalloc(FIRST_SLOTS * sizeof(struct doc *));
	db->refs = 1;
	name_sequences(db);
	db->next = s->dbs;
	s->dbs = db;
	s->changes++;
	return db;
}

static void doc_free(struct doc *doc)
{
	while (doc->leaves) {
		struct leaf *next = doc->leaves->next;

		leaf_free(doc->leaves);
		doc->leaves = next;
	}
	free((char *)doc->id.ptr);
	free((char *)doc->id_json.ptr);
	free(doc);
}

static void db_free(struct db *db)
{
	for (size_t i = 0; i < db->doc_total; i++)
		doc_free(db->by_id[i]);
	for (size_t i = 0; i < db->local_count; i++) {
		free((char *)db->locals[i].id.ptr);
		free((char *)db->locals[i].body.ptr);
	}
	free(db->locals);
	free(db->by_id);
	free(db->by_seq);
	free(db->slots);
	free(db->security);
	free(db->uuid);
	free(db->name);
	free(db);
}

struct db *db_hold(struct db *db)
{
	db->refs++;
	return db;
}

void db_let_go(struct db *db)
{
	if (db && --db->refs == 0)
		db_free(db);
}

void store_drop(struct store *s, struct db *db)
{
	struct db **at = &s->dbs;

	while (*at != db)
		at = &(*at)->next;
	*at = db->next;
	db->dropped = 1;
	s->changes++;
	db_let_go(db);
}

void store_release(struct store *s)
{
	while (s->dbs)
		store_drop(s, s->dbs);
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash(struct slice s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (uint8_t)s.ptr[i]) * 0x100000001b3u;
	return h;
}

/* Where this id is, or where it would go. */
static struct doc **slot_of(const struct db *db, struct slice id)
{
	size_t i = hash(id) & (db->slot_count - 1);

	while (db->slots[i] && !slice_eq(db->slots[i]->id, id))
		i = (i + 1) & (db->slot_count - 1);
	return &db->slots[i];
}

struct doc *db_doc(const struct db *db, struct slice id)
{
	return *slot_of(db, id);
}

static void rehash(struct db *db, size_t slot_count)
{
	free(db->slots);
	db->slot_count = slot_count;
	db->slots = xalloc(db->slot_count * sizeof(struct doc *));
	for (size_t i = 0; i < db->doc_total; i++)
		*slot_of(db, db->by_id[i]->id) = db->by_id[i];
}

static void list_by_id(struct db *db, struct doc *doc)
{
	if (db->doc_total == db->by_id_cap) {
		db->by_id_cap = db->by_id_cap ? db->by_id_cap * 2 : 64;
		db->by_id = xgrow(db->by_id, db->by_id_cap * sizeof(struct doc *));
	}
	if (db->by_id_sorted == db->doc_total &&
	    (db->doc_total == 0 || slice_cmp(db->by_id[db->doc_total - 1]->id, doc->id) < 0))
		db->by_id_sorted++;
	db->by_id[db->doc_total++] = doc;
}

struct doc *db_doc_make(struct db *db, struct slice id)
{
	struct doc *doc = db_doc(db, id);
	struct buf json = BUF_INIT(SIZE_MAX / 2);

	if (doc)
		return doc;
	if (db->doc_total * 2 >= db->slot_count)
		rehash(db, db->slot_count * 2);
	doc = xalloc(sizeof(*doc));
	doc->id = xslice(id);
	json_write_string(id, &json);
	doc->id_json = xslice(buf_slice(&json));
	buf_release(&json);
	*slot_of(db, id) = doc;
	list_by_id(db, doc);
	return doc;
}

static int by_id_order(const void *a, const void *b)
{
	return slice_cmp((*(struct doc *const *)a)->id, (*(struct doc *const *)b)->id);
}

void db_sort(struct db *db)
{
	if (db->by_id_sorted < db->doc_total)
		qsort(db->by_id, db->doc_total, sizeof(struct doc *), by_id_order);
	db->by_id_sorted = db->doc_total;
}

/* Counts what the document adds to the database's numbers, or takes away again. */
static void count_doc(struct db *db, const struct doc *doc, uint64_t by)
{
	if (!doc->leaves)
		return;
	if (doc->leaves->deleted)
		db->del_count += by;
	else
		db->doc_count += by;
	db->text_bytes += by * doc->leaves->text_len;
}

/* doc NULL: a change that no row tells of. */
static void take_sequence(struct db *db, struct doc *doc)
{
	if (doc && doc->seq)
		db->by_seq[doc->seq - 1] = NULL;
	if (db->update_seq == db->seq_cap) {
		db->seq_cap = db->seq_cap ? db->seq_cap * 2 : 64;
		db->by_seq = xgrow(db->by_seq, db->seq_cap * sizeof(struct doc *));
	}
	db->by_seq[db->update_seq++] = doc;
	if (doc)
		doc->seq = db->update_seq;
}

/* Not deleted first, then the longest history, then the id in byte order. */
static int wins(const struct leaf *a, const struct leaf *b)
{
	if (a->deleted != b->deleted)
		return !a->deleted;
	if (a->gen != b->gen)
		return a->gen > b->gen;
	return slice_cmp(leaf_rev_id(a), leaf_rev_id(b)) > 0;
}

void db_put_leaf(struct store *s, struct db *db, struct doc *doc, struct leaf *leaf, struct leaf *parent)
{
	struct leaf **at = &doc->leaves;

	count_doc(db, doc, (uint64_t)-1);
	while (parent && *at != parent)
		at = &(*at)->next;
	if (parent) {
		*at = parent->next;
		leaf_free(parent);
	}
	for (at = &doc->leaves; *at && !wins(leaf, *at);)
		at = &(*at)->next;
	leaf->next = *at;
	*at = leaf;
	count_doc(db, doc, 1);
	take_sequence(db, doc);
	s->changes++;
}

static void forget_doc(struct db *db, struct doc *doc)
{
	size_t i = 0;

	while (db->by_id[i] != doc)
		i++;
	memmove(db->by_id + i, db->by_id + i + 1, (db->doc_total - i - 1) * sizeof(*db->by_id));
	db->doc_total--;
	if (i < db->by_id_sorted)
		db->by_id_sorted--;
	rehash(db, db->slot_count);
	db->by_seq[doc->seq - 1] = NULL;
	doc_free(doc);
}

void db_purge_leaf(struct store *s, struct db *db, struct doc *doc, struct leaf *leaf)
{
	struct leaf **at = &doc->leaves;

	count_doc(db, doc, (uint64_t)-1);
	while (*at != leaf)
		at = &(*at)->next;
	*at = leaf->next;
	leaf_free(leaf);
	count_doc(db, doc, 1);
	db->purges++;
	if (doc->leaves) {
		take_sequence(db, doc);
	} else {
		forget_doc(db, doc);
		take_sequence(db, NULL);
	}
	s->changes++;
}

uint64_t db_pending(const struct db *db, uint64_t since, uint64_t upto)
{
	uint64_t n = 0;

	if (since == 0 && upto == db->update_seq)
		return db->doc_total;
	for (uint64_t i = since; i < upto; i++)
		n += db->by_seq[i] != NULL;
	return n;
}

const struct local_doc *local_get(const struct db *db, struct slice id)
{
	for (size_t i = 0; i < db->local_count; i++)
		if (slice_eq(db->locals[i].id, id))
			return &db->locals[i];
	return NULL;
}

static void local_remove(struct db *db, struct local_doc *doc)
{
	free((char *)doc->id.ptr);
	free((char *)doc->body.ptr);
	*doc = db->locals[--db->local_count];
}

void local_put(struct db *db, struct slice id, struct slice body, uint64_t rev)
{
	struct local_doc *old = (struct local_doc *)local_get(db, id);
	struct local_doc made = {.id = xslice(id), .rev = rev};

	if (body.ptr)
		made.body = xslice(body);
	if (old)
		local_remove(db, old);
	if (!body.ptr) {
		free((char *)made.id.ptr);
		return;
	}
	db->locals = xgrow(db->locals, (db->local_count + 1) * sizeof(*db->locals));
	db->locals[db->local_count++] = made;
}
