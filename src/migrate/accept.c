#include "migrate/accept.h"

#include "migrate/trail.h"

#define PAGE 200
#define ACCEPTED "accepted"

static const struct {
	const char *name;
	enum state_list list;
	int is_json; /* what the list holds is JSON; else it is text */
} lists[] = {
    {"diffs", STATE_DIFFS, 1},
    {"changes", STATE_CHANGES, 1},
    {"missing", STATE_MISSING_DOCS, 0},
    {"rejected", STATE_REJECTS, 0},
};

static int put_item(struct audit *trail, const char *what, int is_json, const struct state_item *item, struct arena *a,
		    struct err *err)
{
	struct buf path = BUF_INIT(1u << 16);
	struct json v = json_object(), left;
	char suffix[32];
	int rc = 0;

	json_sets(a, &v, "kind", json_string(item->kind));
	json_sets(a, &v, "id", json_string(item->id));
	if (is_json && json_read(item->json, a, 0, &left, NULL, err))
		return err->code;
	if (!is_json)
		left = item->json.ptr ? json_string(item->json) : json_true;
	json_sets(a, &v, what, left);
	/* A document may differ and be missing: a file for each. */
	snprintf(suffix, sizeof(suffix), ".%s.json", what);
	audit_path(ACCEPTED, item->id, suffix, &path);
	rc = buf_check(&path, "the path of a document in the trail", err);
	if (rc == 0)
		rc = audit_put(trail, buf_slice(&path), json_to_text(&v, JSON_PRETTY, a), err);
	buf_release(&path);
	return rc;
}

static int put_list(struct run *r, struct audit *trail, size_t which, struct err *err)
{
	struct arena keys = ARENA_INIT, page = ARENA_INIT;
	struct slice kind = SLICE_NONE, id = SLICE_NONE;
	struct state_items items;
	int rc;

	do {
		arena_reset(&page);
		items = (struct state_items){0};
		rc = state_list(r->state, lists[which].list, kind, id, PAGE, &page, &items, err);
		for (size_t i = 0; rc == 0 && i < items.n; i++)
			rc = put_item(trail, lists[which].name, lists[which].is_json, &items.v[i], &page, err);
		if (items.n) {
			arena_reset(&keys);
			kind = arena_slice(&keys, items.v[items.n - 1].kind);
			id = arena_slice(&keys, items.v[items.n - 1].id);
		}
	} while (rc == 0 && items.n);
	arena_release(&keys);
	arena_release(&page);
	return rc;
}

int accept_event(struct run *r, enum life_status to, struct err *err)
{
	struct trail_note note = {
	    .event = "commit",
	    .subject = SLICE("committed, differences accepted"),
	    .text = SLICE("What was left is listed, a file each document, under accepted/."),
	    .status = life_status_name(to),
	};
	struct audit_trailer accepted = {.key = "Accepted"};
	struct audit *trail = NULL;
	char id[AUDIT_ID_SIZE];
	int rc = trail_begin(r, &trail, err);

	note.trailers = &accepted;
	note.n_trailers = 1;
	for (size_t i = 0; rc == 0 && i < sizeof(lists) / sizeof(lists[0]); i++)
		rc = put_list(r, trail, i, err);
	if (rc == 0)
		accepted.value = arena_printf(&r->arena, "%zu", audit_pending(trail));
	if (rc == 0)
		rc = trail_end(r, trail, &note, id, err);
	audit_close(trail);
	return rc ? rc : trail_commit_head(r, id, err);
}
