/*
 * What the files of the rule engine share. Not for other rooms.
 * Threads: as rules.h.
 */
#ifndef DIFF_RULES_INTERNAL_H
#define DIFF_RULES_INTERNAL_H

#include "diff/rules.h"

/* ---- match.c ---- */

/* Does a plain rule's pattern (not its group) hold for the difference? */
int rule_matches(const struct rule *r, const struct diff *d, const struct rule_context *ctx);
/* Is the difference among those a replacing rule stands in for? */
int rule_claims(const struct rule *r, const struct diff *d);

/* ---- predicates.c ---- */

/* A text that BEHAVIOUR section 3 reads as a date-time. v may be NULL. */
int value_is_datetime(const struct json *v);

/* ---- index.c ---- */

enum scope_rank { SCOPE_NONE, SCOPE_OWN, SCOPE_SHARED };

struct rule_refs { /* positions in ruleset.v, ascending */
	uint32_t *v;
	size_t n, cap;
};

struct rule_bucket { /* the rules that speak of one first path element */
	struct slice key;
	struct rule_refs plain, replacing;
};

struct rule_index {
	const struct rule_group *groups;
	size_t n_groups;
	struct slice *scopes; /* the distinct groups of the rules */
	size_t n_scopes;
	uint32_t *scope_of;          /* per rule: position in scopes */
	struct rule_bucket *buckets; /* by key */
	size_t n_buckets;
	struct rule_refs wild;     /* plain rules with a path that does not start with a key */
	struct rule_refs any_path; /* plain rules for every path */
};

/* NULL when no rule names that key first. */
const struct rule_bucket *index_bucket(const struct rule_index *index, struct slice key);
enum scope_rank index_rank(const struct rule_index *index, struct slice scope, struct slice kind);
/* How each scope relates to the kind: n_scopes values of enum scope_rank, in the arena. */
const uint8_t *index_ranks(const struct rule_index *index, struct slice kind, struct arena *a);

/* ---- rename.c, id_set.c, attachments.c, indices.c ---- */

struct replace_env {
	const struct ruleset *rules;
	const struct rule_context *ctx;
	struct arena *a;
};

struct replacement {
	int applies;                 /* 0: the differences stay as they are */
	struct diff_list made;       /* what stands in their stead */
	struct ignored_list dropped; /* what inner rules dropped on the way */
};

void replace_rename(const struct replace_env *env, const struct rule *r, struct replacement *out);
void replace_id_set(const struct replace_env *env, const struct rule *r, struct replacement *out);
void replace_attachments(const struct replace_env *env, const struct rule *r, struct replacement *out);
void replace_indices(const struct replace_env *env, const struct rule *r, struct replacement *out);

#endif
