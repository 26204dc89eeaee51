/* patch_journal: going through the journal of a patch pass, and taking away what is done. */
#include "migrate/patch_journal.h"

#define PAGE 200

int patch_journal_each(struct run *r, patch_journal_fn *fn, void *ctx, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct state_patches page;
	int64_t after = 0;
	int rc = 0;

	do {
		arena_reset(&a);
		rc = state_patch_page(r->state, after, PAGE, &a, &page, err);
		if (rc == 0 && page.n) {
			after = page.v[page.n - 1].n;
			rc = fn(ctx, &page, &a, err);
		}
	} while (rc == 0 && page.n == PAGE);
	arena_release(&a);
	return rc;
}

int patch_journal_clear(struct run *r, const struct state_patches *done, struct err *err)
{
	int rc = state_begin(r->state, err);

	for (size_t i = 0; i < done->n && rc == 0; i++)
		rc = state_patch_del(r->state, done->v[i].n, err);
	if (rc == 0)
		return state_commit(r->state, err);
	state_rollback(r->state);
	return rc;
}
