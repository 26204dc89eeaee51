/* Lists of form ids: from actions, from transactions, as sets that keep an order. */
#include "explain/internal.h"

#include <stdlib.h>

struct place { /* where an id stands in its list */
	struct slice id;
	size_t at;
};

static int by_id(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	int order = slice_cmp(a->id, b->id);

	return order ? order : (a->at > b->at) - (a->at < b->at);
}

static struct place *sorted_places(const struct explain_ids *ids, struct arena *a)
{
	struct place *places = ARENA_ARRAY(a, ids->n, struct place);

	for (size_t i = 0; i < ids->n; i++)
		places[i] = (struct place){ids->v[i], i};
	if (ids->n)
		qsort(places, ids->n, sizeof(*places), by_id);
	return places;
}

/* Each id once, where it stands first. */
static struct explain_ids unique(const struct explain_ids *ids, struct arena *a)
{
	struct place *places = sorted_places(ids, a);
	int *again = ARENA_ARRAY(a, ids->n, int);
	struct explain_ids out = {0};

	for (size_t i = 1; i < ids->n; i++)
		again[places[i].at] = slice_eq(places[i].id, places[i - 1].id);
	for (size_t i = 0; i < ids->n; i++)
		if (!again[i])
			ARENA_PUSH(a, &out, ids->v[i]);
	return out;
}

static void push_id(struct explain_ids *ids, const struct json *v, struct arena *a)
{
	struct slice id = json_text(v);

	if (id.len && (ids->n == 0 || !slice_eq(ids->v[ids->n - 1], id)))
		ARENA_PUSH(a, ids, id);
}

static void push_action_forms(struct explain_ids *ids, const struct json *couch, struct arena *a)
{
	const struct json *actions = json_gets(couch, "actions");

	for (uint32_t i = 0; json_is(actions, JSON_ARRAY) && i < actions->count; i++)
		push_id(ids, json_gets(&actions->items[i], "xform_id"), a);
}

struct explain_ids explain_action_forms(const struct json *couch, struct arena *a)
{
	struct explain_ids ids = {0};

	push_action_forms(&ids, couch, a);
	return unique(&ids, a);
}

struct explain_ids explain_case_forms(const struct json *couch, struct arena *a)
{
	const struct json *forms = json_gets(couch, "xform_ids");
	struct explain_ids ids = {0};

	for (uint32_t i = 0; json_is(forms, JSON_ARRAY) && i < forms->count; i++)
		push_id(&ids, &forms->items[i], a);
	push_action_forms(&ids, couch, a);
	return unique(&ids, a);
}

/* Transactions of one form stand side by side: they share its date. */
struct explain_ids explain_txn_forms(const struct replay_txn *txns, size_t n, struct arena *a)
{
	struct explain_ids ids = {0};

	for (size_t i = 0; i < n; i++)
		if (i == 0 || !slice_eq(txns[i].form_id, txns[i - 1].form_id))
			ARENA_PUSH(a, &ids, txns[i].form_id);
	return ids;
}

static int same_id(const void *key, const void *place)
{
	return slice_cmp(*(const struct slice *)key, ((const struct place *)place)->id);
}

struct explain_ids explain_ids_without(const struct explain_ids *ids, const struct explain_ids *others, struct arena *a)
{
	struct place *places = sorted_places(others, a);
	struct explain_ids out = {0};

	for (size_t i = 0; i < ids->n; i++)
		if (!bsearch(&ids->v[i], places, others->n, sizeof(*places), same_id))
			ARENA_PUSH(a, &out, ids->v[i]);
	return out;
}

struct explain_ids explain_touching_forms(const struct replay_txn *txns, size_t n, struct arena *a)
{
	struct explain_ids ids = {0};
	int acts = 0;

	for (size_t i = 0; i < n; i++) {
		acts |= txns[i].kind != REPLAY_TOUCH;
		if (i + 1 < n && slice_eq(txns[i].form_id, txns[i + 1].form_id))
			continue;
		if (!acts)
			ARENA_PUSH(a, &ids, txns[i].form_id);
		acts = 0;
	}
	return ids;
}
