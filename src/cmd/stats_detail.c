#include "config.h"

#include "cmd/stats_detail.h"

#include "cmd/print.h"

#define PAGE 500

struct detail {
	struct cmd_context *c;
	const char *title; /* printed before the first line of text */
	const char *name;  /* of the list in JSON */
	int rejects;       /* items have a reason */
	int64_t n;
};

static int is_json(const struct detail *d)
{
	return d->c->global->format == FORMAT_JSON;
}

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

/* An object of two or three texts, the next of its list. */
static void put_object(struct detail *d, const char *const names[3], struct slice first, struct slice second,
		       struct slice third)
{
	struct arena a = ARENA_INIT;
	struct json v = json_object();
	json_sets(&a, &v, names[0], json_string(first));
	json_sets(&a, &v, names[1], json_string(second));
	json_sets_text(&a, &v, names[2], third);
	if (d->n)
		fputc(',', d->c->out);
	print_json(d->c, &v, JSON_PLAIN);
	arena_release(&a);
}

static void take_item(struct detail *d, const struct state_item *item)
{
	static const char *const names[] = {"kind", "id", "reason"};
	struct slice reason = d->rejects ? item->json : SLICE_NONE;
	if (is_json(d))
		put_object(d, names, item->kind, item->id, reason);
	else
		put_line(d, item->kind.len ? item->kind : SLICE("(unknown)"), item->id, reason);
	d->n++;
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
	static const char *const names[] = {"id", "rev", NULL};
	struct detail *d = ctx;
	if (is_json(d))
		put_object(d, names, id, rev, SLICE_NONE);
	else
		put_line(d, id, rev, SLICE_NONE);
	d->n++;
	return ferror(d->c->out) || atomic_load(d->c->stop);
}

static void begin_list(const struct detail *d)
{
	if (is_json(d))
		fprintf(d->c->out, ",\"%s\":[", d->name);
}

static void end_list(const struct detail *d)
{
	if (is_json(d))
		fputc(']', d->c->out);
}

static int take_kept(struct detail *d, struct state *state, enum state_list which, struct err *err)
{
	int rc;
	begin_list(d);
	rc = state ? take_list(d, state, which, err) : 0;
	end_list(d);
	return rc;
}

static int take_conflicts(struct detail *d, struct err *err)
{
	struct migrate_env env = cmd_env(d->c);
	int rc;
	begin_list(d);
	rc = migrate_conflicts(&env, take_conflict, d, err);
	end_list(d);
	return rc;
}

int print_stats_detail(struct cmd_context *c, struct err *err)
{
	struct detail missing = {.c = c, .title = "Missing documents", .name = "missing"};
	struct detail rejects = {.c = c, .title = "Rejected documents", .name = "rejects", .rejects = 1};
	struct detail conflicts = {.c = c, .title = "Losing revisions", .name = "conflicting"};
	struct state *state = NULL;
	int rc = state_open(&state, c->state_dir, c->domain, STATE_READ_ONLY, err);
	rc = rc == ERR_NOTFOUND ? 0 : rc;
	if (rc == 0)
		rc = take_kept(&missing, state, STATE_MISSING_DOCS, err);
	if (rc == 0)
		rc = take_kept(&rejects, state, STATE_REJECTS, err);
	state_close(state);
	return rc ? rc : take_conflicts(&conflicts, err);
}
