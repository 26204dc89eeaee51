#include "migrate/sample.h"

#include "base/number.h"

#define SAMPLES 8
#define PURGES "purges" /* of the source, when it was looked at last */

static struct slice key_of(struct run *r, unsigned n)
{
	return arena_printf(&r->arena, "sample %u", n % SAMPLES);
}

/* {"id":...,"rev":...} of the batch's last document that is there. */
static struct slice sample_of(const struct batch *b, struct arena *a)
{
	for (size_t i = b->docs.n; i-- > 0;) {
		const struct batch_doc *d = &b->docs.v[i];
		struct json v = json_object();

		if (!d->mapped.rev.ptr || !d->id.ptr || d->fate == FATE_REJECT || d->fate == FATE_OWN)
			continue;
		json_sets(a, &v, "id", json_string(d->id));
		json_sets(a, &v, "rev", json_string(d->mapped.rev));
		return json_to_text(&v, JSON_PLAIN, a);
	}
	return SLICE_NONE;
}

int sample_note(struct run *r, const struct batch *b, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct slice text = sample_of(b, &a);
	char key[16];
	int rc = 0;

	snprintf(key, sizeof(key), "sample %u", r->samples++ % SAMPLES);
	if (text.ptr && run_from_server(r))
		rc = state_value_put(r->state, key, text, err);
	arena_release(&a);
	return rc;
}

/* The number before the dash: how often the document was written. */
static long long generation(struct slice rev)
{
	const char *dash = rev.ptr ? memchr(rev.ptr, '-', rev.len) : NULL;
	long long n = 0;

	return dash && number_to_i64((struct slice){rev.ptr, (size_t)(dash - rev.ptr)}, &n) ? n : 0;
}

struct sampled {
	struct slice ids[SAMPLES], revs[SAMPLES], now[SAMPLES];
	unsigned slots[SAMPLES];
	size_t n;
};

static int read_samples(struct run *r, struct sampled *s, struct err *err)
{
	for (unsigned i = 0; i < SAMPLES; i++) {
		struct slice text;
		struct json v;

		if (state_value_get(r->state, key_of(r, i).ptr, &r->arena, &text, err))
			return err->code;
		if (!text.ptr || json_read(text, &r->arena, 0, &v, NULL, NULL))
			continue;
		s->slots[s->n] = i;
		s->ids[s->n] = json_get_text(&v, "id");
		s->revs[s->n++] = json_get_text(&v, "rev");
	}
	return 0;
}

static int refuse(const struct run *r, struct slice id, struct slice was, struct slice is, struct err *err)
{
	if (is.ptr)
		err_set(err, ERR_STATE, "the source was rolled back: document %.*s was at revision %.*s and is at %.*s",
			SLICE_ARG(id), SLICE_ARG(was), SLICE_ARG(is));
	else
		err_set(
		    err, ERR_STATE,
		    "the source is not the one it was: document %.*s, which was read at revision %.*s, never was there",
		    SLICE_ARG(id), SLICE_ARG(was));
	return err_hint(
	    err, "its checkpoint means nothing there; name the right source, or begin again with `settle reset %.*s`",
	    SLICE_ARG(r->env->domain));
}

/* Has the source purged documents since it was looked at last? No row of the feed tells of that. */
static int see_purges(struct run *r, struct couch_client *client, int *purged, struct err *err)
{
	struct couch_db_info db;
	struct slice text;
	long long before = 0;

	if (couch_db_info(client, &r->arena, &db, err) || state_value_get(r->state, PURGES, &r->arena, &text, err))
		return err->code;
	if (text.ptr && !number_to_i64(text, &before))
		before = 0;
	*purged = text.ptr && db.purges > before;
	if (*purged)
		log_at(r->env->log, LOG_WARN,
		       "the source has purged documents since the last run, and does not say which: their rows stay in "
		       "the target");
	return state_value_put(r->state, PURGES, arena_printf(&r->arena, "%lld", (long long)db.purges), err);
}

/* One that was purged is asked for no more. */
static int judge(struct run *r, const struct sampled *s, int purged, struct err *err)
{
	for (size_t i = 0; i < s->n; i++) {
		if (generation(s->now[i]) >= generation(s->revs[i]))
			continue;
		if (!purged || s->now[i].ptr)
			return refuse(r, s->ids[i], s->revs[i], s->now[i], err);
		if (state_value_put(r->state, key_of(r, s->slots[i]).ptr, SLICE(""), err))
			return err->code;
	}
	return 0;
}

int sample_check(struct run *r, struct err *err)
{
	struct couch_client *client = NULL;
	struct sampled s = {.n = 0};
	int purged = 0, rc;

	if (!run_from_server(r))
		return 0;
	if (read_samples(r, &s, err))
		return err->code;
	rc = couch_client_open(&client, &r->couch, err);
	if (rc == 0 && s.n)
		rc = couch_current_revs(client, s.ids, s.n, &r->arena, s.now, err);
	if (rc == 0)
		rc = see_purges(r, client, &purged, err);
	couch_client_close(client);
	return rc ? rc : judge(r, &s, purged, err);
}
