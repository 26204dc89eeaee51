#include "config.h"

#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_MIN ((size_t)64 << 10)
#define CHUNK_MAX ((size_t)1 << 20)

/* Chunks hang in a list; the first one is filled, unless at is NULL: then all of them are full or hold one allocation.
 */
struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of the bytes that follow */
};

_Static_assert(sizeof(struct arena_chunk) % 16 == 0 || sizeof(void *) < 8, "the bytes after the head are aligned");

#define CHUNK_HEAD ((sizeof(struct arena_chunk) + 15) & ~(size_t)15)

static _Noreturn void out_of_memory(size_t size)
{
	fprintf(stderr, "settle: out of memory (%zu bytes)\n", size);
	exit(6);
}

static struct arena_chunk *chunk_new(size_t size)
{
	struct arena_chunk *c = size <= SIZE_MAX - CHUNK_HEAD ? malloc(CHUNK_HEAD + size) : NULL;
	if (!c)
		out_of_memory(size);
	c->next = NULL;
	c->size = size;
	return c;
}

static char *chunk_bytes(struct arena_chunk *c)
{
	return (char *)c + CHUNK_HEAD;
}

/* Gives size bytes a chunk of their own, behind the one that is being filled. */
static void *alloc_alone(struct arena *a, size_t size)
{
	struct arena_chunk *c = chunk_new(size);
	if (a->at) {
		c->next = a->chunks->next;
		a->chunks->next = c;
	} else {
		c->next = a->chunks;
		a->chunks = c;
	}
	a->used += size;
	return chunk_bytes(c);
}

#ifdef ARENA_DEBUG

/* at and end stay NULL, so every allocation comes here and sanitizers see it by itself. */
void *arena_alloc_slow(struct arena *a, size_t size)
{
	return alloc_alone(a, size);
}

#else

void *arena_alloc_slow(struct arena *a, size_t size)
{
	size_t chunk_size = CHUNK_MIN;
	if (a->at)
		chunk_size = a->chunks->size < CHUNK_MAX / 2 ? a->chunks->size * 2 : CHUNK_MAX;
	if (size > chunk_size / 2)
		return alloc_alone(a, size);
	size_t need = size ? (size + 15) & ~(size_t)15 : 16;
	if (a->at && need <= (size_t)(a->end - a->at)) { /* size 0 */
		a->at += need;
		return a->at - need;
	}
	struct arena_chunk *c = chunk_new(chunk_size);
	c->next = a->chunks;
	a->chunks = c;
	a->at = chunk_bytes(c) + need;
	a->end = chunk_bytes(c) + chunk_size;
	a->used += size;
	return chunk_bytes(c);
}

#endif

void *arena_zalloc(struct arena *a, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total))
		out_of_memory(SIZE_MAX);
	return memset(arena_alloc(a, total), 0, total);
}

/* Whether old was the last thing taken from the chunk that is being filled, and the difference fits behind it. */
static int grows_in_place(const struct arena *a, const char *old, size_t old_size, size_t new_size)
{
	size_t had = (old_size + 15) & ~(size_t)15;
	return a->at && old_size && (size_t)(a->at - chunk_bytes(a->chunks)) >= had && old == a->at - had &&
	       new_size <= (size_t)(a->end - old);
}

void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size)
{
	if (new_size <= old_size && old)
		return old;
	if (old && grows_in_place(a, old, old_size, new_size)) {
		size_t need = (new_size + 15) & ~(size_t)15;
		a->at = (char *)old + need; /* end is aligned, so this is not past it */
		a->used += new_size - old_size;
		return old;
	}
	void *p = arena_alloc(a, new_size);
	if (old && old_size)
		memcpy(p, old, old_size);
	return p;
}

char *arena_str(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.len + 1);
	if (s.len)
		memcpy(p, s.ptr, s.len);
	p[s.len] = 0;
	return p;
}

struct slice arena_slice(struct arena *a, struct slice s)
{
	return (struct slice){arena_str(a, s), s.len};
}

struct slice arena_keep(struct arena *a, struct slice s)
{
	return s.ptr ? arena_slice(a, s) : SLICE_NONE;
}

struct slice arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	char *p = arena_alloc(a, (size_t)n + 1);
	p[0] = 0;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return (struct slice){p, (size_t)n};
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}

static void free_chunks(struct arena_chunk *c)
{
	while (c) {
		struct arena_chunk *next = c->next;
		free(c);
		c = next;
	}
}

void arena_reset(struct arena *a)
{
	if (!a->at) {
		arena_release(a);
		return;
	}
	free_chunks(a->chunks->next);
	a->chunks->next = NULL;
	a->at = chunk_bytes(a->chunks);
	a->end = a->at + a->chunks->size;
	a->used = 0;
}

void arena_release(struct arena *a)
{
	free_chunks(a->chunks);
	*a = (struct arena)ARENA_INIT;
}
