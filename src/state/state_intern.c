#include "config.h"

#include "state/state_internal.h"

#define KEPT_MAX 8192 /* texts in memory; then it starts over. The table in the file keeps them all. */

struct intern_slot {
	struct slice text;
	uint64_t hash;
	int64_t number; /* 0 = free */
};

/* FNV-1a, 64 bits. */
static uint64_t hash_of(struct slice text)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.ptr[i]) * UINT64_C(1099511628211);
	return h;
}

/* Where the text is, or where it would go. At most half of the table is taken. */
static struct intern_slot *slot_of(struct intern *in, struct slice text, uint64_t hash)
{
	size_t i = hash & (in->cap - 1);
	while (in->slots[i].number && (in->slots[i].hash != hash || !slice_eq(in->slots[i].text, text)))
		i = (i + 1) & (in->cap - 1);
	return &in->slots[i];
}

void intern_clear(struct intern *in)
{
	arena_release(&in->memory);
	in->slots = NULL;
	in->n = in->cap = 0;
}

static void make_room(struct intern *in)
{
	if (in->n == KEPT_MAX)
		intern_clear(in);
	if (in->n * 2 < in->cap)
		return;
	struct intern_slot *old = in->slots;
	size_t old_cap = in->cap;
	in->cap = old_cap ? old_cap * 2 : 64;
	in->slots = ARENA_ARRAY(&in->memory, in->cap, struct intern_slot);
	for (size_t i = 0; i < old_cap; i++) {
		if (old[i].number)
			*slot_of(in, old[i].text, old[i].hash) = old[i];
	}
}

static int number_in_file(struct lite *db, const struct intern *in, struct slice text, int64_t *out, struct err *err)
{
	struct lite_stmt *select = NULL, *insert = NULL;
	int row = 0;
	int rc = lite_stmt(db, in->select, &select, err);
	if (rc != 0)
		return rc;
	lite_bind_bytes(select, 1, text);
	rc = lite_step(select, &row, err);
	if (row)
		*out = lite_int(select, 0);
	lite_done(select);
	if (rc != 0 || row)
		return rc;
	rc = lite_stmt(db, in->insert, &insert, err);
	if (rc != 0)
		return rc;
	lite_bind_bytes(insert, 1, text);
	rc = lite_run(insert, err);
	*out = lite_last_id(db);
	return rc;
}

int intern_number(struct lite *db, struct intern *in, struct slice text, int64_t *out, struct err *err)
{
	make_room(in);
	uint64_t hash = hash_of(text);
	struct intern_slot *slot = slot_of(in, text, hash);
	if (slot->number) {
		*out = slot->number;
		return 0;
	}
	int rc = number_in_file(db, in, text, out, err);
	if (rc == 0) {
		*slot = (struct intern_slot){arena_slice(&in->memory, text), hash, *out};
		in->n++;
	}
	return rc;
}
