#include "migrate/batch.h"

#include <stdio.h>
#include <stdlib.h>

struct batch *batch_new(void)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (!b) {
		fputs("settle: out of memory\n", stderr);
		_Exit(6);
	}
	return b;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	idset_release(&b->ids);
	arena_release(&b->arena);
	free(b);
}

/* The part of `from` that `s` borrows, in its copy; parts that lie elsewhere are copied on their own. */
static struct slice moved(struct arena *a, struct slice s, struct slice from, struct slice copy)
{
	if (!s.ptr)
		return SLICE_NONE;
	if (from.ptr && s.ptr >= from.ptr && s.ptr + s.len <= from.ptr + from.len)
		return (struct slice){copy.ptr + (s.ptr - from.ptr), s.len};
	return arena_slice(a, s);
}

/* The id without JSON escapes; the raw text where it cannot be decoded. */
static struct slice decoded_id(struct arena *a, struct slice raw)
{
	struct json v;
	struct slice quoted;

	if (!raw.ptr || !memchr(raw.ptr, '\\', raw.len))
		return raw;
	quoted = arena_printf(a, "\"%.*s\"", SLICE_ARG(raw));
	return json_read(quoted, a, 0, &v, NULL, NULL) == 0 ? json_text(&v) : raw;
}

int batch_add(struct batch *b, const struct couch_row *row)
{
	struct batch_doc d = {.row = *row};
	struct slice copy;

	d.id = decoded_id(&b->arena, row->id);
	if (d.id.ptr && idset_add(&b->ids, d.id))
		return 0;
	copy = arena_keep(&b->arena, row->text);
	d.row.text = copy;
	d.row.seq = moved(&b->arena, row->seq, row->text, copy);
	d.row.id = moved(&b->arena, row->id, row->text, copy);
	d.row.rev = moved(&b->arena, row->rev, row->text, copy);
	d.row.doc = moved(&b->arena, row->doc, row->text, copy);
	d.id = d.id.ptr == row->id.ptr ? d.row.id : d.id;
	ARENA_PUSH(&b->arena, &b->docs, d);
	b->bytes += row->text.len;
	return 1;
}
