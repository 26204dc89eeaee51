#include "migrate/sql_only.h"

#include "migrate/rows.h"
#include "replay/replay.h"

#define CHUNK 200

int sql_only_add(struct run *r, struct slice case_id, struct arena *a, struct sql_only *out, struct err *err)
{
	static const int by_case[] = {TXN_DOMAIN, TXN_CASE_ID};
	struct slice id = arena_slice(a, case_id);
	struct sql_row key = row_pair(a, r->env->domain, id);
	struct sql_rows rows = {0};
	struct replay_txn *txns;

	if (sql_select(r->lister, &sql_case_transactions, by_case, 2, &key, 1, a, &rows, err) ||
	    mapping_transactions(rows.v, rows.n, a, &txns, err))
		return err->code;
	ARENA_PUSH(a, &out->cases, id);
	for (size_t i = 0; i < rows.n; i++)
		if (txns[i].kind != REPLAY_PATCH)
			ARENA_PUSH(a, &out->forms, txns[i].form_id);
	return 0;
}

/* ---- forms that are gone ---- */

/* The row that a feed would have brought. */
static void add_tombstone(struct batch *b, struct slice id)
{
	struct json v = json_string(id);
	struct slice quoted = json_to_text(&v, JSON_PLAIN, &b->arena);
	struct couch_row row = {.text = SLICE_NONE,
				.seq = SLICE("null"),
				.id = {quoted.ptr + 1, quoted.len - 2},
				.rev = SLICE_NONE,
				.doc = SLICE_NONE,
				.deleted = 1};

	(void)batch_add(b, &row);
}

static int flush(struct run *r, struct batch **b, struct err *err)
{
	int rc = 0;

	if ((*b)->docs.n) {
		run_prepare(r, *b);
		rc = run_store_alone(r, *b, err);
	}
	batch_free(*b);
	*b = batch_new();
	return rc;
}

static int delete_forms(struct run *r, const struct state_id_list *forms, sql_only_absent *absent, const void *ctx,
			struct err *err)
{
	struct batch *b = batch_new();
	int rc = 0;

	for (size_t i = 0; i < forms->n && rc == 0; i++) {
		if (!absent(ctx, forms->v[i]))
			continue;
		log_at(r->env->log, LOG_INFO, "the source does not have this form of a case any more: deleted id=%.*s",
		       SLICE_ARG(forms->v[i]));
		add_tombstone(b, forms->v[i]);
		if (b->docs.n == CHUNK)
			rc = flush(r, &b, err);
	}
	if (rc == 0)
		rc = flush(r, &b, err);
	batch_free(b);
	return rc;
}

/* ---- cases ---- */

/* The profile's kind of deleted cases, or SLICE_NONE. */
static struct slice deleted_kind(const struct profile *p)
{
	for (size_t i = 0; i < p->n_kinds; i++)
		if (p->kinds[i].cls == PROFILE_STATE && p->kinds[i].deleted)
			return p->kinds[i].name;
	return SLICE_NONE;
}

int sql_only_is_mark(const struct run *r, const struct state_case *spooled)
{
	struct slice kind = deleted_kind(r->profile);

	return spooled->deleted && kind.ptr && slice_eq(spooled->kind, kind);
}

static int mark_deleted(struct run *r, const struct state_id_list *cases, sql_only_absent *absent, const void *ctx,
			struct err *err)
{
	struct slice kind = deleted_kind(r->profile);
	int rc = 0, same;

	for (size_t i = 0; kind.ptr && i < cases->n && rc == 0; i++) {
		struct state_case mark = {
		    .kind = kind, .id = cases->v[i], .rev = SLICE_NONE, .deleted = 1, .pending = 1};

		if (absent(ctx, cases->v[i]))
			rc = state_case_put(r->state, &mark, &same, err);
	}
	return rc;
}

int sql_only_settle(struct run *r, const struct sql_only *s, sql_only_absent *absent, const void *ctx, struct err *err)
{
	if (delete_forms(r, &s->forms, absent, ctx, err))
		return err->code;
	return mark_deleted(r, &s->cases, absent, ctx, err);
}
