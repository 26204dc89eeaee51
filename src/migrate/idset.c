#include "migrate/idset.h"

#include <stdio.h>
#include <stdlib.h>

/* FNV-1a, 64 bit (http://www.isthe.com/chongo/tech/comp/fnv/); 0 is kept for "empty". */
static uint64_t hash_of(struct slice id)
{
	uint64_t h = 14695981039346656037ULL;

	for (size_t i = 0; i < id.len; i++)
		h = (h ^ (unsigned char)id.ptr[i]) * 1099511628211ULL;
	return h ? h : 1;
}

static uint64_t *slot_of(const struct idset *s, uint64_t hash)
{
	size_t i = (size_t)hash & (s->cap - 1);

	while (s->slots[i] && s->slots[i] != hash)
		i = (i + 1) & (s->cap - 1);
	return &s->slots[i];
}

static void grow(struct idset *s)
{
	struct idset bigger = {.cap = s->cap ? s->cap * 2 : 64, .n = s->n};

	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots) {
		fputs("settle: out of memory\n", stderr);
		_Exit(6);
	}
	for (size_t i = 0; i < s->cap; i++)
		if (s->slots[i])
			*slot_of(&bigger, s->slots[i]) = s->slots[i];
	free(s->slots);
	*s = bigger;
}

int idset_add(struct idset *s, struct slice id)
{
	uint64_t hash = hash_of(id);
	uint64_t *slot;

	if (s->n * 2 >= s->cap)
		grow(s);
	slot = slot_of(s, hash);
	if (*slot)
		return 1;
	*slot = hash;
	s->n++;
	return 0;
}

int idset_has(const struct idset *s, struct slice id)
{
	return s->cap && *slot_of(s, hash_of(id)) != 0;
}

int idset_meets(const struct idset *a, const struct idset *b)
{
	const struct idset *few = a->n < b->n ? a : b, *many = few == a ? b : a;

	if (!many->cap)
		return 0;
	for (size_t i = 0; i < few->cap; i++)
		if (few->slots[i] && *slot_of(many, few->slots[i]))
			return 1;
	return 0;
}

void idset_release(struct idset *s)
{
	free(s->slots);
	*s = (struct idset)IDSET_INIT;
}
