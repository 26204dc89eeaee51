/* The order in which SQL applies a case's forms (BEHAVIOUR section 7.5, decision 17). */
#include "explain/internal.h"

#include "base/datetime.h"

static int same_ids(const struct explain_ids *a, const struct explain_ids *b)
{
	if (a->n != b->n)
		return 0;
	for (size_t i = 0; i < a->n; i++)
		if (!slice_eq(a->v[i], b->v[i]))
			return 0;
	return 1;
}

/* Do both sides know the same forms, in another order? *wanted: Couch's. */
static int is_reordered(const struct explain_case *c, struct arena *a, struct explain_ids *wanted)
{
	struct explain_ids held = explain_txn_forms(c->txns, c->n_txns, a);

	*wanted = explain_action_forms(c->couch, a);
	return wanted->n == held.n && !same_ids(wanted, &held) && explain_ids_without(wanted, &held, a).n == 0;
}

static size_t first_of_form(const struct explain_case *c, struct slice form_id)
{
	size_t i = 0;

	while (!slice_eq(c->txns[i].form_id, form_id))
		i++;
	return i;
}

static int set_date(struct replay_txn *txn, int64_t at, struct arena *a)
{
	char text[DATETIME_TEXT_SIZE];

	if (txn->at == at)
		return 1;
	if (!datetime_format(at, text))
		return 0;
	txn->at = at;
	txn->server_date = arena_slice(a, slice_of(text));
	return 1;
}

/* A copy of the transactions in the wanted order of forms, dated accordingly; NULL when no dates can say it. */
static struct replay_txn *in_order(const struct explain_case *c, const struct explain_ids *wanted, struct arena *a)
{
	struct replay_txn *sorted = ARENA_ARRAY(a, c->n_txns, struct replay_txn);
	int64_t *at = ARENA_ARRAY(a, wanted->n, int64_t);
	size_t *first = ARENA_ARRAY(a, wanted->n, size_t), n = 0;

	for (size_t i = 0; i < wanted->n; i++) {
		first[i] = first_of_form(c, wanted->v[i]);
		at[i] = c->txns[first[i]].at;
	}
	if (!explain_repair_dates(at, wanted->n, a))
		return NULL;
	for (size_t i = 0; i < wanted->n; i++)
		for (size_t k = first[i]; k < c->n_txns && slice_eq(c->txns[k].form_id, wanted->v[i]); k++) {
			sorted[n] = c->txns[k];
			if (!set_date(&sorted[n++], at[i], a))
				return NULL;
		}
	return sorted;
}

static int agree(const struct explain_case *c, const struct json *couch, const struct json *sql, struct arena *a)
{
	return explain_compare(c, couch, sql, a, NULL).n == 0;
}

int explain_order(const struct explain_case *c, explain_sql_fn *sql_of, void *ctx, struct arena *a,
		  struct replay_txn **sorted, struct err *err)
{
	struct explain_ids wanted;
	struct replay_txn *other;
	struct json sql, rebuilt;

	*sorted = NULL;
	if (!is_reordered(c, a, &wanted))
		return 0;
	if (sql_of(ctx, c->txns, c->n_txns, a, &sql, err))
		return err->code;
	rebuilt = explain_rebuild_couch(c, a);
	if (agree(c, c->couch, &sql, a) || agree(c, &rebuilt, &sql, a))
		return 0;
	other = in_order(c, &wanted, a);
	if (!other)
		return 0;
	if (sql_of(ctx, other, c->n_txns, a, &sql, err))
		return err->code;
	if (agree(c, &rebuilt, &sql, a) || agree(c, c->couch, &sql, a))
		*sorted = other;
	return 0;
}
