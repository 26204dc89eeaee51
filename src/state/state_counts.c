#include "config.h"

#include "state/state_internal.h"

#include "base/json.h"
#include "base/number.h"

#include <stdlib.h>

#define SCAN_PAGE 50000 /* rows of doc read in one go: no reader holds a transaction for longer */

int state_counts(struct state *s, struct state_counts *out, struct err *err)
{
	static const char sql[] =
	    "SELECT (SELECT count(*) FROM pending), (SELECT count(*) FROM reject), (SELECT count(*) FROM diff),"
	    " (SELECT count(*) FROM missing), (SELECT count(*) FROM change),"
	    " (SELECT sum(attachments) FROM doc WHERE attachments > 0 OR conflicts > 0),"
	    " (SELECT sum(conflicts) FROM doc WHERE attachments > 0 OR conflicts > 0)";
	struct lite_stmt *stmt = NULL;
	int row = 0;
	*out = (struct state_counts){0};
	int rc = lite_stmt(s->db, sql, &stmt, err);
	if (rc == 0)
		rc = lite_step(stmt, &row, err);
	if (row)
		*out = (struct state_counts){
		    .pending = lite_int(stmt, 0),
		    .rejects = lite_int(stmt, 1),
		    .diffs = lite_int(stmt, 2),
		    .missing = lite_int(stmt, 3),
		    .changes = lite_int(stmt, 4),
		    .attachments = lite_int(stmt, 5),
		    .conflicts = lite_int(stmt, 6),
		};
	lite_done(stmt);
	return state_told(rc, err);
}

/* ---- going through all documents ---- */

/* Counts that hang on an interned number (a kind, a signature); numbers are small and dense. */
struct tally {
	int64_t docs, diffs, missing, changes, rejects, ledgers, key_twice, ignored;
};

struct tallies {
	struct tally *v;
	size_t n;
};

static struct tally *tally_at(struct tallies *t, struct arena *a, int64_t number)
{
	size_t i = (size_t)number;
	if (i >= t->n) {
		size_t n = i < 64 ? 128 : i * 2;
		t->v = arena_grow(a, t->v, t->n * sizeof(*t->v), n * sizeof(*t->v));
		memset(t->v + t->n, 0, (n - t->n) * sizeof(*t->v));
		t->n = n;
	}
	return &t->v[i];
}

static void tally_kind(struct tallies *kinds, struct arena *a, int64_t kind, int64_t flags)
{
	struct tally *t = tally_at(kinds, a, kind);
	t->docs += (flags & (DOC_SOURCE | DOC_REJECT | DOC_MISSING)) != 0;
	t->diffs += (flags & DOC_DIFF) != 0;
	t->missing += (flags & DOC_MISSING) != 0;
	t->changes += (flags & DOC_CHANGE) != 0;
	t->rejects += (flags & DOC_REJECT) != 0;
	t->ledgers += (flags & DOC_LEDGERS) != 0;
	t->key_twice += (flags & DOC_KEY_TWICE) != 0;
}

/* Reads a page of doc behind *last and moves *last; *n = rows seen. */
static int tally_page(struct state *s, struct buf *last, struct tallies *kinds, struct tallies *signatures,
		      struct arena *a, int *n, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	*n = 0;
	int rc =
	    lite_stmt(s->db, "SELECT id, kind, flags, ignored FROM doc WHERE id > ?1 ORDER BY id LIMIT ?2", &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_bytes(stmt, 1, buf_slice(last));
	lite_bind_int(stmt, 2, SCAN_PAGE);
	while ((rc = lite_step(stmt, &row, err)) == 0 && row) {
		tally_kind(kinds, a, lite_int(stmt, 1), lite_int(stmt, 2));
		tally_at(signatures, a, lite_int(stmt, 3))->ignored++;
		if (++*n == SCAN_PAGE) {
			struct slice id = lite_text(stmt, 0);
			struct buf next = BUF_INIT(SIZE_MAX / 2);
			buf_adds(&next, id);
			lite_done(stmt);
			buf_release(last);
			*last = next;
			return 0;
		}
	}
	lite_done(stmt);
	return rc;
}

static int tally_all(struct state *s, struct tallies *kinds, struct tallies *signatures, struct arena *a,
		     struct err *err)
{
	struct buf last = BUF_INIT(SIZE_MAX / 2);
	int n = 0;
	int rc;
	do
		rc = tally_page(s, &last, kinds, signatures, a, &n, err);
	while (rc == 0 && n == SCAN_PAGE);
	buf_release(&last);
	return rc;
}

/* The text of an interned number. */
static int text_of(struct state *s, const char *sql, size_t number, struct arena *a, struct slice *out, struct err *err)
{
	struct lite_stmt *stmt = NULL;
	int row = 0;
	int rc = lite_stmt(s->db, sql, &stmt, err);
	if (rc != 0)
		return rc;
	lite_bind_int(stmt, 1, (int64_t)number);
	rc = lite_step(stmt, &row, err);
	if (row)
		*out = arena_slice(a, lite_text(stmt, 0));
	else if (rc == 0)
		rc = err_set(err, ERR_STATE, "the state file lacks the text of number %zu", number);
	lite_done(stmt);
	return rc;
}

/* ---- per kind ---- */

static int by_kind(const void *a, const void *b)
{
	return slice_cmp(((const struct state_kind_counts *)a)->kind, ((const struct state_kind_counts *)b)->kind);
}

int state_kinds(struct state *s, struct arena *a, struct state_kinds *out, struct err *err)
{
	struct arena scratch = ARENA_INIT;
	struct tallies kinds = {0}, signatures = {0};
	*out = (struct state_kinds){0};
	int rc = tally_all(s, &kinds, &signatures, &scratch, err);
	for (size_t i = 0; i < kinds.n && rc == 0; i++) {
		const struct tally *t = &kinds.v[i];
		struct state_kind_counts counts = {SLICE_NONE, t->docs,    t->diffs,   t->missing,
						   t->changes, t->rejects, t->ledgers, t->key_twice};
		if (!(t->docs || t->diffs || t->missing || t->changes || t->rejects))
			continue;
		rc = text_of(s, "SELECT text FROM name WHERE n = ?1", i, a, &counts.kind, err);
		if (rc == 0)
			ARENA_PUSH(a, out, counts);
	}
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_kind);
	arena_release(&scratch);
	return state_told(rc, err);
}

/* ---- per rule ---- */

static void add_to_rule(struct state_tallies *out, struct arena *a, struct slice rule, int64_t count)
{
	for (size_t i = 0; i < out->n; i++) {
		if (slice_eq(out->v[i].rule, rule)) {
			out->v[i].count += count;
			return;
		}
	}
	struct state_tally t = {arena_slice(a, rule), count};
	ARENA_PUSH(a, out, t);
}

/* Adds `documents` times what the signature {"rule":count,...} says. */
static int add_signature(struct state_tallies *out, struct arena *a, struct slice text, int64_t documents,
			 struct err *err)
{
	struct arena scratch = ARENA_INIT;
	struct json v;
	int rc = json_read(text, &scratch, 0, &v, NULL, err);
	if (rc == 0 && v.type != JSON_OBJECT)
		rc = ERR_SYNTAX;
	for (uint32_t i = 0; rc == 0 && i < v.count; i++) {
		long long count = 0;
		if (v.members[i].value.type != JSON_NUMBER || !number_to_i64(v.members[i].value.text, &count))
			rc = ERR_SYNTAX;
		else
			add_to_rule(out, a, v.members[i].key, count * documents);
	}
	arena_release(&scratch);
	return rc == 0 ? 0 : err_set(err, ERR_STATE, "the state file holds an unreadable tally of ignored differences");
}

static int by_rule(const void *a, const void *b)
{
	return slice_cmp(((const struct state_tally *)a)->rule, ((const struct state_tally *)b)->rule);
}

int state_ignored(struct state *s, struct arena *a, struct state_tallies *out, struct err *err)
{
	struct arena scratch = ARENA_INIT;
	struct tallies kinds = {0}, signatures = {0};
	struct slice text;
	*out = (struct state_tallies){0};
	int rc = tally_all(s, &kinds, &signatures, &scratch, err);
	for (size_t i = 1; i < signatures.n && rc == 0; i++) {
		if (!signatures.v[i].ignored)
			continue;
		rc = text_of(s, "SELECT text FROM signature WHERE n = ?1", i, &scratch, &text, err);
		if (rc == 0)
			rc = add_signature(out, a, text, signatures.v[i].ignored, err);
	}
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_rule);
	arena_release(&scratch);
	return state_told(rc, err);
}
