/* page_fold: the order of a case's transactions, and the case they make. */
#include "migrate/page.h"
#include "migrate/sql_only.h"

#include <stdlib.h>

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

static int couch_counts(const struct page_case *c)
{
	return c->has_couch && !c->spooled.deleted;
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

struct slice page_kind(const struct run *r, const struct page_case *c)
{
	if (couch_counts(c) || sql_only_is_mark(r, &c->spooled))
		return c->spooled.kind;
	return state_kind(r->profile);
}

struct explain_case page_question(const struct run *r, const struct page_case *c)
{
	return (struct explain_case){
	    .rules = &r->profile->rules,
	    .kind = c->kind,
	    .domain = r->env->domain,
	    .case_id = c->id,
	    .couch = &c->couch,
	    .txns = c->arrived,
	    .n_txns = c->n_txns,
	};
}

/* ---- order ---- */

struct folder {
	struct run *r;
	const struct page_case *c;
};

static int map_case(const struct folder *f, const struct replay_txn *txns, size_t n, struct arena *a,
		    struct mapping_case *out, struct err *err)
{
	struct mapping_case_source src = source_of(f->c);
	struct replay_case folded;

	replay_fold(&replay_dialect_sql, txns, n, a, &folded);
	return mapping_case(f->r->env->domain, &folded, &src, a, out, err);
}

static int sql_would_say(void *ctx, const struct replay_txn *txns, size_t n, struct arena *a, struct json *out,
			 struct err *err)
{
	struct mapping_case mapped;

	if (map_case(ctx, txns, n, a, &mapped, err))
		return err->code;
	return mapping_case_sql_json(&mapped.row, &mapped.indices, &mapped.attachments, txns, n, a, out, err);
}

/* Patch forms, unknown to Couch, to the end; the others keep their order. Returns how many others there are. */
static size_t set_patches_aside(const struct page_case *c, struct replay_txn *out)
{
	size_t n = 0, others;

	for (size_t i = 0; i < c->n_txns; i++)
		if (c->arrived[i].kind != REPLAY_PATCH)
			out[n++] = c->arrived[i];
	others = n;
	for (size_t i = 0; i < c->n_txns; i++)
		if (c->arrived[i].kind == REPLAY_PATCH)
			out[n++] = c->arrived[i];
	return others;
}

/* A patch form goes where its own date puts it among the sorted ones. */
static int order_transactions(struct run *r, struct page *page, struct page_case *c, struct err *err)
{
	struct explain_case question = page_question(r, c);
	struct folder f = {r, c};
	struct replay_txn *sorted = NULL, *txns;

	c->txns = c->arrived;
	if (!couch_counts(c) || c->n_txns < 2)
		return 0;
	txns = ARENA_ARRAY(&page->arena, c->n_txns, struct replay_txn);
	question.n_txns = set_patches_aside(c, txns);
	question.txns = txns;
	if (explain_order(&question, sql_would_say, &f, &page->arena, &sorted, err))
		return err->code;
	if (!sorted)
		return 0;
	memcpy(txns, sorted, question.n_txns * sizeof(*sorted));
	qsort(txns, c->n_txns, sizeof(*txns), replay_txn_order);
	c->txns = txns;
	return 0;
}

/* ---- folding ---- */

static int fold(struct run *r, struct page *page, struct page_case *c, struct err *err)
{
	struct folder f = {r, c};
	struct mapping_case_source src;

	c->kind = page_kind(r, c);
	if (order_transactions(r, page, c, err))
		return err->code;
	if (c->n_txns) {
		c->has_row = 1;
		return map_case(&f, c->txns, c->n_txns, &page->arena, &c->mapped, err);
	}
	if (couch_counts(c) && is_deleted_kind(r->profile, c->kind)) {
		c->has_row = 1;
		src = source_of(c);
		return mapping_case_copy(r->env->domain, &src, &page->arena, &c->mapped, err);
	}
	return 0;
}

int page_fold(struct run *r, struct page *page, struct err *err)
{
	for (size_t i = 0; i < page->cases.n; i++)
		if (fold(r, page, &page->cases.v[i], err))
			return err_prefix(err, "case %.*s", SLICE_ARG(page->cases.v[i].id));
	return 0;
}
