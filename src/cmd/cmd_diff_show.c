#include "config.h"

#include "cmd/csv.h"
#include "cmd/print.h"
#include "cmd/select.h"
#include "migrate/again.h"
#include "migrate/origin.h"
#include "migrate/patching.h"
#include "patch/patch.h"

#define PAGE 500

struct options {
	const char *select;
	int changes, patched, ignored, csv;
};

static const struct option_spec table[] = {
    SELECT_OPTION(struct options),
    {.name = "changes",
     .kind = OPT_FLAG,
     .help = "changes (differences with a known cause) instead of differences",
     .offset = offsetof(struct options, changes)},
    {.name = "patched",
     .kind = OPT_FLAG,
     .help = "what patch forms recorded, by form id, instead of what differs; needs --target",
     .offset = offsetof(struct options, patched)},
    {.name = "ignored",
     .kind = OPT_FLAG,
     .help = "compare again, and print what rules drop, each with its rule; forms need --source",
     .offset = offsetof(struct options, ignored)},
    {.name = "csv",
     .kind = OPT_FLAG,
     .help = "comma-separated values, a line for each difference; user_id and server_date need --target",
     .offset = offsetof(struct options, csv)},
    {.name = NULL},
};

struct show {
	struct cmd_context *c;
	const struct options *o;
	struct selection selection;
	enum state_list list;
	struct origins *origins; /* NULL: not asked for, or there is no target */
};

/* ---- stored differences ---- */

static int print_csv(struct show *s, const struct state_item *item, const struct origin *origin, struct arena *a,
		     struct err *err)
{
	struct csv_doc doc = {item->kind, item->id, origin->user_id, origin->server_date};
	struct diff_list list = {0};
	struct json unused;
	if (read_item(item, a, &unused, &list, err))
		return err->code;
	for (size_t i = 0; i < list.n; i++)
		csv_diff(s->c, &doc, &list.v[i], list.v[i].reason);
	return 0;
}

typedef int wanted_fn(const struct show *s, const struct state_item *item);

static int wanted_by_kind(const struct show *s, const struct state_item *item)
{
	return selection_has_kind(&s->selection, item->kind);
}

static int wanted_by_id(const struct show *s, const struct state_item *item)
{
	return selection_has(&s->selection, item->kind, item->id) && !wanted_by_kind(s, item);
}

static int print_page(struct show *s, const struct state_items *page, wanted_fn *wanted, struct arena *a,
		      struct err *err)
{
	struct origin *origins = ARENA_ARRAY(a, page->n + 1, struct origin);
	int rc = s->origins ? origins_of(s->origins, page->v, page->n, a, origins, err) : 0;
	for (size_t i = 0; rc == 0 && i < page->n; i++) {
		if (!wanted(s, &page->v[i]))
			continue;
		if (s->o->csv)
			rc = print_csv(s, &page->v[i], &origins[i], a, err);
		else
			rc = print_item(s->c, &page->v[i], a, err);
	}
	return rc;
}

/* The list is in order of kind and id: behind the last one, or behind all of its kind when none of these is wanted. */
static void go_behind(const struct show *s, const struct state_item *item, struct arena *a, struct slice *kind,
		      struct slice *id)
{
	arena_reset(a);
	if (wanted_by_kind(s, item)) {
		*kind = arena_slice(a, item->kind);
		*id = arena_slice(a, item->id);
	} else {
		char *next = arena_zalloc(a, 1, item->kind.len + 1);
		memcpy(next, item->kind.ptr, item->kind.len);
		*kind =
		    (struct slice){next, item->kind.len + 1}; /* no text lies between a text and the same with a NUL */
		*id = SLICE("");
	}
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
		if (rc == 0)
			rc = print_page(s, &page, wanted_by_kind, &a, err);
		if (rc == 0 && page.n)
			go_behind(s, &page.v[page.n - 1], &last, &kind, &id);
		if (rc == 0 && atomic_load(s->c->stop))
			rc = err_set(err, ERR_STOPPED, "stopped before the end");
	} while (rc == 0 && page.n == PAGE && !ferror(s->c->out));
	arena_release(&a);
	arena_release(&last);
	return rc;
}

/* Documents that are named are asked for one by one: a list of a million others is not read for them. */
static int print_named(struct show *s, struct state *state, struct err *err)
{
	struct arena a = ARENA_INIT;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < s->selection.n; i++) {
		struct state_items page = {0};
		struct state_item item;
		arena_reset(&a);
		if (i && slice_eq(s->selection.v[i].id, s->selection.v[i - 1].id))
			continue;
		rc = state_get(state, s->list, s->selection.v[i].id, &a, &item, err);
		if (rc == 0) {
			ARENA_PUSH(&a, &page, item);
			rc = print_page(s, &page, wanted_by_id, &a, err);
		}
		rc = rc == ERR_NOTFOUND ? 0 : rc;
	}
	arena_release(&a);
	return rc;
}

static int print_stored(struct show *s, struct err *err)
{
	struct cmd_context *c = s->c;
	struct state *state = NULL;
	int rc = state_open(&state, c->state_dir, c->domain, STATE_READ_ONLY, err);
	if (rc == ERR_NOTFOUND) {
		err_set(err, ERR_STATE, "nothing is known of %.*s in %s", SLICE_ARG(c->domain), c->state_dir);
		return err_hint(err, "`settle migrate %.*s` comes first, or name the right --state-dir",
				SLICE_ARG(c->domain));
	}
	if (rc == 0 && s->o->csv)
		csv_head(c);
	if (rc == 0 && s->selection.what == SELECT_IDS)
		rc = print_named(s, state, err);
	if (rc == 0 && (s->selection.what != SELECT_IDS || s->selection.word.ptr))
		rc = print_pages(s, state, err);
	state_close(state);
	return rc;
}

/* ---- what patch forms recorded ---- */

static int print_patched_csv(struct show *s, const struct migrate_patch_form *f, const struct diff_list *list,
			     struct arena *a, struct err *err)
{
	struct state_item item = {.kind = f->kind, .id = f->id};
	struct origin origin;
	struct csv_doc doc = {.kind = f->kind, .id = f->id};
	if (origins_of(s->origins, &item, 1, a, &origin, err))
		return err->code;
	doc.user_id = origin.user_id;
	doc.server_date = origin.server_date;
	for (size_t i = 0; i < list->n; i++)
		csv_diff(s->c, &doc, &list->v[i], list->v[i].reason);
	return 0;
}

static void print_patched_json(struct show *s, const struct migrate_patch_form *f, struct json diffs, struct arena *a)
{
	struct json v = json_object();
	json_sets(a, &v, "kind", json_string(f->kind));
	json_sets(a, &v, "id", json_string(f->id));
	json_sets(a, &v, "form_id", json_string(f->form_id));
	json_sets(a, &v, "diffs", diffs);
	print_json_line(s->c, &v);
}

static int print_entries(struct show *s, const struct migrate_patch_form *f, struct arena *a, struct err *err)
{
	const struct json *entries = json_gets(f->block, "diffs");
	struct json diffs = json_array();
	struct diff_list list = {0};
	for (uint32_t i = 0; json_is(entries, JSON_ARRAY) && i < entries->count; i++)
		json_push(a, &diffs, patch_entry_diff(&entries->items[i], a));
	if (diff_list_from_json(&diffs, a, &list, err)) {
		err->code = ERR_STATE;
		return err_prefix(err, "patch form %.*s", SLICE_ARG(f->form_id));
	}
	if (s->o->csv)
		return print_patched_csv(s, f, &list, a, err);
	if (s->c->global->format == FORMAT_JSON)
		print_patched_json(s, f, diffs, a);
	else
		print_diffs(s->c, f->kind, f->id, &list);
	return 0;
}

static int print_patch_form(void *ctx, const struct migrate_patch_form *f, struct err *err)
{
	struct show *s = ctx;
	struct arena a = ARENA_INIT;
	int rc = print_go_on(s->c, err);
	if (rc == 0 && selection_has(&s->selection, f->kind, f->id))
		rc = print_entries(s, f, &a, err);
	arena_release(&a);
	return rc;
}

static int print_patched(struct show *s, struct err *err)
{
	struct migrate_env env = cmd_env(s->c);
	if (!s->c->has_target) {
		err_set(err, ERR_USAGE, "--patched reads patch forms and needs a target");
		return err_hint(err, "give --target URL, or set SETTLE_TARGET");
	}
	if (s->o->csv)
		csv_head(s->c);
	return print_ended(s->c, migrate_patch_list(&env, print_patch_form, s, err));
}

/* ---- what rules drop ---- */

static void print_ignored_json(struct show *s, struct slice kind, struct slice id, const struct ignored_list *list,
			       struct arena *a)
{
	struct json v = json_object(), diffs = json_array();
	for (size_t i = 0; i < list->n; i++) {
		struct diff d = list->v[i].diff;
		struct json one;
		d.reason = list->v[i].rule->reason;
		one = diff_to_json(&d, a);
		json_sets(a, &one, "rule", json_string(list->v[i].rule->name));
		json_push(a, &diffs, one);
	}
	json_sets(a, &v, "kind", json_string(kind));
	json_sets(a, &v, "id", json_string(id));
	json_sets(a, &v, "diffs", diffs);
	print_json_line(s->c, &v);
}

static void print_ignored_text(struct show *s, struct slice kind, struct slice id, const struct ignored_list *list,
			       struct arena *a)
{
	struct diff_list diffs = {0};
	for (size_t i = 0; i < list->n; i++) {
		struct diff d = list->v[i].diff;
		d.reason = list->v[i].rule->name;
		ARENA_PUSH(a, &diffs, d);
	}
	print_diffs(s->c, kind, id, &diffs);
}

static int print_ignored_csv(struct show *s, struct slice kind, struct slice id, const struct ignored_list *list,
			     struct arena *a, struct err *err)
{
	struct state_item item = {.kind = kind, .id = id};
	struct origin origin;
	struct csv_doc doc = {.kind = kind, .id = id};
	if (origins_of(s->origins, &item, 1, a, &origin, err))
		return err->code;
	doc.user_id = origin.user_id;
	doc.server_date = origin.server_date;
	for (size_t i = 0; i < list->n; i++)
		csv_diff(s->c, &doc, &list->v[i].diff, list->v[i].rule->name);
	return 0;
}

static int print_ignored(void *ctx, struct slice kind, struct slice id, const struct ignored_list *list,
			 struct err *err)
{
	struct show *s = ctx;
	struct arena a = ARENA_INIT;
	int rc = 0;
	if (s->o->csv)
		rc = print_ignored_csv(s, kind, id, list, &a, err);
	else if (s->c->global->format == FORMAT_JSON)
		print_ignored_json(s, kind, id, list, &a);
	else
		print_ignored_text(s, kind, id, list, &a);
	arena_release(&a);
	return rc;
}

/* Without a source named documents can be cases only. */
static int all_were_cases(const struct show *s, const struct again_result *result, struct err *err)
{
	int64_t named = 0;
	int unknown;
	for (size_t i = 0; i < s->selection.n; i++)
		named += !i || !slice_eq(s->selection.v[i].id, s->selection.v[i - 1].id);
	if (result->compared >= named)
		return 0;
	if (selection_check(s->c, &s->selection, AGAIN_CASES | AGAIN_FORMS, &unknown, err))
		return err->code;
	err_set(err, ERR_USAGE, "not all of the documents named are cases, and forms are compared with the source");
	return err_hint(err, "give --source URL, or set SETTLE_SOURCE");
}

static int compare_again(struct show *s, struct err *err)
{
	struct migrate_env env = cmd_env(s->c);
	struct again_look look = {.ignored = print_ignored, .ctx = s};
	struct again_result result;
	int cases_only = !s->c->has_source && s->selection.what == SELECT_IDS && !s->selection.word.ptr;
	unsigned classes = 0;
	if (!s->c->has_target) {
		err_set(err, ERR_USAGE, "--ignored compares again and needs a target");
		return err_hint(err, "give --target URL, or set SETTLE_TARGET");
	}
	if (selection_meets_class(&s->selection, 1))
		classes |= AGAIN_CASES;
	if (selection_meets_class(&s->selection, 0) && !cases_only)
		classes |= AGAIN_FORMS;
	if (s->o->csv)
		csv_head(s->c);
	if (migrate_look(&env, classes, &s->selection, &look, &result, err))
		return err->code;
	return cases_only ? all_were_cases(s, &result, err) : 0;
}

/* ---- the command ---- */

static int check_options(const struct options *o, int format, const struct selection *selection, struct err *err)
{
	if (o->csv && format == FORMAT_JSON)
		return err_set(err, ERR_USAGE, "--csv and --format json are mutually exclusive");
	if (o->changes + o->ignored + o->patched > 1)
		return err_set(err, ERR_USAGE, "--changes, --patched and --ignored are mutually exclusive");
	if (o->patched && (selection->what == SELECT_DIFFS || selection->what == SELECT_CHANGES))
		return err_set(err, ERR_USAGE,
			       "--patched tells what was patched, not what differs: select by kind or id");
	if (selection->what == SELECT_PENDING && !o->ignored)
		return err_set(err, ERR_USAGE,
			       "pending cases have not been compared yet: they have no differences to show");
	return 0;
}

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	struct migrate_env env = cmd_env(c);
	struct show s = {.c = c, .o = o, .list = o->changes ? STATE_CHANGES : STATE_DIFFS};
	int rc, unknown;
	if (selection_parse(o->select, &c->profile, c->arena, &s.selection, err) ||
	    check_options(o, c->global->format, &s.selection, err))
		return err->code;
	if (s.selection.what == SELECT_CHANGES)
		s.list = STATE_CHANGES;
	if (o->csv && c->has_target && origins_open(&s.origins, &env, err))
		return err->code;
	if (o->patched)
		rc = print_patched(&s, err);
	else
		rc = o->ignored ? compare_again(&s, err) : print_stored(&s, err);
	origins_close(s.origins);
	return rc ? rc : selection_check(c, &s.selection, AGAIN_CASES | AGAIN_FORMS, &unknown, err);
}

const struct command cmd_diff_show = {
    .name = "diff show",
    .arguments = "DOMAIN",
    .summary = "print the differences that were found",
    .help = "Each document with its differences: type, path, what Couch holds -> what SQL holds. May run at any time; "
	    "it writes "
	    "nothing. On a terminal PAGER shows it.",
    .needs = MAY_SOURCE | MAY_TARGET | NEED_DOMAIN | NEED_STATE | NEED_PROFILE | USES_PAGER,
    .min_args = 1,
    .max_args = 1,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};
