#include "migrate/recording.h"

#include "base/hex.h"
#include "base/number.h"
#include "migrate/session.h"

#define DIGEST "recording"
#define MAX_DOC "recording max-doc"

static int is_recorded(const struct run *r)
{
	return !run_from_server(r) && r->env->source->scheme != URL_STDIN;
}

void recording_begin(struct run *r)
{
	r->recorded = is_recorded(r);
	(void)crypto_generichash_init(&r->recording, NULL, 0, crypto_generichash_BYTES);
}

static void add_text(struct run *r, struct slice s)
{
	uint64_t len = s.ptr ? s.len : UINT64_MAX;

	(void)crypto_generichash_update(&r->recording, (const unsigned char *)&len, sizeof(len));
	if (s.len)
		(void)crypto_generichash_update(&r->recording, (const unsigned char *)s.ptr, s.len);
}

void recording_add(struct run *r, const struct batch *b)
{
	for (size_t i = 0; r->recorded && i < b->docs.n; i++) {
		const struct batch_doc *d = &b->docs.v[i];

		if (d->fate == FATE_SKIP || d->fate == FATE_OWN)
			continue;
		add_text(r, d->id);
		add_text(r, d->mapped.rev.ptr ? d->mapped.rev : d->row.rev);
		add_text(r, d->fate == FATE_TOMBSTONE ? SLICE("deleted") : SLICE_NONE);
	}
}

static struct slice digest(struct run *r)
{
	unsigned char hash[crypto_generichash_BYTES];

	(void)crypto_generichash_final(&r->recording, hash, sizeof(hash));
	return hex_text(hash, sizeof(hash), &r->arena);
}

int recording_end(struct run *r, struct err *err)
{
	if (!r->recorded)
		return 0;
	r->recorded = 0;
	if (state_value_put(r->state, MAX_DOC, arena_printf(&r->arena, "%zu", r->options.max_doc), err))
		return err->code;
	return state_value_put(r->state, DIGEST, digest(r), err);
}

static int read_all(struct run *r, struct err *err)
{
	int rc = run_open_feed(r, COUCH_FEED_NORMAL, err);

	while (rc == 0) {
		struct batch *b = NULL;

		rc = run_stopped(r) ? err_set(err, ERR_STOPPED, "clean break") : fetch_next(r->fetch, &b, err);
		if (rc || !b)
			break;
		run_prepare(r, b);
		recording_add(r, b);
		batch_free(b);
	}
	fetch_close(r->fetch);
	r->fetch = NULL;
	return rc;
}

/* With the same cap as then: of a document that is too large nobody knows whose it is. */
int recording_is_same(struct run *r, int *same, struct err *err)
{
	struct slice held, max_doc;
	long long cap;

	*same = 1;
	if (!is_recorded(r))
		return 0;
	if (state_value_get(r->state, DIGEST, &r->arena, &held, err) ||
	    state_value_get(r->state, MAX_DOC, &r->arena, &max_doc, err))
		return err->code;
	*same = 0;
	if (!held.ptr || !number_to_i64(max_doc, &cap))
		return 0;
	r->options.max_doc = (size_t)cap;
	fetch_close(r->fetch);
	r->fetch = NULL;
	recording_begin(r);
	if (read_all(r, err))
		return err->code;
	*same = slice_eq(held, digest(r));
	return 0;
}
