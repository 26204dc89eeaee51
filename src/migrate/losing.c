#include "migrate/losing.h"

#include "base/utf8.h"
#include "migrate/find.h"

/* Bodies of one batch; beyond it they stay in the source. */
#define LOSING_BYTES_MAX ((size_t)64 << 20)

struct losing {
	struct run *r;
	struct batch *b;
	struct couch_client *client;
	size_t bytes;
};

int losing_wanted(const struct batch_doc *d)
{
	return d->conflicts && (d->fate == FATE_EVENT || d->fate == FATE_DOCUMENT || d->fate == FATE_CASE);
}

static int ask(struct losing *l, struct slice id, struct slice rev, size_t max, struct slice *body, struct err *err)
{
	int tries = 0, rc;

	do
		rc = couch_rev_get(l->client, id, rev, max, &l->b->arena, body, err);
	while (rc && find_again(l->r, &tries, err));
	return rc;
}

/* The text of a body cannot hold what SQL's text cannot. */
static int can_be_kept(struct slice body)
{
	return body.ptr && !utf8_odd(body);
}

static int fetch_one(struct losing *l, struct batch_doc *d, uint32_t which, struct err *err)
{
	struct slice rev = json_text(&d->conflicts->items[which]), body = SLICE_NONE;
	size_t max = l->r->options.max_doc, left = LOSING_BYTES_MAX - l->bytes;
	int rc = rev.ptr ? ask(l, d->id, rev, max < left ? max : left, &body, err) : 0;

	if (rc == 0 && !can_be_kept(body))
		rc = err_set(err, ERR_SYNTAX, "document %.*s: its text is none that SQL can hold", SLICE_ARG(d->id));
	if (rc == ERR_NOTFOUND || rc == ERR_LIMIT || rc == ERR_SYNTAX) {
		log_at(l->r->env->log, LOG_WARN, "losing revision %.*s is not brought over: %s", SLICE_ARG(rev),
		       err->msg);
		*err = (struct err)ERR_INIT;
		return 0;
	}
	if (rc)
		return rc;
	d->losing[which] = body;
	d->n_losing++;
	l->bytes += body.len;
	return 0;
}

static int fetch_all(struct losing *l, struct batch_doc *d, struct err *err)
{
	d->losing = ARENA_ARRAY(&l->b->arena, d->conflicts->count, struct slice);
	for (uint32_t i = 0; i < d->conflicts->count; i++) {
		if (run_stopped(l->r))
			return err_set(err, ERR_STOPPED, "clean break");
		if (fetch_one(l, d, i, err))
			return err->code;
	}
	return 0;
}

int losing_fetch(struct run *r, struct batch *b, struct err *err)
{
	struct losing l = {.r = r, .b = b};
	int rc = 0;

	if (!run_from_server(r) || r->without & MIGRATE_WITHOUT_CONFLICTS)
		return 0;
	for (size_t i = 0; i < b->docs.n && rc == 0; i++) {
		if (!losing_wanted(&b->docs.v[i]))
			continue;
		if (!l.client)
			rc = couch_client_open(&l.client, &r->couch, err);
		if (rc == 0)
			rc = fetch_all(&l, &b->docs.v[i], err);
	}
	couch_client_close(l.client);
	return rc;
}
