#include "migrate/trial.h"

#include "base/number.h"

/* ---- settings ---- */

/* The next word of a list with commas; SLICE_NONE at its end. Empty words are left out. */
static struct slice next_word(struct slice *rest)
{
	while (rest->len) {
		const char *comma = memchr(rest->ptr, ',', rest->len);
		struct slice word = {rest->ptr, comma ? (size_t)(comma - rest->ptr) : rest->len};
		size_t used = word.len + (comma != NULL);

		*rest = (struct slice){rest->ptr + used, rest->len - used};
		if (word.len)
			return word;
	}
	return SLICE_NONE;
}

struct slice trial_of_options(const struct migrate_options *o, struct arena *a)
{
	struct json v = json_object(), kinds = json_array();
	struct slice rest = slice_of(o->only), word;

	if (o->limit)
		json_sets(a, &v, "limit", json_int(a, o->limit));
	while (o->only && (word = next_word(&rest)).ptr)
		json_push(a, &kinds, json_string(word));
	if (o->only)
		json_sets(a, &v, "only", kinds);
	return v.count ? json_to_text(&v, JSON_CANONICAL, a) : SLICE_NONE;
}

struct slice trial_of_settings(struct slice settings, struct arena *a)
{
	struct json v;
	const struct json *trial;

	if (!settings.ptr || json_read(settings, a, 0, &v, NULL, NULL))
		return SLICE_NONE;
	trial = json_gets(&v, "trial");
	return trial ? json_to_text(trial, JSON_CANONICAL, a) : SLICE_NONE;
}

struct slice trial_shown(struct slice trial, struct arena *a)
{
	struct buf text = BUF_INIT(1u << 16);
	const struct json *only, *limit;
	struct slice shown;
	struct json v;

	if (!trial.ptr || json_read(trial, a, 0, &v, NULL, NULL))
		return SLICE("no --only and no --limit");
	only = json_gets(&v, "only");
	limit = json_gets(&v, "limit");
	if (json_is(only, JSON_ARRAY)) {
		buf_str(&text, "--only ");
		for (uint32_t i = 0; i < only->count; i++)
			buf_fmt(&text, "%s%.*s", i ? "," : "", SLICE_ARG(json_text(&only->items[i])));
	}
	if (limit)
		buf_fmt(&text, "%s--limit %.*s", text.len ? " " : "", SLICE_ARG(limit->text));
	shown = arena_slice(a, buf_slice(&text));
	buf_release(&text);
	return shown;
}

/* ---- what is left out ---- */

struct texts {
	struct slice *v;
	size_t n, cap;
};

static int is_named(const struct json *only, struct slice kind)
{
	for (uint32_t i = 0; i < only->count; i++)
		if (slice_eq(json_text(&only->items[i]), kind))
			return 1;
	return 0;
}

/* The profile's kinds of cases that --only does not name, or SLICE_NONE. */
static struct slice unnamed_cases(const struct json *only, const struct profile *p, struct arena *a)
{
	struct slice names = SLICE_NONE;

	for (size_t i = 0; i < p->n_kinds; i++)
		if (p->kinds[i].cls == PROFILE_STATE && !is_named(only, p->kinds[i].name))
			names = names.ptr ? arena_printf(a, "%.*s, %.*s", SLICE_ARG(names), SLICE_ARG(p->kinds[i].name))
					  : p->kinds[i].name;
	return names;
}

static void leave_out_kinds(const struct json *only, const struct profile *p, struct arena *a, struct texts *out)
{
	struct slice cases = unnamed_cases(only, p, a);

	ARENA_PUSH(a, out, SLICE("documents of other kinds (the pass counts them as skipped)"));
	if (cases.ptr)
		ARENA_PUSH(a, out, arena_printf(a, "the comparison of %.*s", SLICE_ARG(cases)));
}

size_t trial_left_out(struct slice trial, const struct profile *p, struct arena *a, const struct slice **out)
{
	struct texts texts = {0};
	const struct json *only, *limit;
	struct json v;

	*out = NULL;
	if (!trial.ptr || json_read(trial, a, 0, &v, NULL, NULL))
		return 0;
	only = json_gets(&v, "only");
	limit = json_gets(&v, "limit");
	if (json_is(only, JSON_ARRAY))
		leave_out_kinds(only, p, a, &texts);
	if (limit)
		ARENA_PUSH(a, &texts,
			   arena_printf(a, "what follows the first %.*s rows of a pass over the feed",
					SLICE_ARG(limit->text)));
	ARENA_PUSH(a, &texts, SLICE("the search for missing documents"));
	*out = texts.v;
	return texts.n;
}

/* ---- documents ---- */

int trial_wants(const struct run *r, struct slice kind)
{
	struct slice rest = slice_of(r->options.only), word;

	if (!r->options.only)
		return 1;
	while ((word = next_word(&rest)).ptr)
		if (slice_eq(word, kind))
			return 1;
	return 0;
}

void trial_skip(const struct run *r, struct batch *b)
{
	if (!r->options.only)
		return;
	for (size_t i = 0; i < b->docs.n; i++) {
		struct batch_doc *d = &b->docs.v[i];

		if (d->fate == FATE_OWN || d->fate == FATE_SKIP || !d->mapped.kind ||
		    trial_wants(r, d->mapped.kind->name))
			continue;
		d->fate = FATE_SKIP;
		d->unwanted = 1;
	}
}
