/* page_write: a page's rows into the target: transactions' dates, cases, indices and attachments. */
#include "migrate/page.h"

#include <stdlib.h>

/* ---- dates of transactions ---- */

static int by_row(const void *key, const void *row)
{
	const struct replay_txn *txn = key;
	const struct slice *cells = ((const struct sql_row *)row)->cells;
	int order = slice_cmp(txn->form_id, cells[TXN_FORM_ID]);
	long long position = row_to_int(cells[TXN_POSITION]);

	return order ? order : (txn->position > position) - (txn->position < position);
}

static int same_cell(struct slice a, struct slice b)
{
	return !a.ptr == !b.ptr && slice_eq(a, b);
}

/* The rows whose dates do not say the order that was found; those of a case that was sorted and is no longer among
 * them. */
static void redate(struct page *page, const struct page_case *c, struct sql_rows *out)
{
	for (size_t i = 0; i < c->n_txns; i++) {
		struct sql_row *row =
		    bsearch(&c->txns[i], c->txn_rows.v, c->txn_rows.n, sizeof(*c->txn_rows.v), by_row);
		struct sql_row dated = row_new(&page->arena, TXN_COLUMNS);

		memcpy(dated.cells, row->cells, TXN_COLUMNS * sizeof(*row->cells));
		mapping_put_dates(&dated, c->txns[i].server_date, mapping_original_date(row));
		if (!same_cell(dated.cells[TXN_SERVER_DATE], row->cells[TXN_SERVER_DATE]) ||
		    !same_cell(dated.cells[TXN_ORIGINAL_SERVER_DATE], row->cells[TXN_ORIGINAL_SERVER_DATE]))
			ARENA_PUSH(&page->arena, out, dated);
	}
}

static int was_sorted(const struct page_case *c)
{
	for (size_t i = 0; i < c->txn_rows.n; i++)
		if (c->txn_rows.v[i].cells[TXN_ORIGINAL_SERVER_DATE].ptr)
			return 1;
	return 0;
}

static int write_dates(struct sql_target *t, struct page *page, struct err *err)
{
	struct sql_rows rows = {0};
	enum sql_outcome *outcomes;

	for (size_t i = 0; i < page->cases.n; i++) {
		const struct page_case *c = &page->cases.v[i];

		if (c->txns != c->arrived || was_sorted(c))
			redate(page, c, &rows);
	}
	if (rows.n == 0)
		return 0;
	outcomes = ARENA_ARRAY(&page->arena, rows.n, enum sql_outcome);
	return sql_put(t, &sql_case_transactions, rows.v, rows.n, outcomes, &page->arena, NULL, err);
}

/* ---- cases ---- */

static int delete_children(struct run *r, struct sql_target *t, struct arena *a, const struct sql_rows *cases,
			   struct err *err)
{
	static const int by_case[] = {INDEX_DOMAIN, INDEX_CASE_ID};
	static const int by_owner[] = {ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID};
	struct sql_rows owners = {0};

	if (cases->n == 0)
		return 0;
	for (size_t i = 0; i < cases->n; i++) {
		struct sql_row o = row_new(a, 3);

		o.cells[0] = r->env->domain;
		o.cells[1] = SLICE("case");
		o.cells[2] = cases->v[i].cells[1];
		ARENA_PUSH(a, &owners, o);
	}
	if (sql_delete(t, &sql_case_indices, by_case, 2, cases->v, cases->n, a, NULL, err) ||
	    sql_delete(t, &sql_attachments, by_owner, 3, owners.v, owners.n, a, NULL, err))
		return err->code;
	return 0;
}

/* What is left of a case whose forms are all gone: it, deleted (DOCUMENTS section 4). Depends on nothing that was there
 * before. */
static int empty_case(struct run *r, struct page *page, const struct page_case *c, struct sql_rows *out,
		      struct err *err)
{
	struct mapping_case_source src = {.kind = c->kind, .tombstone = 1};
	struct replay_case folded;
	struct mapping_case mapped;

	if (c->has_couch)
		src.couch_rev = c->spooled.rev;
	replay_fold(&replay_dialect_sql, NULL, 0, &page->arena, &folded);
	folded.case_id = c->id;
	if (mapping_case(r->env->domain, &folded, &src, &page->arena, &mapped, err))
		return err_prefix(err, "case %.*s", SLICE_ARG(c->id));
	ARENA_PUSH(&page->arena, out, mapped.row);
	return 0;
}

/* Cases without transactions have no row; one that was there stays, emptied and marked deleted. */
static int settle_rowless(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	static const int by_id[] = {CASE_DOMAIN, CASE_ID};
	struct sql_rows keys = {0}, held = {0}, emptied = {0}, emptied_keys = {0};
	enum sql_outcome *outcomes;
	size_t at = 0;

	for (size_t i = 0; i < page->cases.n; i++)
		if (!page->cases.v[i].has_row)
			ARENA_PUSH(&page->arena, &keys, row_pair(&page->arena, r->env->domain, page->cases.v[i].id));
	if (keys.n == 0)
		return 0;
	if (sql_select(t, &sql_cases, by_id, 2, keys.v, keys.n, &page->arena, &held, err))
		return err->code;
	for (size_t i = 0; i < page->cases.n; i++) {
		struct page_case *c = &page->cases.v[i];
		struct sql_rows row = page_rows_of(&held, CASE_ID, c->id, &at);

		if (c->has_row || row.n == 0)
			continue;
		if (empty_case(r, page, c, &emptied, err))
			return err->code;
		ARENA_PUSH(&page->arena, &emptied_keys, row_pair(&page->arena, r->env->domain, c->id));
	}
	if (emptied.n == 0)
		return 0;
	outcomes = ARENA_ARRAY(&page->arena, emptied.n, enum sql_outcome);
	if (sql_put(t, &sql_cases, emptied.v, emptied.n, outcomes, &page->arena, NULL, err))
		return err->code;
	return delete_children(r, t, &page->arena, &emptied_keys, err);
}

static int write_cases(struct sql_target *t, struct page *page, struct err *err)
{
	struct sql_rows rows = {0};
	struct sql_row *back = NULL;
	enum sql_outcome *outcomes;
	size_t n = 0;

	for (size_t i = 0; i < page->cases.n; i++)
		if (page->cases.v[i].has_row)
			ARENA_PUSH(&page->arena, &rows, page->cases.v[i].mapped.row);
	if (rows.n == 0)
		return 0;
	outcomes = ARENA_ARRAY(&page->arena, rows.n, enum sql_outcome);
	if (sql_put(t, &sql_cases, rows.v, rows.n, outcomes, &page->arena, &back, err))
		return err->code;
	for (size_t i = 0; i < page->cases.n; i++)
		if (page->cases.v[i].has_row)
			page->cases.v[i].back = &back[n++];
	return 0;
}

/* ---- indices and attachments ---- */

static int same_rows(const struct sql_rows *a, const struct sql_rows *b, int columns)
{
	if (a->n != b->n)
		return 0;
	for (size_t i = 0; i < a->n; i++)
		for (int k = 0; k < columns; k++)
			if (!same_cell(a->v[i].cells[k], b->v[i].cells[k]))
				return 0;
	return 1;
}

int page_read_children(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	static const int by_case[] = {INDEX_DOMAIN, INDEX_CASE_ID};
	static const int by_owner[] = {ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID};
	struct sql_row *keys = ARENA_ARRAY(&page->arena, page->cases.n, struct sql_row);
	struct sql_row *owners = ARENA_ARRAY(&page->arena, page->cases.n, struct sql_row);
	struct sql_rows indices = {0}, attachments = {0};
	size_t at_index = 0, at_att = 0;

	for (size_t i = 0; i < page->cases.n; i++) {
		keys[i] = row_pair(&page->arena, r->env->domain, page->cases.v[i].id);
		owners[i] = row_new(&page->arena, 3);
		owners[i].cells[0] = r->env->domain;
		owners[i].cells[1] = SLICE("case");
		owners[i].cells[2] = page->cases.v[i].id;
	}
	if (sql_select(t, &sql_case_indices, by_case, 2, keys, page->cases.n, &page->arena, &indices, err) ||
	    sql_select(t, &sql_attachments, by_owner, 3, owners, page->cases.n, &page->arena, &attachments, err))
		return err->code;
	for (size_t i = 0; i < page->cases.n; i++) {
		struct page_case *c = &page->cases.v[i];

		c->indices = page_rows_of(&indices, INDEX_CASE_ID, c->id, &at_index);
		c->attachments = page_rows_of(&attachments, ATT_OWNER_ID, c->id, &at_att);
	}
	return 0;
}

static void append(struct arena *a, struct sql_rows *to, const struct sql_rows *from)
{
	for (size_t i = 0; i < from->n; i++)
		ARENA_PUSH(a, to, from->v[i]);
}

/* Replaces the indices and attachments of cases whose own differ from those in SQL. */
static int write_children(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	struct sql_rows changed = {0}, indices = {0}, attachments = {0};

	for (size_t i = 0; i < page->cases.n; i++) {
		const struct page_case *c = &page->cases.v[i];

		if (!c->has_row || (same_rows(&c->mapped.indices, &c->indices, INDEX_COLUMNS) &&
				    same_rows(&c->mapped.attachments, &c->attachments, ATT_COLUMNS)))
			continue;
		if (c->indices.n || c->attachments.n)
			ARENA_PUSH(&page->arena, &changed, row_pair(&page->arena, r->env->domain, c->id));
		append(&page->arena, &indices, &c->mapped.indices);
		append(&page->arena, &attachments, &c->mapped.attachments);
	}
	if (delete_children(r, t, &page->arena, &changed, err) ||
	    sql_insert(t, &sql_case_indices, indices.v, indices.n, err) ||
	    sql_insert(t, &sql_attachments, attachments.v, attachments.n, err))
		return err->code;
	return 0;
}

int page_write(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	if (write_dates(t, page, err) || settle_rowless(r, t, page, err) || write_cases(t, page, err) ||
	    page_read_children(r, t, page, err) || write_children(r, t, page, err))
		return err->code;
	return page_read_children(r, t, page, err);
}
