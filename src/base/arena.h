/*
 * arena: memory that is given back all at once. Chunked; pointers stay valid until reset or release.
 * Never returns NULL: running out of memory ends the process with a message (exit 6), because yajl and others
 * write through what they are given. Growth is bounded by bounding the input (document size, depth, batch
 * bytes) before it is put in; arena_used tells how much lies here.
 * With --enable-arena-debug every allocation is a malloc of its own, so that ASan and valgrind see each one.
 * Threads: one thread at a time.
 */
#ifndef SETTLE_BASE_ARENA_H
#define SETTLE_BASE_ARENA_H

#include "base/slice.h"

#include <stdarg.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* private */
	char *at, *end;             /* private: the free part of the first chunk; both NULL when that takes no more */
	size_t used;                /* bytes handed out since init or reset */
};

#define ARENA_INIT {0}

/* arena_alloc when the chunk at hand is full. */
void *arena_alloc_slow(struct arena *a, size_t size);
/* Aligned for any type; contents undefined. size 0 gives a valid pointer. */
static inline void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = (size + 15) & ~(size_t)15; /* 0 for size 0 and for sizes that overflow: both take the slow way */
	if (need - 1 >= (size_t)(a->end - a->at))
		return arena_alloc_slow(a, size);
	char *p = a->at;
	a->at += need;
	a->used += size;
	return p;
}
/* As arena_alloc, zeroed; count * size must not overflow (it ends the process). */
void *arena_zalloc(struct arena *a, size_t count, size_t size);
/* A copy of old_size bytes in a block of new_size; grows in place when old was the last allocation. */
void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size);
/* A copy that lives in the arena; NUL-terminated beyond len for convenience. */
struct slice arena_slice(struct arena *a, struct slice s);
/* The same, but SLICE_NONE stays SLICE_NONE. */
struct slice arena_keep(struct arena *a, struct slice s);
char *arena_str(struct arena *a, struct slice s);
struct slice arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *a);
/* Forgets everything; keeps one chunk of at most 1 MiB for reuse. */
void arena_reset(struct arena *a);
/* Gives all memory back; the arena may be used again. */
void arena_release(struct arena *a);

#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), 1, sizeof(type)))
#define ARENA_ARRAY(a, n, type) ((type *)arena_zalloc((a), (n), sizeof(type)))

/*
 * ARENA_PUSH(a, list, item): appends to a {T *v; size_t n, cap;} list that lives in the arena.
 */
#define ARENA_PUSH(a, list, item)                                                                                    \
	do {                                                                                                         \
		if ((list)->n == (list)->cap) {                                                                      \
			size_t cap_ = (list)->cap ? (list)->cap * 2 : 8;                                             \
			(list)->v =                                                                                  \
			    arena_grow((a), (list)->v, (list)->cap * sizeof(*(list)->v), cap_ * sizeof(*(list)->v)); \
			(list)->cap = cap_;                                                                          \
		}                                                                                                    \
		(list)->v[(list)->n++] = (item);                                                                     \
	} while (0)

#endif
