/* page: transactions -> case rows -> what SQL holds -> verdicts, for one page of cases. */
#include "migrate/page.h"

#include <stdio.h>
#include <stdlib.h>

struct page *page_new(void)
{
	struct page *p = calloc(1, sizeof(*p));

	if (!p) {
		fputs("settle: out of memory\n", stderr);
		_Exit(6);
	}
	return p;
}

void page_free(struct page *p)
{
	if (!p)
		return;
	arena_release(&p->arena);
	free(p);
}

struct sql_rows page_rows_of(const struct sql_rows *rows, int column, struct slice id, size_t *at)
{
	size_t first;

	while (*at < rows->n && slice_cmp(rows->v[*at].cells[column], id) < 0)
		(*at)++;
	first = *at;
	while (*at < rows->n && slice_eq(rows->v[*at].cells[column], id))
		(*at)++;
	return (struct sql_rows){.v = first < *at ? rows->v + first : NULL, .n = *at - first};
}

static struct sql_row *page_keys(struct run *r, struct page *page)
{
	struct sql_row *keys = ARENA_ARRAY(&page->arena, page->cases.n, struct sql_row);

	for (size_t i = 0; i < page->cases.n; i++)
		keys[i] = row_pair(&page->arena, r->env->domain, page->cases.v[i].id);
	return keys;
}

static int read_transactions(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	static const int by_case[] = {TXN_DOMAIN, TXN_CASE_ID};
	struct sql_row *keys = page_keys(r, page);
	struct sql_rows rows = {0};
	size_t at = 0;

	if (sql_select(t, &sql_case_transactions, by_case, 2, keys, page->cases.n, &page->arena, &rows, err))
		return err->code;
	for (size_t i = 0; i < page->cases.n; i++) {
		struct page_case *c = &page->cases.v[i];

		c->txn_rows = page_rows_of(&rows, TXN_CASE_ID, c->id, &at);
		c->n_txns = c->txn_rows.n;
		if (mapping_original_transactions(c->txn_rows.v, c->txn_rows.n, &page->arena, &c->arrived, err))
			return err_prefix(err, "case %.*s", SLICE_ARG(c->id));
	}
	return 0;
}

static int read_couch(struct page *page, struct err *err)
{
	for (size_t i = 0; i < page->cases.n; i++) {
		struct page_case *c = &page->cases.v[i];

		if (!c->has_couch || c->spooled.deleted)
			continue;
		if (json_read(c->spooled.body, &page->arena, 0, &c->couch, NULL, err)) {
			err_prefix(err, "spooled case %.*s", SLICE_ARG(c->id));
			return err->code;
		}
	}
	return 0;
}

int page_store(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	if (read_transactions(r, t, page, err) || page_read_patches(r, t, page, err) || read_couch(page, err) || page_fold(r, page, err) ||
	    page_write(r, t, page, err))
		return err->code;
	return page_compare(r, t, page, err);
}

/* ---- looking ---- */

static int read_rows(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	static const int by_id[] = {CASE_DOMAIN, CASE_ID};
	struct sql_rows held = {0};
	size_t at = 0;

	if (sql_select(t, &sql_cases, by_id, 2, page_keys(r, page), page->cases.n, &page->arena, &held, err))
		return err->code;
	for (size_t i = 0; i < page->cases.n; i++)
		page->cases.v[i].back = page_rows_of(&held, CASE_ID, page->cases.v[i].id, &at).v;
	return 0;
}

int page_identify(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	for (size_t i = 0; i < page->cases.n; i++)
		page->cases.v[i].kind = page_kind(r, &page->cases.v[i]);
	return read_rows(r, t, page, err);
}

/* The order that was found when the case was folded is in the rows' dates. */
static int take_order(struct page *page, struct err *err)
{
	for (size_t i = 0; i < page->cases.n; i++) {
		struct page_case *c = &page->cases.v[i];

		if (mapping_transactions(c->txn_rows.v, c->txn_rows.n, &page->arena, &c->txns, err))
			return err_prefix(err, "case %.*s", SLICE_ARG(c->id));
	}
	return 0;
}

int page_look(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	if (page_identify(r, t, page, err) || read_transactions(r, t, page, err) ||
	    page_read_patches(r, t, page, err) || read_couch(page, err) ||
	    take_order(page, err) || page_read_children(r, t, page, err))
		return err->code;
	return page_compare(r, t, page, err);
}
