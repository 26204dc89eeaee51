/*
 * json: the one value type for JSON. Values live in an arena and are immutable once shared. Numbers keep their text.
 * Strings are WTF-8 (base/utf8.h): an unpaired surrogate escape is kept as its three-byte form and written back as an
 * escape; U+0000 is a NUL byte inside the length. Objects keep the order of first appearance; of duplicate keys the
 * last value wins. Threads: read-only values may be shared; building belongs to one thread.
 */
#ifndef SETTLE_BASE_JSON_H
#define SETTLE_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_member;

struct json {
	uint8_t type;   /* enum json_type */
	uint8_t flags;  /* private */
	uint32_t count; /* items or members */
	union {
		struct slice text; /* number text, or string bytes */
		struct json *items;
		struct {
			struct json_member *members;
			uint32_t *order; /* private: members sorted by key, for large objects */
		};
	};
};

struct json_member {
	struct slice key;
	struct json value;
};

/* ---- reading (yajl underneath) ---- */

#define JSON_DEPTH_DEFAULT 512

enum json_odd { /* why jsonb or text may not give back an equal value (DESIGN decision 2) */
		JSON_ODD_NUL = 1u << 0,
		JSON_ODD_SURROGATE = 1u << 1,
		JSON_ODD_NUMBER = 1u << 2,
};

struct json_info {
	unsigned odd;        /* enum json_odd bits seen anywhere, keys included */
	uint32_t duplicates; /* duplicate keys dropped */
};

/*
 * Reads exactly one value (surrounding white space allowed). Strings that need no unescaping are borrowed from `text`,
 * which must therefore outlive the value; everything else lives in the arena. max_depth 0 = JSON_DEPTH_DEFAULT.
 * Text must be strict UTF-8. info may be NULL. ERR_SYNTAX or ERR_LIMIT (depth): err->native is the byte offset.
 */
MUST_CHECK int json_read(struct slice text, struct arena *a, unsigned max_depth, struct json *out,
			 struct json_info *info, struct err *err);

/* ---- looking ---- */

/* The member's value, or NULL: not an object, or no such key. */
const struct json *json_get(const struct json *object, struct slice key);
const struct json *json_gets(const struct json *object, const char *key);
/* The string's bytes, or SLICE_NONE when v is NULL or no string. */
struct slice json_text(const struct json *v);
struct slice json_get_text(const struct json *object, const char *key);
static inline int json_is(const struct json *v, enum json_type type)
{
	return v && v->type == type;
}
/* "null", "boolean", "number", "string", "array", "object". */
const char *json_type_name(const struct json *v);
/* Same JSON value: numbers by decimal value, objects regardless of order. */
int json_eq(const struct json *a, const struct json *b);
unsigned json_odd(const struct json *v);

/* ---- building ---- */

extern const struct json json_null, json_false, json_true;
struct json json_string(struct slice s); /* borrows s */
struct json json_str(const char *s);     /* borrows s */
struct json json_int(struct arena *a, long long n);
struct json json_number(struct slice text); /* borrows; must be number_valid */
struct json json_bool(int truth);
struct json json_array(void);
struct json json_object(void);
/* Appends; items are copied shallowly into arena memory. */
void json_push(struct arena *a, struct json *array, struct json item);
/* Sets or replaces; key borrowed. */
void json_set(struct arena *a, struct json *object, struct slice key, struct json value);
void json_sets(struct arena *a, struct json *object, const char *key, struct json value);
/* The same of a text, which is borrowed; SLICE_NONE sets nothing. */
void json_sets_text(struct arena *a, struct json *object, const char *key, struct slice text);
/* Removes a key if present. */
void json_del(struct json *object, struct slice key);
/* A deep copy that borrows nothing from outside the arena. */
struct json json_copy(struct arena *a, const struct json *v);
/* A shallow copy of an object or array whose own list of members may be changed without touching v. */
struct json json_clone(struct arena *a, const struct json *v);
/* The value with every odd thing replaced: U+0000 and lone surrogates by U+FFFD (keys too), numbers that numeric cannot
 * hold by null. */
struct json json_tame(struct arena *a, const struct json *v);

/* ---- writing ---- */

enum json_style {
	JSON_PLAIN,     /* order and number text as they are, no white space */
	JSON_CANONICAL, /* keys in byte order, numbers by number_canonical: equal values give equal bytes */
	JSON_SORTED,    /* keys in byte order, number text as it is */
	JSON_PRETTY,    /* two-space indentation, order as it is */
};
/* Escapes: \" \\ \b \f \n \r \t, \u00XX for other controls, \uXXXX for lone surrogates; everything else raw UTF-8. */
void json_write(const struct json *v, enum json_style style, struct buf *out);
void json_write_string(struct slice wtf8, struct buf *out);
/* The text in the arena. */
struct slice json_to_text(const struct json *v, enum json_style style, struct arena *a);

#endif
