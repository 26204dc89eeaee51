#include "config.h"

#include "diff/diff.h"

#include "base/number.h"

struct place { /* where the walk stands: a chain on the stack, copied into a path only when a difference is found */
	const struct place *up;
	struct diff_step step;
	uint32_t depth;
};

struct walk {
	struct arena *a;
	struct diff_list *out;
};

static const struct diff_step *place_path(const struct place *at, struct arena *a)
{
	struct diff_step *path;

	if (!at)
		return NULL;
	path = ARENA_ARRAY(a, at->depth, struct diff_step);
	for (; at; at = at->up)
		path[at->depth - 1] = at->step;
	return path;
}

static void emit(struct walk *w, const struct place *at, enum diff_type type, const struct json *couch,
		 const struct json *sql)
{
	struct diff d = {.type = type, .npath = at ? at->depth : 0, .old_value = couch, .new_value = sql};

	d.path = place_path(at, w->a);
	ARENA_PUSH(w->a, w->out, d);
}

static struct place place_below(const struct place *up)
{
	return (struct place){.up = up, .depth = up ? up->depth + 1 : 1};
}

/* The member of that key; the two sides mostly agree in order, so the same position is tried first. */
static const struct json *member_like(const struct json *object, uint32_t guess, struct slice key)
{
	if (guess < object->count && slice_eq(object->members[guess].key, key))
		return &object->members[guess].value;
	return json_get(object, key);
}

static void walk_values(struct walk *w, const struct place *at, const struct json *couch, const struct json *sql);

static void walk_objects(struct walk *w, const struct place *up, const struct json *couch, const struct json *sql)
{
	struct place at = place_below(up);
	uint32_t both = 0;

	for (uint32_t i = 0; i < couch->count; i++) {
		const struct json *other = member_like(sql, i, couch->members[i].key);

		both += other != NULL;
		at.step.key = couch->members[i].key;
		walk_values(w, &at, &couch->members[i].value, other);
	}
	for (uint32_t i = 0; both < sql->count && i < sql->count; i++) {
		if (member_like(couch, i, sql->members[i].key))
			continue;
		at.step.key = sql->members[i].key;
		walk_values(w, &at, NULL, &sql->members[i].value);
		both++;
	}
}

static void walk_arrays(struct walk *w, const struct place *up, const struct json *couch, const struct json *sql)
{
	struct place at = place_below(up);
	uint32_t longer = couch->count > sql->count ? couch->count : sql->count;

	at.step.is_position = 1;
	for (uint32_t i = 0; i < longer; i++) {
		at.step.position = i;
		walk_values(w, &at, i < couch->count ? &couch->items[i] : NULL, i < sql->count ? &sql->items[i] : NULL);
	}
}

static int is_boolean(const struct json *v)
{
	return v->type == JSON_TRUE || v->type == JSON_FALSE;
}

static int same_json_type(const struct json *couch, const struct json *sql)
{
	return couch->type == sql->type || (is_boolean(couch) && is_boolean(sql));
}

static int scalars_equal(const struct json *couch, const struct json *sql)
{
	if (couch->type != sql->type)
		return 0;
	if (couch->type == JSON_NUMBER)
		return slice_eq(couch->text, sql->text) || number_eq(couch->text, sql->text);
	return couch->type != JSON_STRING || slice_eq(couch->text, sql->text);
}

/* Both sides absent cannot come here. The depth of the recursion is the depth of the values, which json_read bounds. */
static void walk_values(struct walk *w, const struct place *at, const struct json *couch, const struct json *sql)
{
	if (!couch || !sql)
		emit(w, at, DIFF_MISSING, couch, sql);
	else if (!same_json_type(couch, sql))
		emit(w, at, DIFF_TYPE, couch, sql);
	else if (couch->type == JSON_OBJECT)
		walk_objects(w, at, couch, sql);
	else if (couch->type == JSON_ARRAY)
		walk_arrays(w, at, couch, sql);
	else if (!scalars_equal(couch, sql))
		emit(w, at, DIFF_DIFF, couch, sql);
}

void diff_json(const struct json *couch, const struct json *sql, struct arena *a, struct diff_list *out)
{
	struct walk w = {.a = a, .out = out};

	if (couch || sql)
		walk_values(&w, NULL, couch, sql);
}
