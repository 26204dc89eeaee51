/* page: transactions -> case rows -> what SQL holds -> differences, for one page of cases. */
#include "migrate/cases.h"

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

/* ---- reading ---- */

static struct sql_row *page_keys(struct run *r, struct page *page)
{
	struct sql_row *keys = ARENA_ARRAY(&page->arena, page->cases.n, struct sql_row);

	for (size_t i = 0; i < page->cases.n; i++)
		keys[i] = row_pair(&page->arena, r->env->domain, page->cases.v[i].id);
	return keys;
}

/* The run of rows from *at on that belong to this case; rows and cases are both in byte order of case id. */
static size_t rows_of(const struct sql_rows *rows, int column, struct slice id, size_t *at)
{
	size_t first;

	while (*at < rows->n && slice_cmp(rows->v[*at].cells[column], id) < 0)
		(*at)++;
	first = *at;
	while (*at < rows->n && slice_eq(rows->v[*at].cells[column], id))
		(*at)++;
	return first;
}

/* n rows from `first` on, as a list of their own. */
static struct sql_rows slice_of_rows(const struct sql_rows *rows, size_t first, size_t end)
{
	return (struct sql_rows){.v = first < end ? rows->v + first : NULL, .n = end - first};
}

static int read_transactions(struct sql_target *t, struct page *page, const struct sql_row *keys, struct err *err)
{
	static const int by_case[] = {TXN_DOMAIN, TXN_CASE_ID};
	struct sql_rows rows = {0};
	size_t at = 0;

	if (sql_select(t, &sql_case_transactions, by_case, 2, keys, page->cases.n, &page->arena, &rows, err))
		return err->code;
	for (size_t i = 0; i < page->cases.n; i++) {
		struct page_case *c = &page->cases.v[i];
		size_t first = rows_of(&rows, TXN_CASE_ID, c->id, &at);

		struct sql_rows own = slice_of_rows(&rows, first, at);

		c->n_txns = own.n;
		if (mapping_transactions(own.v, own.n, &page->arena, &c->txns, err))
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

/* ---- folding ---- */

static struct slice state_kind(const struct profile *p)
{
	for (size_t i = 0; i < p->n_kinds; i++)
		if (p->kinds[i].cls == PROFILE_STATE)
			return p->kinds[i].name;
	return SLICE("document");
}

static int is_deleted_kind(const struct profile *p, struct slice name)
{
	const struct profile_kind *kind = profile_kind(p, name);

	return kind && kind->deleted;
}

static struct mapping_case_source source_of(const struct page_case *c)
{
	struct mapping_case_source src = {.kind = c->kind};

	if (c->has_couch) {
		src.couch_rev = c->spooled.rev;
		src.couch = c->spooled.deleted ? NULL : &c->couch;
		src.tombstone = c->spooled.deleted;
	}
	return src;
}

static int fold(struct run *r, struct page *page, struct page_case *c, struct err *err)
{
	struct replay_case folded;
	struct mapping_case_source src;

	c->kind = c->has_couch && !c->spooled.deleted ? c->spooled.kind : state_kind(r->profile);
	src = source_of(c);
	if (c->n_txns) {
		replay_fold(&replay_dialect_sql, c->txns, c->n_txns, &page->arena, &folded);
		c->has_row = 1;
		return mapping_case(r->env->domain, &folded, &src, &page->arena, &c->mapped, err);
	}
	if (src.couch && is_deleted_kind(r->profile, c->kind)) {
		c->has_row = 1;
		return mapping_case_copy(r->env->domain, &src, &page->arena, &c->mapped, err);
	}
	return 0;
}

/* ---- writing ---- */

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

/* Cases without transactions have no row; one that was there goes, or is marked deleted when Couch deleted it (decision
 * 21). */
static int settle_rowless(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	static const int by_id[] = {CASE_DOMAIN, CASE_ID};
	struct sql_rows keys = {0}, held = {0}, gone = {0}, marked = {0};
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
		size_t first = rows_of(&held, CASE_ID, c->id, &at);

		if (c->has_row || first == at)
			continue;
		if (c->has_couch && c->spooled.deleted) {
			held.v[first].cells[CASE_DELETED] = row_bool(1);
			held.v[first].cells[CASE_COUCH_REV] = c->spooled.rev;
			ARENA_PUSH(&page->arena, &marked, held.v[first]);
		} else {
			ARENA_PUSH(&page->arena, &gone, row_pair(&page->arena, r->env->domain, c->id));
		}
	}
	if (marked.n) {
		enum sql_outcome *outcomes = ARENA_ARRAY(&page->arena, marked.n, enum sql_outcome);

		if (sql_put(t, &sql_cases, marked.v, marked.n, outcomes, &page->arena, NULL, err))
			return err->code;
	}
	if (gone.n == 0)
		return 0;
	if (sql_delete(t, &sql_cases, by_id, 2, gone.v, gone.n, &page->arena, NULL, err))
		return err->code;
	return delete_children(r, t, &page->arena, &gone, err);
}

static int same_rows(const struct sql_rows *a, const struct sql_rows *b, int columns)
{
	if (a->n != b->n)
		return 0;
	for (size_t i = 0; i < a->n; i++)
		for (int k = 0; k < columns; k++) {
			struct slice x = a->v[i].cells[k], y = b->v[i].cells[k];

			if (!x.ptr != !y.ptr || !slice_eq(x, y))
				return 0;
		}
	return 1;
}

struct children { /* of a page, in key order */
	struct sql_rows indices, attachments;
};

static int read_children(struct run *r, struct sql_target *t, struct page *page, const struct sql_row *keys,
			 struct children *out, struct err *err)
{
	static const int by_case[] = {INDEX_DOMAIN, INDEX_CASE_ID};
	static const int by_owner[] = {ATT_DOMAIN, ATT_OWNER_KIND, ATT_OWNER_ID};
	struct sql_row *owners = ARENA_ARRAY(&page->arena, page->cases.n, struct sql_row);

	for (size_t i = 0; i < page->cases.n; i++) {
		owners[i] = row_new(&page->arena, 3);
		owners[i].cells[0] = r->env->domain;
		owners[i].cells[1] = SLICE("case");
		owners[i].cells[2] = page->cases.v[i].id;
	}
	*out = (struct children){0};
	if (sql_select(t, &sql_case_indices, by_case, 2, keys, page->cases.n, &page->arena, &out->indices, err) ||
	    sql_select(t, &sql_attachments, by_owner, 3, owners, page->cases.n, &page->arena, &out->attachments, err))
		return err->code;
	return 0;
}

/* Replaces the indices and attachments of cases whose own differ from those in SQL. */
static int write_children(struct run *r, struct sql_target *t, struct page *page, const struct children *held,
			  struct err *err)
{
	struct sql_rows changed = {0}, indices = {0}, attachments = {0};
	size_t at_index = 0, at_att = 0;

	for (size_t i = 0; i < page->cases.n; i++) {
		struct page_case *c = &page->cases.v[i];
		size_t index = rows_of(&held->indices, INDEX_CASE_ID, c->id, &at_index);
		size_t att = rows_of(&held->attachments, ATT_OWNER_ID, c->id, &at_att);
		struct sql_rows old_indices = slice_of_rows(&held->indices, index, at_index);
		struct sql_rows old_attachments = slice_of_rows(&held->attachments, att, at_att);

		if (!c->has_row || (same_rows(&c->mapped.indices, &old_indices, INDEX_COLUMNS) &&
				    same_rows(&c->mapped.attachments, &old_attachments, ATT_COLUMNS)))
			continue;
		if (old_indices.n || old_attachments.n)
			ARENA_PUSH(&page->arena, &changed, row_pair(&page->arena, r->env->domain, c->id));
		for (size_t k = 0; k < c->mapped.indices.n; k++)
			ARENA_PUSH(&page->arena, &indices, c->mapped.indices.v[k]);
		for (size_t k = 0; k < c->mapped.attachments.n; k++)
			ARENA_PUSH(&page->arena, &attachments, c->mapped.attachments.v[k]);
	}
	if (delete_children(r, t, &page->arena, &changed, err) ||
	    sql_insert(t, &sql_case_indices, indices.v, indices.n, err) ||
	    sql_insert(t, &sql_attachments, attachments.v, attachments.n, err))
		return err->code;
	return 0;
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

/* ---- comparing ---- */

/* Forms that touch the case without doing anything (decision 7): all their blocks are touches. */
static struct slice *touching_forms(const struct page_case *c, struct arena *a, size_t *n)
{
	struct slice *ids = ARENA_ARRAY(a, c->n_txns + 1, struct slice);

	*n = 0;
	for (size_t i = 0; i < c->n_txns; i++) {
		int acts = c->txns[i].kind != REPLAY_TOUCH;

		for (size_t k = 0; k < c->n_txns && !acts; k++)
			acts = c->txns[k].kind != REPLAY_TOUCH && slice_eq(c->txns[k].form_id, c->txns[i].form_id);
		if (!acts)
			ids[(*n)++] = c->txns[i].form_id;
	}
	return ids;
}

static void one_diff(struct page *page, struct page_case *c, enum diff_type type, const char *key,
		     const struct json *old_value, const struct json *new_value)
{
	struct migrate_comparison cmp = {0};
	struct diff_step *path = ARENA_NEW(&page->arena, struct diff_step);
	struct diff d = {.type = type, .path = path, .npath = 1, .old_value = old_value, .new_value = new_value};

	path->key = slice_of(key);
	ARENA_PUSH(&page->arena, &cmp.diffs, d);
	comparison_texts(&cmp, &page->arena, &c->diffs, &c->ignored);
}

/* One side is not there (BEHAVIOUR section 7, decision 19). */
static void compare_one_sided(struct run *r, struct page *page, struct page_case *c)
{
	struct json *old_value = ARENA_NEW(&page->arena, struct json),
		    *new_value = ARENA_NEW(&page->arena, struct json);

	if (c->has_couch) { /* and no row */
		c->missing = 1;
		*old_value = json_str("*");
		one_diff(page, c, DIFF_MISSING, "*", old_value, NULL);
	} else if (c->other_domain.ptr) {
		*old_value = json_string(c->other_domain);
		*new_value = json_string(r->env->domain);
		one_diff(page, c, DIFF_DIFF, "domain", old_value, new_value);
	} else {
		*new_value = json_str("present");
		one_diff(page, c, DIFF_MISSING, "*", NULL, new_value);
	}
}

static int compare_both(struct run *r, struct page *page, struct page_case *c, const struct sql_rows *indices,
			const struct sql_rows *attachments, struct arena *scratch, struct err *err)
{
	struct migrate_comparison cmp = {0};
	struct slice *touching;
	struct json sql;
	size_t n;

	if (mapping_case_sql_json(c->back, indices, attachments, c->txns, c->n_txns, scratch, &sql, err))
		return err_prefix(err, "case %.*s", SLICE_ARG(c->id));
	touching = touching_forms(c, scratch, &n);
	migrate_compare(r->profile, c->kind, &c->couch, &sql, touching, n, 0, scratch, &cmp);
	comparison_texts(&cmp, &page->arena, &c->diffs, &c->ignored);
	return 0;
}

static int compare_case(struct run *r, struct page *page, struct page_case *c, const struct sql_rows *indices,
			const struct sql_rows *attachments, struct arena *scratch, struct err *err)
{
	if (c->has_couch && c->spooled.deleted)
		return 0;
	if (c->has_couch && c->back)
		return compare_both(r, page, c, indices, attachments, scratch, err);
	if (c->has_couch || c->back)
		compare_one_sided(r, page, c);
	return 0;
}

static int compare_page(struct run *r, struct page *page, const struct children *held, struct err *err)
{
	struct arena scratch = ARENA_INIT; /* for one case, then used again */
	size_t at_index = 0, at_att = 0;
	int rc = 0;

	for (size_t i = 0; i < page->cases.n && rc == 0; i++) {
		struct page_case *c = &page->cases.v[i];
		size_t index = rows_of(&held->indices, INDEX_CASE_ID, c->id, &at_index);
		size_t att = rows_of(&held->attachments, ATT_OWNER_ID, c->id, &at_att);
		struct sql_rows indices = slice_of_rows(&held->indices, index, at_index);
		struct sql_rows attachments = slice_of_rows(&held->attachments, att, at_att);

		rc = compare_case(r, page, c, &indices, &attachments, &scratch, err);
		arena_reset(&scratch);
	}
	arena_release(&scratch);
	return rc;
}

int page_store(struct run *r, struct sql_target *t, struct page *page, struct err *err)
{
	struct sql_row *keys = page_keys(r, page);
	struct children held;

	if (read_transactions(t, page, keys, err) || read_couch(page, err))
		return err->code;
	for (size_t i = 0; i < page->cases.n; i++)
		if (fold(r, page, &page->cases.v[i], err))
			return err_prefix(err, "case %.*s", SLICE_ARG(page->cases.v[i].id));
	if (settle_rowless(r, t, page, err) || write_cases(t, page, err) ||
	    read_children(r, t, page, keys, &held, err) || write_children(r, t, page, &held, err) ||
	    read_children(r, t, page, keys, &held, err))
		return err->code;
	return compare_page(r, page, &held, err);
}
