#include "config.h"

#include "base/json_internal.h"

#include "base/number.h"
#include "base/utf8.h"

#include <limits.h>
#include <stdlib.h>
#include <yajl/yajl_parse.h>

#define INLINE_MEMBERS 96
#define INLINE_FRAMES 32
#define INLINE_SCRATCH 4096

/* ---- memory for yajl: a few kilobytes that cost nothing, then an arena; given back when the call ends ---- */

struct scratch {
	struct arena arena;
	size_t used;
	_Alignas(16) char bytes[INLINE_SCRATCH];
};

/* Blocks carry their size, which realloc needs. */
#define SCRATCH_HEAD 16

static void *scratch_alloc(void *ctx, size_t size)
{
	struct scratch *s = ctx;
	size_t whole = SCRATCH_HEAD + ((size + 15) & ~(size_t)15);
	char *block;
	if (whole <= sizeof(s->bytes) - s->used) {
		block = s->bytes + s->used;
		s->used += whole;
	} else {
		block = arena_alloc(&s->arena, whole);
	}
	memcpy(block, &size, sizeof(size));
	return block + SCRATCH_HEAD;
}

static void *scratch_realloc(void *ctx, void *old, size_t size)
{
	size_t old_size = 0;
	if (old)
		memcpy(&old_size, (char *)old - SCRATCH_HEAD, sizeof(old_size));
	if (size <= old_size)
		return old;
	void *block = scratch_alloc(ctx, size);
	if (old)
		memcpy(block, old, old_size);
	return block;
}

static void scratch_free(void *ctx, void *block)
{
	(void)ctx;
	(void)block;
}

/* ---- the parser: children wait on one stack until their container ends and are then copied once ---- */

struct frame {        /* an open array or object */
	size_t first; /* its first child on the stack */
	uint8_t type;
};

struct parser {
	struct arena *arena;
	struct slice text; /* what yajl is given; strings inside it are borrowed */
	struct json result;
	struct json_member *children; /* items of arrays have no key */
	size_t n_children, cap_children;
	struct frame *frames;
	size_t n_frames, cap_frames;
	unsigned max_depth, odd;
	uint32_t duplicates;
	enum { WELL, TOO_DEEP, NO_MEMORY } trouble;
	struct json_member inline_children[INLINE_MEMBERS];
	struct frame inline_frames[INLINE_FRAMES];
	struct scratch scratch;
};

/* Doubles a list that begins inside the parser and moves to the heap. NULL when there is no memory. */
static void *grow(void *list, const void *inlined, size_t *cap, size_t size)
{
	void *grown = realloc(list == inlined ? NULL : list, *cap * 2 * size);
	if (!grown)
		return NULL;
	if (list == inlined)
		memcpy(grown, list, *cap * size);
	*cap *= 2;
	return grown;
}

static struct json_member *new_child(struct parser *p)
{
	if (p->n_children == p->cap_children) {
		void *grown = grow(p->children, p->inline_children, &p->cap_children, sizeof(*p->children));
		if (!grown) {
			p->trouble = NO_MEMORY;
			return NULL;
		}
		p->children = grown;
	}
	return &p->children[p->n_children++];
}

/* Where the next value goes: the member whose key came last, a further item, or the result. */
static struct json *place(struct parser *p)
{
	if (!p->n_frames)
		return &p->result;
	if (p->frames[p->n_frames - 1].type == JSON_OBJECT)
		return &p->children[p->n_children - 1].value;
	struct json_member *child = new_child(p);
	return child ? &child->value : NULL;
}

static int put(struct parser *p, struct json v)
{
	struct json *to = place(p);
	if (!to)
		return 0;
	*to = v;
	return 1;
}

/* yajl hands out pointers into the text where it had nothing to decode, and else into memory that it uses again. */
static struct slice keep(struct parser *p, const void *ptr, size_t len)
{
	struct slice s = {ptr, len};
	uintptr_t at = (uintptr_t)ptr, text = (uintptr_t)p->text.ptr;
	if (at >= text && at - text <= p->text.len && len <= p->text.len - (at - text))
		return s;
	return arena_slice(p->arena, s);
}

static int on_null(void *ctx)
{
	return put(ctx, json_null);
}

static int on_boolean(void *ctx, int truth)
{
	return put(ctx, json_bool(truth));
}

static int on_number(void *ctx, const char *text, size_t len)
{
	struct parser *p = ctx;
	struct slice number = keep(p, text, len);
	if (len > 4 && !number_fits_numeric(number))
		p->odd |= JSON_ODD_NUMBER;
	return put(p, json_number(number));
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
	return put(ctx, json_string(keep(ctx, text, len)));
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
	struct parser *p = ctx;
	struct json_member *child = new_child(p);
	if (!child)
		return 0;
	child->key = keep(p, text, len);
	return 1;
}

static int open_container(struct parser *p, enum json_type type)
{
	if (p->n_frames >= p->max_depth) {
		p->trouble = TOO_DEEP;
		return 0;
	}
	if (p->n_frames == p->cap_frames) {
		void *grown = grow(p->frames, p->inline_frames, &p->cap_frames, sizeof(*p->frames));
		if (!grown) {
			p->trouble = NO_MEMORY;
			return 0;
		}
		p->frames = grown;
	}
	p->frames[p->n_frames++] = (struct frame){p->n_children, (uint8_t)type};
	return 1;
}

static int on_start_map(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int on_start_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static int on_end_array(void *ctx)
{
	struct parser *p = ctx;
	size_t first = p->frames[--p->n_frames].first, n = p->n_children - first;
	struct json v = {.type = JSON_ARRAY, .count = (uint32_t)n};
	if (n)
		v.items = arena_alloc(p->arena, n * sizeof(*v.items));
	for (size_t i = 0; i < n; i++)
		v.items[i] = p->children[first + i].value;
	p->n_children = first;
	return put(p, v);
}

/* ---- duplicate keys: the last value wins, at the place where the key came first ---- */

static uint32_t drop_duplicates_small(struct json_member *m, uint32_t n)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t j = 0;
		while (j < kept && !slice_eq(m[j].key, m[i].key))
			j++;
		if (j < kept)
			m[j].value = m[i].value;
		else
			m[kept++] = m[i];
	}
	return kept;
}

/* Equal keys are neighbours in the order, first come first. Those dropped lose their key. */
static uint32_t drop_duplicates_large(struct json_member *m, uint32_t n, const uint32_t *order)
{
	uint32_t kept = 0, first = order[0], dropped = 0;
	for (uint32_t i = 1; i < n; i++) {
		if (slice_eq(m[first].key, m[order[i]].key)) {
			m[first].value = m[order[i]].value;
			m[order[i]].key = SLICE_NONE;
			dropped++;
		} else {
			first = order[i];
		}
	}
	for (uint32_t i = 0; dropped && i < n; i++)
		if (m[i].key.ptr)
			m[kept++] = m[i];
	return n - dropped;
}

static int on_end_map(void *ctx)
{
	struct parser *p = ctx;
	size_t first = p->frames[--p->n_frames].first;
	struct json_member *m = p->children + first;
	uint32_t n = (uint32_t)(p->n_children - first), kept = n;
	struct json v = {.type = JSON_OBJECT};
	if (n > JSON_SMALL) {
		v.order = arena_alloc(p->arena, n * sizeof(*v.order));
		json_order_sort(m, n, v.order);
		kept = drop_duplicates_large(m, n, v.order);
		if (kept < n)
			json_order_sort(m, kept, v.order);
	} else {
		kept = drop_duplicates_small(m, n);
	}
	p->duplicates += n - kept;
	v.count = kept;
	if (kept) {
		v.members = arena_alloc(p->arena, kept * sizeof(*v.members));
		memcpy(v.members, m, kept * sizeof(*v.members));
	}
	p->n_children = first;
	return put(p, v);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end_map,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end_array,
};

/* ---- escapes: what yajl would spoil is put in its place before ---- */

/* The code unit of a \uXXXX escape at at, or -1. */
static int unit_at(const char *at, const char *end)
{
	int unit = 0;
	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		char c = at[i], lower = (char)(c | 0x20);
		if (c >= '0' && c <= '9')
			unit = unit * 16 + (c - '0');
		else if (lower >= 'a' && lower <= 'f')
			unit = unit * 16 + (lower - 'a' + 10);
		else
			return -1;
	}
	return unit;
}

static int is_high(int unit)
{
	return unit >= 0xD800 && unit <= 0xDBFF;
}

static int is_low(int unit)
{
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* The length of the escape at at (a backslash); *lone is the unit of a lone surrogate, else -1. */
static size_t escape_length(const char *at, const char *end, int *lone, unsigned *odd)
{
	int unit = unit_at(at, end);
	*lone = -1;
	if (unit < 0)
		return end - at < 2 ? 1 : 2;
	if (unit == 0)
		*odd |= JSON_ODD_NUL;
	if (is_high(unit) && is_low(unit_at(at + 6, end)))
		return 12;
	if (is_high(unit) || is_low(unit)) {
		*lone = unit;
		*odd |= JSON_ODD_SURROGATE;
	}
	return 6;
}

/* Which odd things escapes bring; the JSON_ODD_SURROGATE bit tells that the text must be rewritten. */
static unsigned escapes_odd(struct slice text)
{
	const char *at = text.ptr, *end = at + text.len;
	unsigned odd = 0;
	int lone;
	while (at < end && (at = memchr(at, '\\', (size_t)(end - at))))
		at += escape_length(at, end, &lone, &odd);
	return odd;
}

/* A copy with every lone surrogate escape replaced by its three bytes. */
static struct slice rewrite_lone(struct slice text, struct arena *a)
{
	const char *at = text.ptr, *end = at + text.len;
	char *copy = arena_alloc(a, text.len), *to = copy;
	unsigned odd = 0;
	while (at < end) {
		int lone = -1;
		size_t n = *at == '\\' ? escape_length(at, end, &lone, &odd) : 1;
		if (lone >= 0) {
			*to++ = (char)0xED;
			*to++ = (char)(0x80 | (lone >> 6 & 0x3F));
			*to++ = (char)(0x80 | (lone & 0x3F));
		} else {
			memcpy(to, at, n);
			to += n;
		}
		at += n;
	}
	return (struct slice){copy, (size_t)(to - copy)};
}

/* ---- the call ---- */

/* yajl takes these two controls for white space; JSON has no place for them, raw. Their offset, or text.len. */
static size_t foreign_space_at(struct slice text)
{
	const char *tab = memchr(text.ptr, '\v', text.len), *feed = memchr(text.ptr, '\f', text.len);
	const char *first = tab && (!feed || tab < feed) ? tab : feed;
	return first ? (size_t)(first - text.ptr) : text.len;
}

struct outcome {
	yajl_status status;
	size_t at;    /* where yajl stood when it stopped; what it only finds wrong at the end is wrong at the end */
	int trailing; /* something other than white space follows the value */
};

/*
 * yajl would let an unfinished string pass behind the value: so it is told to stop where the value ends, and the rest
 * is looked at here.
 */
static struct outcome run_yajl(yajl_handle h, struct slice text)
{
	struct outcome o = {0};
	yajl_config(h, yajl_dont_validate_strings, 1);
	yajl_config(h, yajl_allow_trailing_garbage, 1);
	o.status = yajl_parse(h, (const unsigned char *)text.ptr, text.len);
	o.at = yajl_get_bytes_consumed(h);
	if (o.status != yajl_status_ok)
		return o;
	while (o.at < text.len && memchr(" \t\r\n", text.ptr[o.at], 4))
		o.at++;
	o.trailing = o.at < text.len;
	if (!o.trailing)
		o.status = yajl_complete_parse(h);
	return o;
}

/* yajl's wording is two lines: "parse error: what\n". */
static int syntax_error(yajl_handle h, const struct outcome *o, struct err *err)
{
	if (o->trailing)
		return err_set(err, ERR_SYNTAX, "not JSON at byte %zu: something follows the value", o->at);
	unsigned char *text = yajl_get_error(h, 0, NULL, 0);
	size_t n = strcspn((const char *)text, "\n");
	err_set(err, ERR_SYNTAX, "not JSON at byte %zu: %.*s", o->at, (int)n, (const char *)text);
	yajl_free_error(h, text);
	return ERR_SYNTAX;
}

/* The same error has another offset in the text as the caller gave it. */
static size_t original_offset(struct slice original, yajl_alloc_funcs *memory)
{
	yajl_handle h = yajl_alloc(NULL, memory, NULL);
	size_t at = run_yajl(h, original).at;
	yajl_free(h);
	return at;
}

/* The offset, for whoever wants to say line and column. */
static int at_byte(size_t at, int code, struct err *err)
{
	if (code && err)
		err->native = at < INT_MAX ? (int)at : INT_MAX;
	return code;
}

/* Runs yajl over p->text. original: what the caller gave, when p->text is a rewritten copy of it. */
static int parse(struct parser *p, struct slice original, struct err *err)
{
	yajl_alloc_funcs memory = {scratch_alloc, scratch_realloc, scratch_free, &p->scratch};
	yajl_handle h = yajl_alloc(&callbacks, &memory, p);
	struct outcome o = run_yajl(h, p->text);
	int code = 0;
	if (o.status == yajl_status_error || o.trailing) {
		if (p->text.ptr != original.ptr)
			o.at = original_offset(original, &memory);
		code = syntax_error(h, &o, err);
	} else if (p->trouble == TOO_DEEP) {
		code = err_set(err, ERR_LIMIT, "nested deeper than %u levels at byte %zu", p->max_depth, o.at);
	} else if (o.status != yajl_status_ok) {
		code = err_set(err, ERR_INTERNAL, "out of memory");
	}
	yajl_free(h);
	return at_byte(o.at, code, err);
}

static void parser_init(struct parser *p, struct arena *a, unsigned max_depth)
{
	p->arena = a;
	p->result = json_null;
	p->children = p->inline_children;
	p->cap_children = INLINE_MEMBERS;
	p->frames = p->inline_frames;
	p->cap_frames = INLINE_FRAMES;
	p->n_children = p->n_frames = 0;
	p->max_depth = max_depth ? max_depth : JSON_DEPTH_DEFAULT;
	p->trouble = WELL;
	p->duplicates = 0;
	p->scratch.arena = (struct arena)ARENA_INIT;
	p->scratch.used = 0;
}

static void parser_release(struct parser *p)
{
	if (p->children != p->inline_children)
		free(p->children);
	if (p->frames != p->inline_frames)
		free(p->frames);
	arena_release(&p->scratch.arena);
}

int json_read(struct slice text, struct arena *a, unsigned max_depth, struct json *out, struct json_info *info,
	      struct err *err)
{
	struct parser p;
	*out = json_null;
	if (!text.ptr)
		text.ptr = "";
	if (text.len >= UINT32_MAX)
		return err_set(err, ERR_LIMIT, "JSON text of %zu bytes is longer than 4 GiB", text.len);
	size_t bad = utf8_bad_at(text);
	if (bad < text.len)
		return at_byte(bad, err_set(err, ERR_SYNTAX, "not UTF-8 at byte %zu", bad), err);
	bad = foreign_space_at(text);
	if (bad < text.len)
		return at_byte(bad, err_set(err, ERR_SYNTAX, "not JSON at byte %zu: control character", bad), err);
	parser_init(&p, a, max_depth);
	p.odd = escapes_odd(text);
	p.text = p.odd & JSON_ODD_SURROGATE ? rewrite_lone(text, a) : text;
	int code = parse(&p, text, err);
	parser_release(&p);
	if (code)
		return code;
	*out = p.result;
	if (info)
		*info = (struct json_info){p.odd, p.duplicates};
	return 0;
}
