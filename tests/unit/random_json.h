/*
 * random_json: values made from a seed, odd things and large objects included. The seed is printed; SETTLE_TEST_SEED
 * repeats it. Threads: tests have one.
 */
#ifndef TESTS_UNIT_RANDOM_JSON_H
#define TESTS_UNIT_RANDOM_JSON_H

#include "base/clock.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

struct dice {
	uint64_t state;
};

static inline struct dice dice_new(void)
{
	const char *given = getenv("SETTLE_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)clock_utc_us();
	printf("# SETTLE_TEST_SEED=%llu\n", (unsigned long long)seed);
	return (struct dice){seed};
}

/* splitmix64, https://prng.di.unimi.it/splitmix64.c */
static inline uint64_t dice_next(struct dice *d)
{
	uint64_t z = (d->state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline uint32_t dice_below(struct dice *d, uint32_t n)
{
	return (uint32_t)(dice_next(d) % n);
}

static inline struct slice random_text(struct dice *d, struct arena *a)
{
	/* No lone high surrogate may stand before a lone low one: that would be a pair. */
	static const char *const bits[] = {"a",
					   "b",
					   "Z",
					   "0",
					   "\"",
					   "\\",
					   "/",
					   "\n",
					   "\t",
					   "\b",
					   "\x1f",
					   "\x7f",
					   "\xc3\xa9",
					   "\xe2\x82\xac",
					   "\xf0\x9f\x98\x80",
					   " ",
					   "u",
					   "d800",
					   "\xed\x9f\xbf",
					   "\xef\xbf\xbf",
					   "\xed\xb0\x80"};
	struct slice text = SLICE("");
	uint32_t n = dice_below(d, 8);
	for (uint32_t i = 0; i < n; i++) {
		if (dice_below(d, 20) == 0)
			text = arena_printf(a, "%.*s\xed\xa0\x80.", SLICE_ARG(text));
		else
			text = arena_printf(a, "%.*s%s", SLICE_ARG(text),
					    bits[dice_below(d, sizeof(bits) / sizeof(*bits))]);
	}
	if (dice_below(d, 30) == 0)
		text.len++; /* the NUL behind it */
	return text;
}

static inline struct slice random_number(struct dice *d, struct arena *a)
{
	const char *sign = dice_below(d, 2) ? "-" : "";
	switch (dice_below(d, 4)) {
	case 0:
		return arena_printf(a, "%s%u", sign, dice_below(d, 1000));
	case 1:
		return arena_printf(a, "%s%u.%u0", sign, dice_below(d, 1000), dice_below(d, 100000));
	case 2:
		return arena_printf(a, "%s%ue%d", sign, dice_below(d, 1000), (int)dice_below(d, 60) - 30);
	default:
		return arena_printf(a, "%s0.%uE+%llu", sign, dice_below(d, 1000), (unsigned long long)dice_next(d) * 3);
	}
}

static inline struct json random_json(struct dice *d, struct arena *a, int depth)
{
	struct json v;
	uint32_t n = dice_below(d, 12) == 0 ? dice_below(d, 60) : dice_below(d, 6);
	switch (dice_below(d, depth > 0 ? 7 : 5)) {
	case 0:
		return json_null;
	case 1:
		return json_bool((int)dice_below(d, 2));
	case 2:
		return json_number(random_number(d, a));
	case 3:
	case 4:
		return json_string(random_text(d, a));
	case 5:
		v = json_array();
		while (n-- > 0)
			json_push(a, &v, random_json(d, a, depth - 1));
		return v;
	default:
		v = json_object();
		while (n-- > 0)
			json_set(a, &v, random_text(d, a), random_json(d, a, depth - 1));
		return v;
	}
}

/* The same value told otherwise: members in another order. */
static inline struct json shuffled_json(struct dice *d, struct arena *a, const struct json *v)
{
	struct json out = json_clone(a, v);
	for (uint32_t i = 0; v->type == JSON_ARRAY && i < v->count; i++)
		out.items[i] = shuffled_json(d, a, &v->items[i]);
	if (v->type != JSON_OBJECT)
		return out;
	for (uint32_t i = v->count; i > 1; i--) {
		uint32_t j = dice_below(d, i);
		struct json_member m = out.members[i - 1];
		out.members[i - 1] = out.members[j];
		out.members[j] = m;
	}
	struct json object = json_object();
	for (uint32_t i = 0; i < v->count; i++)
		json_set(a, &object, out.members[i].key, shuffled_json(d, a, &out.members[i].value));
	return object;
}

#endif
