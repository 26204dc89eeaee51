#include "config.h"

#include "cmd/print.h"

#include <inttypes.h>

/* ---- table ---- */

static struct slice shown_kind(const struct migrate_kind *k)
{
	return k->kind.len ? k->kind : SLICE("(unknown)");
}

static int width_of(const struct migrate_stats *s)
{
	size_t width = sizeof("Kind") - 1;
	for (size_t i = 0; i < s->n_kinds; i++) {
		size_t len = shown_kind(&s->kinds[i]).len;
		width = len > width ? len : width;
	}
	return width < 60 ? (int)width : 60;
}

/* Zero prints blank. */
static void put_count(const struct cmd_context *c, int64_t n, enum print_color color)
{
	if (n == 0) {
		fprintf(c->out, "%10s", "");
		return;
	}
	if (color != PRINT_PLAIN)
		print_color(c, color);
	fprintf(c->out, "%10" PRId64, n);
	if (color != PRINT_PLAIN)
		print_color(c, PRINT_PLAIN);
}

static void put_kind(const struct cmd_context *c, const struct migrate_kind *k, int width)
{
	struct slice name = shown_kind(k);
	print_text(c, name);
	fprintf(c->out, "%*s", name.len < (size_t)width ? width - (int)name.len : 0, "");
	put_count(c, k->docs, PRINT_PLAIN);
	put_count(c, k->diffs, PRINT_RED);
	put_count(c, k->missing, PRINT_RED);
	put_count(c, k->changes, PRINT_PLAIN);
	fputc('\n', c->out);
}

static int is_left(const struct migrate_kind *k)
{
	return k->diffs || k->missing || k->changes;
}

static int any_left(const struct migrate_stats *s)
{
	int left = 0;
	for (size_t i = 0; i < s->n_kinds; i++)
		left |= is_left(&s->kinds[i]);
	return left;
}

static void put_all_clear(const struct cmd_context *c)
{
	fputc('\n', c->out);
	print_color(c, PRINT_GREEN);
	fputs("No differences found between old and new docs!", c->out);
	print_color(c, PRINT_PLAIN);
	fputs("\n\n", c->out);
}

static void put_table(const struct cmd_context *c, const struct migrate_stats *s, unsigned flags)
{
	int width = width_of(s);
	print_color(c, PRINT_BOLD);
	fprintf(c->out, "\n%-*s%10s%10s%10s%10s\n", width, "Kind", "Docs", "Diffs", "Missing", "Changes");
	print_color(c, PRINT_PLAIN);
	for (size_t i = 0; i < s->n_kinds; i++)
		if (!(flags & STATS_AFTER_MIGRATE) || is_left(&s->kinds[i]))
			put_kind(c, &s->kinds[i], width);
	fputc('\n', c->out);
}

/* ---- what stands around it ---- */

static void put_named(const struct cmd_context *c, const char *name, struct slice text)
{
	if (!text.len)
		return;
	fprintf(c->out, "%-11s", name);
	print_text(c, text);
	fputc('\n', c->out);
}

static void put_left(const struct cmd_context *c, const char *name, int64_t n, const char *meaning)
{
	if (n)
		fprintf(c->out, "%-11s%" PRId64 " %s\n", name, n, meaning);
}

static void put_conflicts(const struct cmd_context *c, const struct migrate_stats *s)
{
	if (s->conflicts_left)
		fprintf(c->out, "%-11s%" PRId64 " (losing revisions; %" PRId64 " of them not brought over)\n",
			"conflicts", s->conflicts, s->conflicts_left);
	else
		put_left(c, "conflicts", s->conflicts,
			 s->without & MIGRATE_WITHOUT_CONFLICTS
			     ? "(losing revisions; they stay in the source, as was said)"
			     : "(losing revisions; they are kept too)");
}

static void put_counters(const struct cmd_context *c, const struct migrate_counters *n)
{
	if (n->read == 0) {
		fprintf(c->out, "last pass  nothing was there to read: caught up\n");
		return;
	}
	fprintf(c->out,
		"last pass  read %" PRId64 " = written %" PRId64 " + unchanged %" PRId64 " + deleted %" PRId64
		" + skipped %" PRId64 " + rejected %" PRId64 "\n",
		n->read, n->written, n->unchanged, n->deleted, n->skipped, n->rejected);
}

static void put_traits(const struct cmd_context *c, const struct migrate_stats *s)
{
	put_left(c, "ledgers", s->ledgers, "(forms that hold stock, which stays in them: it is not replayed)");
	put_left(c, "key twice", s->key_twice, "(documents with a key twice: the last value counts, as in CouchDB)");
}

static void put_ignored(const struct cmd_context *c, const struct state_tallies *ignored)
{
	if (ignored->n == 0)
		return;
	fprintf(c->out, "\nIgnored differences by rule\n");
	for (size_t i = 0; i < ignored->n; i++) {
		fprintf(c->out, "%10" PRId64 "  ", ignored->v[i].count);
		print_text(c, ignored->v[i].rule);
		fputc('\n', c->out);
	}
}

static void put_rules(const struct cmd_context *c, const struct migrate_stats *s)
{
	fprintf(c->out, "%-11sdifferences were recorded with rules that were edited since: `settle diff filter ",
		"rules");
	print_text(c, s->domain);
	fputs("` applies those of now\n", c->out);
}

/* What is not there was not looked for. */
static void put_trial(const struct cmd_context *c, const struct migrate_stats *s)
{
	if (!s->trial.ptr)
		return;
	print_color(c, PRINT_BOLD);
	fprintf(c->out, "%-11sa trial run, ", "trial");
	print_text(c, s->trial);
	print_color(c, PRINT_PLAIN);
	fputs(": it cannot be committed (`settle reset` first). Left out:\n", c->out);
	for (size_t i = 0; i < s->n_left_out; i++) {
		fprintf(c->out, "%-11s- ", "");
		print_text(c, s->left_out[i]);
		fputc('\n', c->out);
	}
}

static void put_apart(const struct cmd_context *c, const struct migrate_stats *s)
{
	fprintf(c->out, "%-11s%s: `settle migrate ", "apart", s->apart);
	print_text(c, s->domain);
	fputs(" --rebuild-state` makes both whole from the source\n", c->out);
}

static void put_pending(const struct cmd_context *c, const struct migrate_stats *s)
{
	if (!s->pending)
		return;
	print_color(c, PRINT_RED);
	fprintf(c->out, "There are %" PRId64 " case diffs pending.", s->pending);
	print_color(c, PRINT_PLAIN);
	fputs(" `settle diff cases ", c->out);
	print_text(c, s->domain);
	fputs(" --select pending` compares them\n", c->out);
}

static void put_nothing(const struct cmd_context *c, const struct migrate_stats *s)
{
	struct slice text = SLICE("the source has no document of this domain: is its name right?");
	if (s->trial.ptr)
		text = arena_printf(c->arena,
				    "the source has no document of this domain that %.*s takes: are the names right?",
				    SLICE_ARG(s->trial));
	put_named(c, "nothing", text);
}

/* A trial run looks for none, and cannot bring over what it finds without looking. */
static void put_missing(const struct cmd_context *c, const struct migrate_stats *s)
{
	int64_t missing = 0;
	for (size_t i = 0; i < s->n_kinds; i++)
		missing += s->kinds[i].missing;
	if (missing && !s->trial.ptr)
		fputs("Run again with --forms=missing to migrate missing docs\n", c->out);
}

static void put_summary(const struct cmd_context *c, const struct migrate_stats *s, unsigned flags)
{
	int all_clear = !any_left(s) && !s->pending && !s->unfinished && !s->apart && !s->nothing;
	if (flags & STATS_AFTER_MIGRATE && all_clear)
		put_all_clear(c);
	else if (flags & STATS_AFTER_MIGRATE && !any_left(s))
		fputc('\n', c->out);
	else
		put_table(c, s, flags);
}

/* In the words that the operators of HQ's command know. */
static void put_title(const struct cmd_context *c, const struct migrate_stats *s)
{
	fputs("Couch to SQL migration status for ", c->out);
	print_text(c, s->domain);
	fputs(": ", c->out);
	print_text(c, s->status);
	fputc('\n', c->out);
}

void print_stats(const struct cmd_context *c, const struct migrate_stats *s, unsigned flags)
{
	put_title(c, s);
	put_named(c, "source", s->source);
	put_named(c, "target", s->target);
	put_named(c, "profile", s->profile);
	if (!s->started)
		return;
	put_trial(c, s);
	put_summary(c, s, flags);
	put_counters(c, &s->counters);
	put_left(c, "pending", s->pending, "(cases that wait to be compared)");
	put_left(c, "rejects", s->rejected_now, "(documents that could not be stored; kept whole)");
	put_conflicts(c, s);
	put_left(c, "attached", s->attachments,
		 s->attachments_left ? "(attachment bodies that were not brought over)"
				     : "(attachment bodies that stay in the source, as was said)");
	if (flags & STATS_VERBOSE)
		put_traits(c, s);
	if (s->unfinished)
		put_named(c, "unfinished", SLICE("the last pass did not come to its end; the same command goes on"));
	if (s->nothing)
		put_nothing(c, s);
	if (s->apart)
		put_apart(c, s);
	if (s->other_rules)
		put_rules(c, s);
	put_named(c, "clean", s->clean ? SLICE("yes") : SLICE("no"));
	put_missing(c, s);
	put_pending(c, s);
	if (flags & STATS_VERBOSE)
		put_ignored(c, &s->ignored);
}

/* ---- JSON ---- */

/* A sequence is JSON text; one that is a string is told as that string. */
static struct json checkpoint_json(struct slice seq, struct arena *a)
{
	struct json v;
	if (!seq.ptr)
		return json_null;
	if (json_read(seq, a, 0, &v, NULL, NULL) == 0 && v.type == JSON_STRING)
		return v;
	return json_string(seq);
}

static struct json text_or_null(struct slice s)
{
	return s.ptr ? json_string(s) : json_null;
}

static void set_int(struct arena *a, struct json *v, const char *key, int64_t n)
{
	json_sets(a, v, key, json_int(a, n));
}

static struct json kinds_json(const struct migrate_stats *s, struct arena *a)
{
	struct json list = json_array();
	for (size_t i = 0; i < s->n_kinds; i++) {
		struct json k = json_object();
		json_sets(a, &k, "kind", json_string(s->kinds[i].kind));
		set_int(a, &k, "docs", s->kinds[i].docs);
		set_int(a, &k, "diffs", s->kinds[i].diffs);
		set_int(a, &k, "missing", s->kinds[i].missing);
		set_int(a, &k, "changes", s->kinds[i].changes);
		json_push(a, &list, k);
	}
	return list;
}

static struct json ignored_json(const struct migrate_stats *s, struct arena *a)
{
	struct json list = json_array();
	for (size_t i = 0; i < s->ignored.n; i++) {
		struct json k = json_object();
		json_sets(a, &k, "rule", json_string(s->ignored.v[i].rule));
		set_int(a, &k, "count", s->ignored.v[i].count);
		json_push(a, &list, k);
	}
	return list;
}

static struct json trial_json(const struct migrate_stats *s, struct arena *a)
{
	struct json v = json_object(), list = json_array();
	for (size_t i = 0; i < s->n_left_out; i++)
		json_push(a, &list, json_string(s->left_out[i]));
	json_sets(a, &v, "options", json_string(s->trial));
	json_sets(a, &v, "left_out", list);
	return v;
}

struct json stats_to_json(const struct migrate_stats *s, struct arena *a)
{
	struct json v = json_object();
	json_sets(a, &v, "domain", json_string(s->domain));
	json_sets(a, &v, "status", json_string(s->status));
	json_sets(a, &v, "source", text_or_null(s->source));
	json_sets(a, &v, "target", text_or_null(s->target));
	json_sets(a, &v, "profile", text_or_null(s->profile));
	json_sets(a, &v, "clean", json_bool(s->clean));
	set_int(a, &v, "pending", s->pending);
	json_sets(a, &v, "checkpoint", checkpoint_json(s->checkpoint, a));
	set_int(a, &v, "read", s->counters.read);
	set_int(a, &v, "written", s->counters.written);
	set_int(a, &v, "unchanged", s->counters.unchanged);
	set_int(a, &v, "deleted", s->counters.deleted);
	set_int(a, &v, "skipped", s->counters.skipped);
	set_int(a, &v, "rejected", s->counters.rejected);
	set_int(a, &v, "conflicts", s->conflicts);
	set_int(a, &v, "conflicts_left", s->conflicts_left);
	set_int(a, &v, "attachments", s->attachments);
	set_int(a, &v, "attachments_left", s->attachments_left);
	json_sets(a, &v, "kinds", kinds_json(s, a));
	json_sets(a, &v, "ignored", ignored_json(s, a));
	set_int(a, &v, "ledgers", s->ledgers);
	set_int(a, &v, "duplicate_keys", s->key_twice);
	if (s->other_rules)
		json_sets(a, &v, "other_rules", json_bool(1));
	if (s->trial.ptr)
		json_sets(a, &v, "trial", trial_json(s, a));
	if (s->nothing)
		json_sets(a, &v, "nothing", json_bool(1));
	if (s->apart)
		json_sets(a, &v, "apart", json_str(s->apart));
	return v;
}

void print_status(const struct cmd_context *c, const char *status)
{
	struct json v = json_object();
	if (c->global->format == FORMAT_TEXT) {
		fprintf(c->out, "%.*s is %s\n", SLICE_ARG(c->domain), status);
		return;
	}
	json_sets(c->arena, &v, "domain", json_string(c->domain));
	json_sets(c->arena, &v, "status", json_str(status));
	print_json_line(c, &v);
}
