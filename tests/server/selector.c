/* selector.c */
#include "config.h"

#include "tests/server/selector.h"

#include <string.h>

static int is_operator(const struct json_member *m)
{
	return m->key.len && m->key.ptr[0] == '$';
}

static int is_list_of_selectors(const struct json *v)
{
	if (!json_is(v, JSON_ARRAY))
		return 0;
	for (uint32_t i = 0; i < v->count; i++)
		if (selector_check(&v->items[i]))
			return 0;
	return 1;
}

static int operator_is_known(const struct json_member *m)
{
	if (slice_is(m->key, "$eq"))
		return 1;
	if (slice_is(m->key, "$in"))
		return json_is(&m->value, JSON_ARRAY);
	if (slice_is(m->key, "$exists"))
		return json_is(&m->value, JSON_TRUE) || json_is(&m->value, JSON_FALSE);
	if (slice_is(m->key, "$and") || slice_is(m->key, "$or"))
		return is_list_of_selectors(&m->value);
	return 0;
}

int selector_check(const struct json *selector)
{
	if (!json_is(selector, JSON_OBJECT))
		return -1;
	for (uint32_t i = 0; i < selector->count; i++) {
		const struct json_member *m = &selector->members[i];

		if (is_operator(m) ? !operator_is_known(m)
				   : json_is(&m->value, JSON_OBJECT) && selector_check(&m->value))
			return -1;
	}
	return 0;
}

static int in_list(const struct json *list, const struct json *value)
{
	for (uint32_t i = 0; value && i < list->count; i++)
		if (json_eq(&list->items[i], value))
			return 1;
	return 0;
}

static int list_matches(const struct json *list, const struct json *value, int all)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (selector_matches(&list->items[i], value) != all)
			return !all;
	return all;
}

static int operator_matches(const struct json_member *m, const struct json *value)
{
	if (slice_is(m->key, "$eq"))
		return value && json_eq(&m->value, value);
	if (slice_is(m->key, "$in"))
		return in_list(&m->value, value);
	if (slice_is(m->key, "$exists"))
		return (value != NULL) == json_is(&m->value, JSON_TRUE);
	return list_matches(&m->value, value, slice_is(m->key, "$and"));
}

/* The value at "a.b.c". */
static const struct json *value_at(const struct json *doc, struct slice path)
{
	while (doc) {
		const char *dot = path.len ? memchr(path.ptr, '.', path.len) : NULL;

		if (!dot)
			return json_get(doc, path);
		doc = json_get(doc, (struct slice){path.ptr, (size_t)(dot - path.ptr)});
		path = (struct slice){dot + 1, path.len - (size_t)(dot + 1 - path.ptr)};
	}
	return NULL;
}

int selector_matches(const struct json *selector, const struct json *doc)
{
	for (uint32_t i = 0; i < selector->count; i++) {
		const struct json_member *m = &selector->members[i];
		const struct json *value;
		int yes;

		if (is_operator(m)) {
			yes = operator_matches(m, doc);
		} else {
			value = value_at(doc, m->key);
			yes = json_is(&m->value, JSON_OBJECT) ? selector_matches(&m->value, value)
							      : value && json_eq(&m->value, value);
		}
		if (!yes)
			return 0;
	}
	return 1;
}
