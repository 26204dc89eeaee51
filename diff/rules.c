/* Filtering the differences of one document: the order in which rules are asked. */
#include "config.h"

#include "diff/rules_internal.h"

struct claim { /* what became of a replacing rule in this call */
	int ran;
	struct replacement result;
};

struct filter {
	struct replace_env env;
	const uint8_t *ranks;
	struct claim *claims; /* per rule, made when the first replacing rule is met */
	struct diff_list *kept;
	struct ignored_list *ignored; /* or NULL */
};

static void ignore(struct filter *f, const struct rule *r, const struct diff *d)
{
	struct ignored one = {.rule = r, .diff = *d};

	if (f->ignored)
		ARENA_PUSH(f->env.a, f->ignored, one);
}

static int rule_has_rank(const struct filter *f, uint32_t number, enum scope_rank rank)
{
	return f->ranks[f->env.rules->index->scope_of[number]] == rank;
}

static const struct rule *first_match(const struct filter *f, const struct rule_refs *refs, enum scope_rank rank,
				      const struct diff *d)
{
	for (size_t i = 0; refs && i < refs->n; i++) {
		const struct rule *r = &f->env.rules->v[refs->v[i]];

		if (rule_has_rank(f, refs->v[i], rank) && rule_matches(r, d, f->env.ctx))
			return r;
	}
	return NULL;
}

static const struct rule_bucket *bucket_of(const struct filter *f, const struct diff *d)
{
	if (d->npath == 0 || d->path[0].is_position)
		return NULL;
	return index_bucket(f->env.rules->index, d->path[0].key);
}

static const struct rule *match_with_path(const struct filter *f, const struct rule_bucket *bucket,
					  const struct diff *d)
{
	const struct rule_refs *named = bucket ? &bucket->plain : NULL, *wild = &f->env.rules->index->wild;
	const struct rule *r = first_match(f, named, SCOPE_OWN, d);

	if (!r)
		r = first_match(f, wild, SCOPE_OWN, d);
	if (!r)
		r = first_match(f, named, SCOPE_SHARED, d);
	return r ? r : first_match(f, wild, SCOPE_SHARED, d);
}

static const struct rule *match_any_path(const struct filter *f, const struct diff *d)
{
	const struct rule_refs *any = &f->env.rules->index->any_path;
	const struct rule *r = first_match(f, any, SCOPE_OWN, d);

	return r ? r : first_match(f, any, SCOPE_SHARED, d);
}

static void keep_or_ignore(struct filter *f, const struct rule *r, const struct diff *d)
{
	if (r)
		ignore(f, r, d);
	else
		ARENA_PUSH(f->env.a, f->kept, *d);
}

static void filter_plain(struct filter *f, const struct diff *d)
{
	const struct rule *r = match_with_path(f, bucket_of(f, d), d);

	keep_or_ignore(f, r ? r : match_any_path(f, d), d);
}

static void run_replacement(struct filter *f, const struct rule *r, struct replacement *out)
{
	switch (r->action) {
	case RULE_IGNORE:
		break;
	case RULE_RENAME:
		replace_rename(&f->env, r, out);
		break;
	case RULE_ID_SET:
		replace_id_set(&f->env, r, out);
		break;
	case RULE_ATTACHMENTS:
		replace_attachments(&f->env, r, out);
		break;
	case RULE_INDICES:
		replace_indices(&f->env, r, out);
		break;
	}
}

static struct claim *claim_of(struct filter *f, uint32_t number)
{
	const struct rule *r = &f->env.rules->v[number];
	struct claim *c;

	if (!f->claims)
		f->claims = ARENA_ARRAY(f->env.a, f->env.rules->n, struct claim);
	c = &f->claims[number];
	if (c->ran)
		return c;
	c->ran = 1;
	run_replacement(f, r, &c->result);
	for (size_t i = 0; i < c->result.made.n; i++)
		filter_plain(f, &c->result.made.v[i]);
	for (size_t i = 0; i < c->result.dropped.n; i++)
		ignore(f, c->result.dropped.v[i].rule, &c->result.dropped.v[i].diff);
	return c;
}

static int replaced_by(struct filter *f, uint32_t number, const struct diff *d)
{
	const struct rule *r = &f->env.rules->v[number];
	const struct claim *c;

	if (!rule_claims(r, d))
		return 0;
	c = claim_of(f, number);
	if (c->result.applies && c->result.made.n == 0 && c->result.dropped.n == 0)
		ignore(f, r, d);
	return c->result.applies;
}

enum stage { BEFORE_PLAIN, AFTER_PLAIN };

static enum stage stage_of(const struct rule *r)
{
	return r->action == RULE_INDICES ? BEFORE_PLAIN : AFTER_PLAIN;
}

static int replaced(struct filter *f, enum stage stage, const struct rule_bucket *bucket, const struct diff *d)
{
	for (int rank = SCOPE_OWN; bucket && rank <= SCOPE_SHARED; rank++) {
		for (size_t i = 0; i < bucket->replacing.n; i++) {
			uint32_t number = bucket->replacing.v[i];

			if (stage_of(&f->env.rules->v[number]) == stage &&
			    rule_has_rank(f, number, (enum scope_rank)rank) && replaced_by(f, number, d))
				return 1;
		}
	}
	return 0;
}

static void filter_one(struct filter *f, const struct diff *d)
{
	const struct rule_bucket *bucket = bucket_of(f, d);
	const struct rule *r;

	if (replaced(f, BEFORE_PLAIN, bucket, d))
		return;
	r = match_with_path(f, bucket, d);
	if (!r && replaced(f, AFTER_PLAIN, bucket, d))
		return;
	keep_or_ignore(f, r ? r : match_any_path(f, d), d);
}

void rules_filter(const struct ruleset *rules, const struct rule_context *ctx, const struct diff_list *raw,
		  struct arena *a, struct diff_list *kept, struct ignored_list *ignored)
{
	struct filter f = {.env = {.rules = rules, .ctx = ctx, .a = a}, .kept = kept, .ignored = ignored};

	if (rules->index && raw->n)
		f.ranks = index_ranks(rules->index, ctx->kind, a);
	for (size_t i = 0; i < raw->n; i++) {
		if (rules->index)
			filter_one(&f, &raw->v[i]);
		else
			ARENA_PUSH(a, kept, raw->v[i]);
	}
}

/* ---- the same order, told of one rule ---- */

static int turn_in_scope(const struct rule *r)
{
	if (r->action != RULE_IGNORE)
		return 0;
	return !r->any_path && !(r->npath && r->path[0].kind == STEP_KEY); /* by first key, then by pattern */
}

int rules_turn(const struct ruleset *rules, const struct rule *r, struct slice kind)
{
	enum scope_rank rank = index_rank(rules->index, r->group, kind);
	int stage = r->any_path ? 3 : 1;

	if (rank == SCOPE_NONE)
		return -1;
	if (r->action != RULE_IGNORE)
		stage = stage_of(r) == BEFORE_PLAIN ? 0 : 2;
	return 4 * stage + 2 * (rank == SCOPE_SHARED) + turn_in_scope(r);
}
