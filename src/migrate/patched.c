/* patched: cases that differ only in what a patch form of theirs has recorded. */
#include "migrate/page.h"
#include "patch/patch.h"
#include "sql/tables.h"

#include <stdlib.h>

static int by_form_id(const void *key, const void *row)
{
	return slice_cmp(*(const struct slice *)key, ((const struct sql_row *)row)->cells[FORM_ID]);
}

/* A block that cannot be read records nothing: the case then differs, and the trail's check tells why. */
static struct json block_of(const struct sql_row *form, struct arena *a)
{
	struct err err = ERR_INIT;
	struct json body, block = json_object();

	if (json_read(form->cells[FORM_BODY].ptr ? form->cells[FORM_BODY] : SLICE("{}"), a, 0, &body, NULL, &err) ||
	    patch_block_of(&body, a, &block, &err))
		return json_object();
	return block;
}

static void take_patches(struct page *page, struct page_case *c, const struct sql_rows *forms)
{
	c->patches = ARENA_ARRAY(&page->arena, c->n_txns, struct page_patch);
	for (size_t i = 0; i < c->n_txns; i++) {
		const struct sql_row *form;

		if (c->arrived[i].kind != REPLAY_PATCH)
			continue;
		form = forms->n ? bsearch(&c->arrived[i].form_id, forms->v, forms->n, sizeof(*forms->v), by_form_id)
				: NULL;
		if (form)
			c->patches[c->n_patches++] =
			    (struct page_patch){c->arrived[i].form_id, block_of(form, &page->arena)};
	}
}

int page_read_patches(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	static const int by_id[] = {FORM_DOMAIN, FORM_ID};
	struct sql_rows keys = {0}, forms = {0};

	for (size_t i = 0; i < page->cases.n; i++)
		for (size_t k = 0; k < page->cases.v[i].n_txns; k++)
			if (page->cases.v[i].arrived[k].kind == REPLAY_PATCH)
				ARENA_PUSH(&page->arena, &keys,
					   row_pair(&page->arena, r->env->domain, page->cases.v[i].arrived[k].form_id));
	if (keys.n == 0)
		return 0;
	if (sql_select(t, &sql_forms, by_id, 2, keys.v, keys.n, &page->arena, &forms, err))
		return err->code;
	for (size_t i = 0; i < page->cases.n; i++)
		take_patches(page, &page->cases.v[i], &forms);
	return 0;
}

int page_is_patched(struct run *r, const struct page_case *c, const struct json *sql, struct arena *a,
		    struct explain_verdict *out)
{
	struct explain_ids touching;
	struct migrate_comparison cmp;

	if (!sql || !c->n_patches)
		return 0;
	touching = explain_touching_forms(c->txns, c->n_txns, a);
	migrate_compare(r->profile, c->kind, &c->couch, sql, touching.v, touching.n, 0, a, &cmp);
	for (size_t i = c->n_patches; i > 0; i--) {
		if (!patch_is_patched(&r->profile->patch, &cmp.diffs, &c->patches[i - 1].block,
				      c->patches[i - 1].form_id, a))
			continue;
		*out = (struct explain_verdict){.ignored = cmp.ignored};
		return 1;
	}
	return 0;
}

void page_check_foreseen(struct page_case *c, const struct json *sql, struct arena *a)
{
	c->unforeseen = c->foreseen.ptr && !(sql && slice_eq(c->foreseen, patch_digest(sql, a)));
}
