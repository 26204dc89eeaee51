/*
 * json_internal: what json_value.c, json_read.c and json_write.c share. Invariant: an object of more than JSON_SMALL
 * members has `order`, its member numbers sorted by key; a smaller one may have it. Threads: as json.h.
 */
#ifndef SETTLE_BASE_JSON_INTERNAL_H
#define SETTLE_BASE_JSON_INTERNAL_H

#include "base/json.h"

#define JSON_SMALL 16

enum json_flags {
	JSON_GROWN = 1u << 0, /* the list (and order) has room up to the next power of two at or above count */
};

/* Fills order[0..n-1] with 0..n-1 sorted by key, equal keys by position. */
void json_order_sort(const struct json_member *members, uint32_t n, uint32_t *order);
/* Fills `order` (room for JSON_SMALL when there is none) and returns the object's order. */
const uint32_t *json_order_of(const struct json *object, uint32_t order[JSON_SMALL]);

#endif
