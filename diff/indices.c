/* Case indices, whose order means nothing, compared sorted by identifier (BEHAVIOUR section 6.3). */
#include "config.h"

#include "diff/rules_internal.h"

#include <stdlib.h>

struct placed {
	const struct json *index;
	struct slice identifier;
	uint32_t position;
};

/* Equal identifiers keep their order; what has none comes first. */
static int placed_order(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int c = slice_cmp(x->identifier, y->identifier);

	return c ? c : (x->position > y->position) - (x->position < y->position);
}

static struct json sorted(const struct json *indices, struct arena *a)
{
	struct placed *places = ARENA_ARRAY(a, indices->count, struct placed);
	struct json out = json_array();

	for (uint32_t i = 0; i < indices->count; i++) {
		places[i].index = &indices->items[i];
		places[i].identifier = json_get_text(&indices->items[i], "identifier");
		places[i].position = i;
	}
	qsort(places, indices->count, sizeof(*places), placed_order);
	for (uint32_t i = 0; i < indices->count; i++)
		json_push(a, &out, *places[i].index);
	return out;
}

/* Both lists as the only field of an object, so that paths begin with the field. Positions are those of the sorted
 * lists. */
void replace_indices(const struct replace_env *env, const struct rule *r, struct replacement *out)
{
	struct slice field = r->path[0].key;
	const struct json *couch = json_get(env->ctx->couch, field), *sql = json_get(env->ctx->sql, field);
	struct json couch_sorted = json_object(), sql_sorted = json_object();

	out->applies = json_is(couch, JSON_ARRAY) && json_is(sql, JSON_ARRAY) && couch->count >= 2;
	if (!out->applies)
		return;
	json_set(env->a, &couch_sorted, field, sorted(couch, env->a));
	json_set(env->a, &sql_sorted, field, sorted(sql, env->a));
	diff_json(&couch_sorted, &sql_sorted, env->a, &out->made);
}
