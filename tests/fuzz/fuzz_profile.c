/*
 * Any bytes: profile_check and profile_parse either refuse them or agree with each other; every finding has a place in
 * the text; a profile that is taken can filter.
 */
#include "profile/profile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

static void check_findings(const struct profile_findings *findings, size_t size)
{
	for (size_t i = 0; i < findings->n; i++) {
		const struct profile_finding *f = &findings->v[i];

		check(f->line >= 1 && f->column >= 1 && f->line <= size + 1 && f->column <= size + 1);
		check(f->message.len > 0);
	}
}

static int has_error(const struct profile_findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		if (findings->v[i].error)
			return 1;
	}
	return 0;
}

/* The profile's own JSON against nothing and against a part of it: as good a document as any. */
static void check_filter(const struct profile *p, struct arena *a)
{
	const struct json *sql = p->source.count ? &p->source.members[0].value : NULL;

	for (size_t i = 0; i <= p->n_kinds; i++) {
		struct rule_context ctx = {.couch = &p->source, .sql = sql};
		struct diff_list raw = {0}, kept = {0};

		ctx.kind = i < p->n_kinds ? p->kinds[i].name : SLICE("A");
		diff_json(ctx.couch, json_get(&p->source, SLICE("kinds")), a, &raw);
		diff_json(json_get(&p->source, SLICE("rules")), sql, a, &raw);
		rules_filter(&p->rules, &ctx, &raw, a, &kept, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct slice text = {(const char *)data, size};
	struct profile_findings findings = {0};
	struct profile p;
	int checked = profile_check(text, &a, &findings, NULL);
	int parsed = profile_parse(text, "fuzz", &a, &p, NULL);

	check_findings(&findings, size);
	check((checked || has_error(&findings)) == (parsed != 0));
	if (!parsed)
		check_filter(&p, &a);
	arena_release(&a);
	return 0;
}
