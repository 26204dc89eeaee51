#include "migrate/sql_only.h"

#include "migrate/rows.h"
#include "replay/replay.h"

#define CHUNK 200
#define PAGE 500

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

static int put_mark(struct run *r, struct slice kind, struct slice id, struct err *err)
{
	struct state_case mark = {.kind = kind, .id = id, .rev = SLICE_NONE, .deleted = 1, .pending = 1};
	int same;

	return state_case_put(r->state, &mark, &same, err);
}

static int mark_deleted(struct run *r, const struct state_id_list *cases, sql_only_absent *absent, const void *ctx,
			struct err *err)
{
	struct slice kind = deleted_kind(r->profile);
	int rc = 0;

	for (size_t i = 0; kind.ptr && i < cases->n && rc == 0; i++)
		if (absent(ctx, cases->v[i]))
			rc = put_mark(r, kind, cases->v[i], err);
	return rc;
}

/* ---- after the state file was lost ---- */

/* Marked rows have the deleted kind and no revision: a document of that kind would have one. */
static int is_marked_row(const struct sql_row *row, struct slice kind)
{
	return slice_eq(row->cells[CASE_DOC_TYPE], kind) && slice_is(row->cells[CASE_DELETED], "t") &&
	       !row->cells[CASE_COUCH_REV].ptr;
}

static int remember_page(struct run *r, struct slice kind, const struct sql_rows *rows, struct arena *a,
			 struct err *err)
{
	int rc = state_begin(r->state, err);

	for (size_t i = 0; i < rows->n && rc == 0; i++) {
		struct slice id = rows->v[i].cells[CASE_ID];
		struct state_case known;

		if (!is_marked_row(&rows->v[i], kind))
			continue;
		rc = state_case_get(r->state, id, a, &known, err);
		if (rc == ERR_NOTFOUND)
			rc = put_mark(r, kind, id, err);
	}
	if (rc == 0)
		return state_commit(r->state, err);
	state_rollback(r->state);
	return rc;
}

int sql_only_remember(struct run *r, struct err *err)
{
	struct slice kind = deleted_kind(r->profile), after = SLICE_NONE;
	struct arena a = ARENA_INIT, last = ARENA_INIT;
	struct sql_rows rows = {0};
	int rc = 0;

	if (!kind.ptr)
		return 0;
	do {
		arena_reset(&a);
		rows = (struct sql_rows){0};
		rc = sql_page(r->lister, &sql_cases, r->env->domain, CASE_ID, after, PAGE, 0, &a, &rows, err);
		if (rc == 0)
			rc = remember_page(r, kind, &rows, &a, err);
		if (rc == 0 && rows.n) {
			arena_reset(&last);
			after = arena_slice(&last, rows.v[rows.n - 1].cells[CASE_ID]);
		}
	} while (rc == 0 && rows.n == PAGE);
	arena_release(&a);
	arena_release(&last);
	return rc;
}

int sql_only_settle(struct run *r, const struct sql_only *s, sql_only_absent *absent, const void *ctx, struct err *err)
{
	if (delete_forms(r, &s->forms, absent, ctx, err))
		return err->code;
	return mark_deleted(r, &s->cases, absent, ctx, err);
}
