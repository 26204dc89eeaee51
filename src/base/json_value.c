#include "config.h"

#include "base/json_internal.h"

#include "base/number.h"
#include "base/utf8.h"

#include <stdlib.h>

const struct json json_null = {.type = JSON_NULL}, json_false = {.type = JSON_FALSE}, json_true = {.type = JSON_TRUE};

/* ---- order ---- */

static int order_compare(const void *a, const void *b, void *members)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct json_member *m = members;
	int c = slice_cmp(m[x].key, m[y].key);
	return c ? c : (x > y) - (x < y);
}

static void insertion_sort(const struct json_member *members, uint32_t n, uint32_t *order)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = i;
		for (; at > 0 && slice_cmp(members[order[at - 1]].key, members[i].key) > 0; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
}

void json_order_sort(const struct json_member *members, uint32_t n, uint32_t *order)
{
	if (n <= JSON_SMALL) {
		insertion_sort(members, n, order);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), order_compare, (void *)members);
}

const uint32_t *json_order_of(const struct json *object, uint32_t order[JSON_SMALL])
{
	if (object->order)
		return object->order;
	json_order_sort(object->members, object->count, order);
	return order;
}

/* Where the key stands in the order, or where it would be put; *found says which. */
static uint32_t order_find(const struct json *object, struct slice key, int *found)
{
	uint32_t low = 0, high = object->count;
	*found = 0;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int c = slice_cmp(object->members[object->order[mid]].key, key);
		if (c == 0) {
			*found = 1;
			return mid;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* ---- looking ---- */

static struct json_member *find_member(const struct json *object, struct slice key)
{
	if (object->order) {
		int found;
		uint32_t at = order_find(object, key, &found);
		return found ? &object->members[object->order[at]] : NULL;
	}
	for (uint32_t i = 0; i < object->count; i++)
		if (slice_eq(object->members[i].key, key))
			return &object->members[i];
	return NULL;
}

const struct json *json_get(const struct json *object, struct slice key)
{
	if (!json_is(object, JSON_OBJECT))
		return NULL;
	const struct json_member *m = find_member(object, key);
	return m ? &m->value : NULL;
}

const struct json *json_gets(const struct json *object, const char *key)
{
	return json_get(object, slice_of(key));
}

struct slice json_text(const struct json *v)
{
	return json_is(v, JSON_STRING) ? v->text : SLICE_NONE;
}

struct slice json_get_text(const struct json *object, const char *key)
{
	return json_text(json_gets(object, key));
}

const char *json_type_name(const struct json *v)
{
	static const char *const names[] = {"null", "boolean", "boolean", "number", "string", "array", "object"};
	return names[v->type];
}

/* Both sorted by key; as many members in one as in the other. */
static int eq_large_objects(const struct json *a, const struct json *b)
{
	uint32_t x_small[JSON_SMALL], y_small[JSON_SMALL];
	const uint32_t *x = json_order_of(a, x_small), *y = json_order_of(b, y_small);
	for (uint32_t i = 0; i < a->count; i++)
		if (!slice_eq(a->members[x[i]].key, b->members[y[i]].key))
			return 0;
	for (uint32_t i = 0; i < a->count; i++)
		if (!json_eq(&a->members[x[i]].value, &b->members[y[i]].value))
			return 0;
	return 1;
}

/* Keys of an object differ from each other, so it is enough that b has each of a. Copies mostly keep their order. */
static int eq_small_objects(const struct json *a, const struct json *b)
{
	for (uint32_t i = 0; i < a->count; i++) {
		const struct json_member *m = &a->members[i], *other = &b->members[i];
		if (!slice_eq(m->key, other->key))
			other = find_member(b, m->key);
		if (!other || !json_eq(&m->value, &other->value))
			return 0;
	}
	return 1;
}

static int eq_objects(const struct json *a, const struct json *b)
{
	if (a->count != b->count)
		return 0;
	return a->count <= JSON_SMALL ? eq_small_objects(a, b) : eq_large_objects(a, b);
}

int json_eq(const struct json *a, const struct json *b)
{
	if (a == b)
		return 1;
	if (a->type != b->type)
		return 0;
	switch (a->type) {
	case JSON_NUMBER:
		return number_eq(a->text, b->text);
	case JSON_STRING:
		return slice_eq(a->text, b->text);
	case JSON_ARRAY:
		if (a->count != b->count)
			return 0;
		for (uint32_t i = 0; i < a->count; i++)
			if (!json_eq(&a->items[i], &b->items[i]))
				return 0;
		return 1;
	case JSON_OBJECT:
		return eq_objects(a, b);
	default:
		return 1;
	}
}

static unsigned text_odd(struct slice text)
{
	unsigned odd = utf8_odd(text);
	return (odd & UTF8_HAS_NUL ? JSON_ODD_NUL : 0u) | (odd & UTF8_HAS_SURROGATE ? JSON_ODD_SURROGATE : 0u);
}

unsigned json_odd(const struct json *v)
{
	unsigned odd = 0;
	switch (v->type) {
	case JSON_NUMBER:
		return number_fits_numeric(v->text) ? 0 : JSON_ODD_NUMBER;
	case JSON_STRING:
		return text_odd(v->text);
	case JSON_ARRAY:
		for (uint32_t i = 0; i < v->count; i++)
			odd |= json_odd(&v->items[i]);
		return odd;
	case JSON_OBJECT:
		for (uint32_t i = 0; i < v->count; i++)
			odd |= text_odd(v->members[i].key) | json_odd(&v->members[i].value);
		return odd;
	default:
		return 0;
	}
}

/* ---- building ---- */

struct json json_string(struct slice s)
{
	return (struct json){.type = JSON_STRING, .text = {s.ptr ? s.ptr : "", s.len}};
}

struct json json_str(const char *s)
{
	return json_string(slice_of(s));
}

struct json json_int(struct arena *a, long long n)
{
	return json_number(arena_printf(a, "%lld", n));
}

struct json json_number(struct slice text)
{
	return (struct json){.type = JSON_NUMBER, .text = text};
}

struct json json_bool(int truth)
{
	return truth ? json_true : json_false;
}

struct json json_array(void)
{
	return (struct json){.type = JSON_ARRAY};
}

struct json json_object(void)
{
	return (struct json){.type = JSON_OBJECT};
}

/* The room of a grown list; one that is not grown has none to spare. */
static uint32_t room_of(const struct json *v)
{
	uint32_t room = 4;
	if (!(v->flags & JSON_GROWN))
		return v->count;
	while (room < v->count)
		room *= 2;
	return room;
}

/* A list of `size` byte things with room for one more than count. */
static void *grow(struct arena *a, const struct json *v, void *list, size_t size)
{
	uint32_t room = 4;
	if (v->count < room_of(v))
		return list;
	while (room <= v->count)
		room *= 2;
	return arena_grow(a, list, room_of(v) * size, room * size);
}

void json_push(struct arena *a, struct json *array, struct json item)
{
	array->items = grow(a, array, array->items, sizeof(*array->items));
	array->flags |= JSON_GROWN;
	array->items[array->count++] = item;
}

/* Keeps `order` right for the member about to be appended; makes it when the object stops being small. */
static void order_append(struct arena *a, struct json *object, struct slice key)
{
	uint32_t n = object->count;
	int found;
	if (object->order) {
		uint32_t at = order_find(object, key, &found);
		object->order = grow(a, object, object->order, sizeof(*object->order));
		memmove(object->order + at + 1, object->order + at, (n - at) * sizeof(*object->order));
		object->order[at] = n;
	} else if (n == JSON_SMALL) {
		object->order = arena_alloc(a, (size_t)JSON_SMALL * 2 * sizeof(*object->order));
		json_order_sort(object->members, n, object->order);
		uint32_t at = order_find(object, key, &found);
		memmove(object->order + at + 1, object->order + at, (n - at) * sizeof(*object->order));
		object->order[at] = n;
	}
}

void json_set(struct arena *a, struct json *object, struct slice key, struct json value)
{
	struct json_member *m = find_member(object, key);
	if (m) {
		m->value = value;
		return;
	}
	order_append(a, object, key);
	object->members = grow(a, object, object->members, sizeof(*object->members));
	object->flags |= JSON_GROWN;
	object->members[object->count++] = (struct json_member){{key.ptr ? key.ptr : "", key.len}, value};
}

void json_sets(struct arena *a, struct json *object, const char *key, struct json value)
{
	json_set(a, object, slice_of(key), value);
}

void json_sets_text(struct arena *a, struct json *object, const char *key, struct slice text)
{
	if (text.ptr)
		json_sets(a, object, key, json_string(text));
}

static void order_remove(struct json *object, uint32_t gone)
{
	uint32_t to = 0;
	for (uint32_t i = 0; i < object->count; i++)
		if (object->order[i] != gone)
			object->order[to++] = object->order[i] - (object->order[i] > gone);
}

void json_del(struct json *object, struct slice key)
{
	struct json_member *m = find_member(object, key);
	if (!m)
		return;
	uint32_t at = (uint32_t)(m - object->members);
	if (object->order)
		order_remove(object, at);
	object->count--;
	memmove(m, m + 1, (object->count - at) * sizeof(*m));
}

struct json json_clone(struct arena *a, const struct json *v)
{
	struct json copy = *v;
	copy.flags &= (uint8_t)~JSON_GROWN;
	if (v->type == JSON_ARRAY) {
		copy.items = arena_alloc(a, v->count * sizeof(*v->items));
		if (v->count)
			memcpy(copy.items, v->items, v->count * sizeof(*v->items));
	} else if (v->type == JSON_OBJECT) {
		copy.members = arena_alloc(a, v->count * sizeof(*v->members));
		if (v->count)
			memcpy(copy.members, v->members, v->count * sizeof(*v->members));
		if (v->order) {
			copy.order = arena_alloc(a, v->count * sizeof(*v->order));
			memcpy(copy.order, v->order, v->count * sizeof(*v->order));
		}
	}
	return copy;
}

struct json json_copy(struct arena *a, const struct json *v)
{
	struct json copy = json_clone(a, v);
	if (v->type == JSON_STRING || v->type == JSON_NUMBER)
		copy.text = arena_slice(a, v->text);
	for (uint32_t i = 0; v->type == JSON_ARRAY && i < v->count; i++)
		copy.items[i] = json_copy(a, &v->items[i]);
	for (uint32_t i = 0; v->type == JSON_OBJECT && i < v->count; i++) {
		copy.members[i].key = arena_slice(a, v->members[i].key);
		copy.members[i].value = json_copy(a, &v->members[i].value);
	}
	return copy;
}

/* ---- taming ---- */

static struct json tame(struct arena *a, const struct json *v);

/* Two keys may become one: set by set, as for duplicates, the last wins. */
static struct json tame_object(struct arena *a, const struct json *v)
{
	struct json out = json_object();
	for (uint32_t i = 0; i < v->count; i++)
		json_set(a, &out, utf8_tame(v->members[i].key, a), tame(a, &v->members[i].value));
	return out;
}

static struct json tame(struct arena *a, const struct json *v)
{
	struct json out;
	switch (v->type) {
	case JSON_NUMBER:
		return number_fits_numeric(v->text) ? *v : json_null;
	case JSON_STRING:
		return json_string(utf8_tame(v->text, a));
	case JSON_ARRAY:
		out = json_clone(a, v);
		for (uint32_t i = 0; i < v->count; i++)
			out.items[i] = tame(a, &v->items[i]);
		return out;
	case JSON_OBJECT:
		return tame_object(a, v);
	default:
		return *v;
	}
}

struct json json_tame(struct arena *a, const struct json *v)
{
	return json_odd(v) ? tame(a, v) : *v;
}
