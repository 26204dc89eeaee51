/* Lists of ids compared as sets (BEHAVIOUR section 6.1, DESIGN decision 7). */
#include "config.h"

#include "diff/rules_internal.h"

#include <stdlib.h>

struct id {
	int is_text; /* anything else than text takes part under its canonical JSON, so that nothing is hidden */
	struct slice name;
};

struct id_list {
	struct id *v;
	size_t n, cap;
};

static int id_order(const void *a, const void *b)
{
	const struct id *x = a, *y = b;

	return x->is_text != y->is_text ? x->is_text - y->is_text : slice_cmp(x->name, y->name);
}

static struct id_list sorted_ids(const struct json *array, struct arena *a)
{
	struct id_list ids = {0};

	for (uint32_t i = 0; i < array->count; i++) {
		const struct json *v = &array->items[i];
		struct id id = {.is_text = v->type == JSON_STRING};

		id.name = id.is_text ? v->text : json_to_text(v, JSON_CANONICAL, a);
		ARENA_PUSH(a, &ids, id);
	}
	if (ids.n)
		qsort(ids.v, ids.n, sizeof(*ids.v), id_order);
	return ids;
}

static void push_once(struct id_list *list, const struct id *id, struct arena *a)
{
	if (!list->n || id_order(&list->v[list->n - 1], id) != 0)
		ARENA_PUSH(a, list, *id);
}

/* The ids of `from` that `other` lacks, each once; both sorted. */
static struct id_list only_in(const struct id_list *from, const struct id_list *other, struct arena *a)
{
	struct id_list only = {0};
	size_t j = 0;

	for (size_t i = 0; i < from->n; i++) {
		while (j < other->n && id_order(&other->v[j], &from->v[i]) < 0)
			j++;
		if (j == other->n || id_order(&other->v[j], &from->v[i]) != 0)
			push_once(&only, &from->v[i], a);
	}
	return only;
}

static int touches_without_actions(const struct rule_context *ctx, const struct id *id)
{
	for (size_t i = 0; id->is_text && i < ctx->n_no_action_forms; i++) {
		if (slice_eq(ctx->no_action_forms[i], id->name))
			return 1;
	}
	return 0;
}

static void drop_touching_forms(struct id_list *ids, const struct rule_context *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < ids->n; i++) {
		if (!touches_without_actions(ctx, &ids->v[i]))
			ids->v[n++] = ids->v[i];
	}
	ids->n = n;
}

static const struct json *joined(const struct id_list *ids, struct arena *a)
{
	struct json *text = ARENA_NEW(a, struct json);
	size_t size = ids->n, at = 0;
	char *bytes;

	for (size_t i = 0; i < ids->n; i++)
		size += ids->v[i].name.len;
	bytes = arena_alloc(a, size);
	for (size_t i = 0; i < ids->n; i++) {
		if (i)
			bytes[at++] = ',';
		if (ids->v[i].name.len)
			memcpy(bytes + at, ids->v[i].name.ptr, ids->v[i].name.len);
		at += ids->v[i].name.len;
	}
	*text = json_string((struct slice){bytes, at});
	return text;
}

static void push_mismatch(const struct rule *r, const struct id_list *couch, const struct id_list *sql, struct arena *a,
			  struct diff_list *out)
{
	struct diff d = {.type = DIFF_SET_MISMATCH, .npath = 2};
	struct diff_step *path = ARENA_ARRAY(a, 2, struct diff_step);

	path[0].key = r->path[0].key;
	path[1].key = SLICE("[*]");
	d.path = path;
	d.old_value = joined(couch, a);
	d.new_value = joined(sql, a);
	ARENA_PUSH(a, out, d);
}

void replace_id_set(const struct replace_env *env, const struct rule *r, struct replacement *out)
{
	const struct json *couch = json_get(env->ctx->couch, r->path[0].key);
	const struct json *sql = json_get(env->ctx->sql, r->path[0].key);
	struct id_list couch_ids, sql_ids, couch_only, sql_only;

	out->applies = json_is(couch, JSON_ARRAY) && json_is(sql, JSON_ARRAY);
	if (!out->applies)
		return;
	couch_ids = sorted_ids(couch, env->a);
	sql_ids = sorted_ids(sql, env->a);
	couch_only = only_in(&couch_ids, &sql_ids, env->a);
	sql_only = only_in(&sql_ids, &couch_ids, env->a);
	drop_touching_forms(&sql_only, env->ctx);
	if (couch_only.n || sql_only.n)
		push_mismatch(r, &couch_only, &sql_only, env->a, &out->made);
}
