#include "config.h"

#include "cmd/stats_detail.h"

#include "cmd/print.h"

#define PAGE 500

struct detail {
	struct cmd_context *c;
	const char *title; /* printed before the first line */
	int rejects;       /* items have a reason */
	struct arena *a;
	struct json *list; /* NULL: text */
};

static void put_title(struct detail *d)
{
	if (!d->title)
		return;
	fputc('\n', d->c->out);
	print_color(d->c, PRINT_BOLD);
	fputs(d->title, d->c->out);
	print_color(d->c, PRINT_PLAIN);
	fputc('\n', d->c->out);
	d->title = NULL;
}

/* Three texts of a line, the last one perhaps absent. */
static void put_line(struct detail *d, struct slice first, struct slice second, struct slice third)
{
	put_title(d);
	fputs("  ", d->c->out);
	print_text(d->c, first);
	fputc(' ', d->c->out);
	print_text(d->c, second);
	if (third.ptr) {
		fputs(": ", d->c->out);
		print_text(d->c, third);
	}
	fputc('\n', d->c->out);
}

static void take_item(struct detail *d, const struct state_item *item)
{
	struct json v = json_object();
	if (!d->list) {
		put_line(d, item->kind.len ? item->kind : SLICE("(unknown)"), item->id,
			 d->rejects ? item->json : SLICE_NONE);
		return;
	}
	json_sets(d->a, &v, "kind", json_string(arena_slice(d->a, item->kind)));
	json_sets(d->a, &v, "id", json_string(arena_slice(d->a, item->id)));
	if (d->rejects)
		json_sets(d->a, &v, "reason", json_string(arena_slice(d->a, item->json)));
	json_push(d->a, d->list, v);
}

static int take_list(struct detail *d, struct state *state, enum state_list which, struct err *err)
{
	struct arena a = ARENA_INIT, last = ARENA_INIT;
	struct slice kind = SLICE_NONE, id = SLICE_NONE;
	struct state_items page;
	int rc;
	do {
		arena_reset(&a);
		page = (struct state_items){0};
		rc = state_list(state, which, kind, id, PAGE, &a, &page, err);
		for (size_t i = 0; rc == 0 && i < page.n; i++)
			take_item(d, &page.v[i]);
		if (rc == 0 && page.n) {
			arena_reset(&last);
			kind = arena_slice(&last, page.v[page.n - 1].kind);
			id = arena_slice(&last, page.v[page.n - 1].id);
		}
	} while (rc == 0 && page.n == PAGE && !ferror(d->c->out) && !atomic_load(d->c->stop));
	arena_release(&a);
	arena_release(&last);
	return rc;
}

static int take_conflict(void *ctx, struct slice id, struct slice rev)
{
	struct detail *d = ctx;
	struct json v = json_object();
	if (!d->list) {
		put_line(d, id, rev, SLICE_NONE);
		return 0;
	}
	json_sets(d->a, &v, "id", json_string(arena_slice(d->a, id)));
	json_sets(d->a, &v, "rev", json_string(arena_slice(d->a, rev)));
	json_push(d->a, d->list, v);
	return 0;
}

/* Lists are NULL for text. */
static int take_all(struct cmd_context *c, struct arena *a, struct json lists[3], struct err *err)
{
	struct migrate_env env = cmd_env(c);
	struct detail missing = {.c = c, .a = a, .title = "Missing documents", .list = lists ? &lists[0] : NULL};
	struct detail rejects = {
	    .c = c, .a = a, .title = "Rejected documents", .list = lists ? &lists[1] : NULL, .rejects = 1};
	struct detail conflicts = {.c = c, .a = a, .title = "Losing revisions", .list = lists ? &lists[2] : NULL};
	struct state *state = NULL;
	int rc = state_open(&state, c->state_dir, c->domain, STATE_READ_ONLY, err);
	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc == 0)
		rc = take_list(&missing, state, STATE_MISSING_DOCS, err);
	if (rc == 0)
		rc = take_list(&rejects, state, STATE_REJECTS, err);
	state_close(state);
	return rc ? rc : migrate_conflicts(&env, take_conflict, &conflicts, err);
}

int print_stats_detail(struct cmd_context *c, struct err *err)
{
	return take_all(c, NULL, NULL, err);
}

int add_stats_detail(struct cmd_context *c, struct arena *a, struct json *v, struct err *err)
{
	struct json lists[3] = {json_array(), json_array(), json_array()};
	int rc = take_all(c, a, lists, err);
	json_sets(a, v, "missing", lists[0]);
	json_sets(a, v, "rejects", lists[1]);
	json_sets(a, v, "conflicting", lists[2]);
	return rc;
}
