#include "config.h"

#include "cmd/print.h"
#include "cmd/select.h"

#define PAGE 500

struct options {
	const char *select;
	int changes;
};

static const struct option_spec table[] = {
    {.name = "select",
     .kind = OPT_TEXT,
     .argument = "S",
     .help = "with-diffs, with-changes, forms, cases, KIND, KIND:ID,ID, ids with commas between them, ./FILE or /FILE "
	     "with an id "
	     "or KIND,ID a line",
     .offset = offsetof(struct options, select)},
    {.name = "changes",
     .kind = OPT_FLAG,
     .help = "changes (differences with a known cause) instead of differences",
     .offset = offsetof(struct options, changes)},
    {.name = NULL},
};

struct show {
	struct cmd_context *c;
	struct selection selection;
	enum state_list list;
};

static void print_item_json(const struct cmd_context *c, const struct state_item *item, const struct json *diffs,
			    struct arena *a)
{
	struct json v = json_object();
	json_sets(a, &v, "kind", json_string(item->kind));
	json_sets(a, &v, "id", json_string(item->id));
	json_sets(a, &v, "diffs", *diffs);
	print_json_line(c, &v);
}

static int print_item(struct show *s, const struct state_item *item, struct arena *a, struct err *err)
{
	struct diff_list list = {0};
	struct json diffs;
	if (json_read(item->json, a, 0, &diffs, NULL, err) || diff_list_from_json(&diffs, a, &list, err)) {
		err->code = ERR_STATE;
		return err_prefix(err, "stored differences of %.*s", SLICE_ARG(item->id));
	}
	if (s->c->global->format == FORMAT_JSON)
		print_item_json(s->c, item, &diffs, a);
	else
		print_diffs(s->c, item->kind, item->id, &list);
	return 0;
}

/* A page at a time: memory does not grow with the number of differences, and no read transaction stays open. */
static int print_pages(struct show *s, struct state *state, struct err *err)
{
	struct arena a = ARENA_INIT, last = ARENA_INIT;
	struct slice kind = SLICE_NONE, id = SLICE_NONE;
	struct state_items page = {0};
	int rc = 0;
	do {
		arena_reset(&a);
		page = (struct state_items){0};
		rc = state_list(state, s->list, kind, id, PAGE, &a, &page, err);
		for (size_t i = 0; rc == 0 && i < page.n; i++)
			if (selection_has(&s->selection, page.v[i].kind, page.v[i].id))
				rc = print_item(s, &page.v[i], &a, err);
		if (rc == 0 && page.n) {
			arena_reset(&last);
			kind = arena_slice(&last, page.v[page.n - 1].kind);
			id = arena_slice(&last, page.v[page.n - 1].id);
		}
		if (rc == 0 && atomic_load(s->c->stop))
			rc = err_set(err, ERR_STOPPED, "stopped before the end");
	} while (rc == 0 && page.n == PAGE && !ferror(s->c->out));
	arena_release(&a);
	arena_release(&last);
	return rc;
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct show s = {.c = c, .list = o->changes ? STATE_CHANGES : STATE_DIFFS};
	struct state *state = NULL;
	if (selection_parse(o->select, &c->profile, c->arena, &s.selection, err))
		return err->code;
	if (s.selection.what == SELECT_PENDING)
		return err_set(err, ERR_USAGE,
			       "pending cases have not been compared yet: they have no differences to show");
	if (s.selection.what == SELECT_CHANGES)
		s.list = STATE_CHANGES;
	int rc = state_open(&state, c->state_dir, c->domain, STATE_READ_ONLY, err);
	if (rc == ERR_NOTFOUND) {
		err_set(err, ERR_STATE, "nothing is known of %.*s in %s", SLICE_ARG(c->domain), c->state_dir);
		return err_hint(err, "`settle migrate %.*s` comes first, or name the right --state-dir",
				SLICE_ARG(c->domain));
	}
	if (rc == 0)
		rc = print_pages(&s, state, err);
	state_close(state);
	return rc;
}

const struct command cmd_diff_show = {
    .name = "diff show",
    .arguments = "DOMAIN",
    .summary = "print the differences that were found",
    .help = "Each document with its differences: type, path, what Couch holds -> what SQL holds. May run at any time; "
	    "it writes "
	    "nothing.",
    .needs = NEED_DOMAIN | NEED_STATE | NEED_PROFILE,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
