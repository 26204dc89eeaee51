/* A field that has another name in SQL (BEHAVIOUR section 5, DESIGN decision 8). */
#include "config.h"

#include "diff/rules_internal.h"

/* Does the Couch document leave the new name free? */
static int is_unset(const struct json *v)
{
	return !v || v->type == JSON_NULL || (v->type == JSON_STRING && v->text.len == 0);
}

static int same_value(const struct json *couch, const struct json *sql)
{
	return json_eq(couch, sql) || (value_is_datetime(couch) && value_is_datetime(sql));
}

void replace_rename(const struct replace_env *env, const struct rule *r, struct replacement *out)
{
	const struct json *couch = json_get(env->ctx->couch, r->old_name);
	const struct json *sql = json_get(env->ctx->sql, r->new_name);
	struct diff pair = {.type = DIFF_COMPLEX, .npath = 2, .old_value = couch, .new_value = sql};
	struct diff_step *path;

	out->applies = couch && sql && is_unset(json_get(env->ctx->couch, r->new_name));
	if (!out->applies || same_value(couch, sql))
		return;
	path = ARENA_ARRAY(env->a, 2, struct diff_step);
	path[0].key = r->old_name;
	path[1].key = r->new_name;
	pair.path = path;
	ARENA_PUSH(env->a, &out->made, pair);
}
