#include "config.h"

#include "tests/unit/state_place.h"

#include "base/buf.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int make_place(void **state)
{
	struct place *p = test_calloc(1, sizeof(*p));
	memcpy(p->dir, "/tmp/settle-state-XXXXXX", sizeof("/tmp/settle-state-XXXXXX"));
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->file, sizeof(p->file), "%s/domains/demo/state.db", p->dir);
	*state = p;
	return 0;
}

int make_state(void **state)
{
	make_place(state);
	struct place *p = *state;
	MUST(state_open(&p->s, p->dir, SLICE("demo"), 0, &must));
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int remove_place(void **state)
{
	struct place *p = *state;
	state_close(p->s);
	arena_release(&p->a);
	chmod(p->dir, 0700);
	int rc = nftw(p->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	test_free(p);
	return rc;
}

void reopen(struct place *p)
{
	state_close(p->s);
	p->s = NULL;
	MUST(state_open(&p->s, p->dir, SLICE("demo"), 0, &must));
}

void put_doc(struct place *p, const char *kind, const char *id, const char *ignored, const char *diffs,
	     const char *changes)
{
	struct state_doc doc = {.kind = slice_of(kind),
				.id = slice_of(id),
				.ignored = slice_of(ignored),
				.diffs = slice_of(diffs),
				.changes = slice_of(changes)};
	MUST(state_doc_put(p->s, &doc, &must));
}

int put_case(struct place *p, const char *id, const char *rev, const char *body)
{
	int same = 7;
	struct state_case c = {.kind = SLICE("CommCareCase"),
			       .id = slice_of(id),
			       .rev = slice_of(rev),
			       .body = slice_of(body),
			       .deleted = body == NULL};
	MUST(state_case_put(p->s, &c, &same, &must));
	return same;
}

void compared(struct place *p, const char *id, const char *ignored, const char *diffs, const char *changes,
	      enum state_missing missing)
{
	struct state_doc doc = {.kind = SLICE("CommCareCase"),
				.id = slice_of(id),
				.ignored = slice_of(ignored),
				.diffs = slice_of(diffs),
				.changes = slice_of(changes)};
	MUST(state_case_compared(p->s, &doc, missing, &must));
	MUST(state_pending_clear(p->s, doc.id, &must));
}

void put_reject(struct place *p, const char *kind, const char *id, const char *reason)
{
	struct state_reject r = {.kind = slice_of(kind), .id = slice_of(id), .reason = slice_of(reason)};
	MUST(state_reject_put(p->s, &r, &must));
}

struct state_counts counts_of(struct place *p)
{
	struct state_counts c;
	MUST(state_counts(p->s, &c, &must));
	return c;
}

void assert_kinds(struct place *p, const char *expected)
{
	struct state_kinds kinds;
	struct buf text = BUF_INIT(10000);
	MUST(state_kinds(p->s, &p->a, &kinds, &must));
	for (size_t i = 0; i < kinds.n; i++) {
		const struct state_kind_counts *k = &kinds.v[i];
		buf_fmt(&text, "%s%.*s %d/%d/%d/%d/%d", i ? " " : "", SLICE_ARG(k->kind), (int)k->docs, (int)k->diffs,
			(int)k->missing, (int)k->changes, (int)k->rejects);
	}
	assert_string_equal(buf_slice(&text).ptr, expected);
	buf_release(&text);
}

void assert_traits(struct place *p, const char *expected)
{
	struct state_kinds kinds;
	struct buf text = BUF_INIT(10000);
	MUST(state_kinds(p->s, &p->a, &kinds, &must));
	for (size_t i = 0; i < kinds.n; i++)
		buf_fmt(&text, "%s%.*s %d/%d", i ? " " : "", SLICE_ARG(kinds.v[i].kind), (int)kinds.v[i].ledgers,
			(int)kinds.v[i].key_twice);
	assert_string_equal(buf_slice(&text).ptr, expected);
	buf_release(&text);
}

void assert_ignored(struct place *p, const char *expected)
{
	struct state_tallies tallies;
	struct buf text = BUF_INIT(10000);
	MUST(state_ignored(p->s, &p->a, &tallies, &must));
	for (size_t i = 0; i < tallies.n; i++)
		buf_fmt(&text, "%s%.*s=%d", i ? " " : "", SLICE_ARG(tallies.v[i].rule), (int)tallies.v[i].count);
	assert_string_equal(buf_slice(&text).ptr, expected);
	buf_release(&text);
}

void assert_list(struct place *p, enum state_list which, const char *expected)
{
	struct buf text = BUF_INIT(10000);
	struct slice kind = SLICE_NONE, id = SLICE_NONE;
	struct state_items items;
	do {
		MUST(state_list(p->s, which, kind, id, 2, &p->a, &items, &must));
		assert_in_range(items.n, 0, 2);
		for (size_t i = 0; i < items.n; i++) {
			kind = items.v[i].kind;
			id = items.v[i].id;
			buf_fmt(&text, "%s%.*s:%.*s=%.*s", text.len ? " " : "", SLICE_ARG(kind), SLICE_ARG(id),
				SLICE_ARG(items.v[i].json));
		}
	} while (items.n);
	assert_string_equal(buf_slice(&text).ptr, expected);
	buf_release(&text);
}

void assert_pending(struct place *p, const char *expected)
{
	struct buf text = BUF_INIT(10000);
	struct slice after = SLICE_NONE;
	struct state_cases cases;
	do {
		MUST(state_case_pending(p->s, after, 2, &p->a, &cases, &must));
		for (size_t i = 0; i < cases.n; i++) {
			assert_int_equal(cases.v[i].pending, 1);
			after = cases.v[i].id;
			buf_fmt(&text, "%s%.*s@%.*s", text.len ? " " : "", SLICE_ARG(after), SLICE_ARG(cases.v[i].rev));
		}
	} while (cases.n);
	assert_string_equal(buf_slice(&text).ptr, expected);
	buf_release(&text);
}

int rows_in(struct place *p, const char *sql)
{
	struct lite_stmt *stmt;
	int row, n;
	MUST(lite_stmt(p->s->db, sql, &stmt, &must));
	MUST(lite_step(stmt, &row, &must));
	n = (int)lite_int(stmt, 0);
	lite_done(stmt);
	return n;
}
