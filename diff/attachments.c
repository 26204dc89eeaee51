/* Case attachments, which have another shape in SQL, compared name by name (BEHAVIOUR section 6.2). */
#include "config.h"

#include "diff/rules_internal.h"

/* The difference with field and name before its path. */
static struct diff below(const struct diff *d, struct slice field, struct slice name, struct arena *a)
{
	struct diff_step *path = ARENA_ARRAY(a, d->npath + 2, struct diff_step);
	struct diff moved = *d;

	path[0].key = field;
	path[1].key = name;
	if (d->npath)
		memcpy(path + 2, d->path, d->npath * sizeof(*path));
	moved.path = path;
	moved.npath = d->npath + 2;
	return moved;
}

static void compare_one(const struct replace_env *env, const struct rule *r, struct slice name,
			const struct json *couch, const struct json *sql, struct replacement *out)
{
	struct rule_context ctx = {.couch = couch, .sql = sql, .kind = r->inner};
	struct diff_list raw = {0}, kept = {0};
	struct ignored_list ignored = {0};
	struct slice field = r->path[0].key;

	diff_json(couch, sql, env->a, &raw);
	if (couch && sql)
		rules_filter(env->rules, &ctx, &raw, env->a, &kept, &ignored);
	else
		kept = raw;
	for (size_t i = 0; i < kept.n; i++)
		ARENA_PUSH(env->a, &out->made, below(&kept.v[i], field, name, env->a));
	for (size_t i = 0; i < ignored.n; i++) {
		ignored.v[i].diff = below(&ignored.v[i].diff, field, name, env->a);
		ARENA_PUSH(env->a, &out->dropped, ignored.v[i]);
	}
}

static int is_object_or_absent(const struct json *v)
{
	return !v || v->type == JSON_OBJECT;
}

void replace_attachments(const struct replace_env *env, const struct rule *r, struct replacement *out)
{
	const struct json *couch = json_get(env->ctx->couch, r->path[0].key);
	const struct json *sql = json_get(env->ctx->sql, r->path[0].key);

	out->applies = (couch || sql) && is_object_or_absent(couch) && is_object_or_absent(sql);
	if (!out->applies)
		return;
	for (uint32_t i = 0; couch && i < couch->count; i++) {
		struct slice name = couch->members[i].key;

		compare_one(env, r, name, &couch->members[i].value, json_get(sql, name), out);
	}
	for (uint32_t i = 0; sql && i < sql->count; i++) {
		struct slice name = sql->members[i].key;

		if (!json_get(couch, name))
			compare_one(env, r, name, NULL, &sql->members[i].value, out);
	}
}
