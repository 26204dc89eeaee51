/* trail_run: what a run of `migrate` writes into the audit trail: that it began, what it was told by hand, how it
 * ended. */
#include "migrate/trail.h"

#define BY_HAND "by-hand.json"

int trail_run_begin(struct run *r, const struct status *s, enum life_status to, struct err *err)
{
	struct trail_note note = {.event = "start", .status = life_status_name(to)};

	if (s->life != LIFE_NOT_STARTED)
		return trail_check(r, err);
	note.subject = arena_printf(&r->arena, "migration of %.*s begins", SLICE_ARG(r->env->domain));
	return trail_event(r, &note, err);
}

static int put_ids(struct run *r, struct audit *trail, struct err *err)
{
	struct json v = json_object(), list = json_array();
	struct arena a = ARENA_INIT;
	struct slice text;
	int rc;

	for (size_t i = 0; i < r->options.n_forms; i++)
		json_push(&a, &list, json_string(r->options.forms[i]));
	json_sets(&a, &v, "documents", list);
	text = json_to_text(&v, JSON_PRETTY, &a);
	rc = audit_put(trail, SLICE(BY_HAND), arena_printf(&a, "%.*s\n", SLICE_ARG(text)), err);
	arena_release(&a);
	return rc;
}

int trail_by_hand(struct run *r, struct err *err)
{
	struct audit_trailer trailer = {"Documents", arena_printf(&r->arena, "%zu", r->options.n_forms)};
	struct trail_note note = {
	    .event = "by-hand",
	    .subject = arena_printf(&r->arena, "%zu %s asked for by id", r->options.n_forms,
				    r->options.n_forms == 1 ? "document" : "documents"),
	    .text = SLICE("Their ids are listed in " BY_HAND "."),
	    .trailers = &trailer,
	    .n_trailers = 1,
	};
	struct audit *trail = NULL;
	char id[AUDIT_ID_SIZE];
	int rc = r->options.n_forms ? trail_begin(r, &trail, err) : 0;

	if (!trail)
		return rc;
	rc = put_ids(r, trail, err);
	if (rc == 0)
		rc = trail_end(r, trail, &note, id, err);
	audit_close(trail);
	return rc ? rc : trail_commit_head(r, id, err);
}

static struct slice count(struct run *r, int64_t n)
{
	return arena_printf(&r->arena, "%lld", (long long)n);
}

/* Rows may be others although the numbers of documents are the same. */
int trail_run_end(struct run *r, struct err *err)
{
	int by_id = r->asked_by_id && !r->counters.read;
	const struct migrate_counters *c = by_id ? &r->by_id : &r->counters;
	struct audit_trailer trailers[] = {{"Asked", r->asked_by_id ? count(r, r->asked_by_id) : SLICE_NONE},
					   {"Read", count(r, c->read)},
					   {"Written", count(r, c->written)},
					   {"Unchanged", count(r, c->unchanged)},
					   {"Deleted", count(r, c->deleted)},
					   {"Rejected", count(r, c->rejected)}};
	struct trail_note note = {
	    .event = "end",
	    .flags = r->counters.written || r->by_id.written ? 0 : TRAIL_IF_CHANGED,
	    .trailers = trailers,
	    .n_trailers = sizeof(trailers) / sizeof(trailers[0]),
	};

	if (by_id)
		note.subject = arena_printf(
		    &r->arena,
		    "documents by id: %lld asked for, %lld there, %lld written, %lld unchanged, %lld rejected",
		    (long long)r->asked_by_id, (long long)c->read, (long long)c->written, (long long)c->unchanged,
		    (long long)c->rejected);
	else
		note.subject = arena_printf(
		    &r->arena, "migrated: %lld written, %lld unchanged, %lld deleted, %lld rejected",
		    (long long)c->written, (long long)c->unchanged, (long long)c->deleted, (long long)c->rejected);
	return trail_event(r, &note, err);
}
