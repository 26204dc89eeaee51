/*
 * rules: which differences are expected. A rule set is data (a profile fills and checks it, rules_build indexes it);
 * filtering is pure. Semantics: BEHAVIOUR.md sections 2-6 with DESIGN.md decisions 5-9.
 *
 * The rules of a document are those of its own doc type, then those of its group; of them the plain rules with a path
 * come first, then the replacing rules, then the plain rules for every path; the first hit wins. (Indices are sorted
 * and compared again before any plain rule, so that the noise in them is counted once.) In a pattern `[*]` matches any
 * list position, `*` any one element, `...` any number of elements (none too).
 *
 * A replacing rule runs at most once for a document: it consumes every difference it claims and puts what it finds in
 * their stead; that is then filtered by the plain rules. No difference is consumed twice, so replacements are unique by
 * (type, path with position).
 * A difference counts as ignored under the rule that dropped it; a replaced one only when nothing stands in its stead.
 *
 * Threads: a built rule set is read-only and may be shared.
 */
#ifndef DIFF_RULES_H
#define DIFF_RULES_H

#include "diff/diff.h"

enum rule_value_kind { RULE_ANY, RULE_ABSENT, RULE_EQUALS };

struct rule_value {
	enum rule_value_kind kind;
	struct json value; /* RULE_EQUALS */
};

enum rule_step_kind { STEP_KEY, STEP_ANY, STEP_ANY_POSITION, STEP_REST }; /* a path holds at most one STEP_REST */

struct rule_step {
	enum rule_step_kind kind;
	struct slice key;
};

struct rule_context {                        /* what a predicate may look at */
	const struct json *couch, *sql;      /* whole documents; NULL = absent */
	struct slice kind;                   /* doc type */
	const struct slice *no_action_forms; /* ids of forms that touch this case without actions (decision 7) */
	size_t n_no_action_forms;
};

/* A test beyond the pattern: 1 = holds. Named in profiles; the list is rule_predicates[]. */
typedef int rule_predicate(const struct diff *d, const struct rule_context *ctx);
struct rule_named_predicate {
	const char *name, *help;
	rule_predicate *fn;
};
extern const struct rule_named_predicate rule_predicates[]; /* ended by name == NULL */

enum rule_action {
	RULE_IGNORE,      /* drop the diff */
	RULE_RENAME,      /* old_name in Couch is new_name in SQL (BEHAVIOUR 5, decision 8) */
	RULE_ID_SET,      /* xform_ids: compare as sets (BEHAVIOUR 6.1, decision 7) */
	RULE_ATTACHMENTS, /* case_attachments: compare by name with the rules of kind `inner` (6.2) */
	RULE_INDICES,     /* indices: compare sorted by identifier (6.3) */
};

struct rule {
	struct slice group; /* doc type, group, or prefix pattern: see rules_build */
	enum rule_action action;
	int any_type; /* 1: every diff type */
	enum diff_type type;
	int any_path;                 /* 1: every path */
	const struct rule_step *path; /* RULE_ID_SET, RULE_ATTACHMENTS, RULE_INDICES: one key, the field */
	uint32_t npath;
	struct rule_value old_value, new_value;
	rule_predicate *predicate;       /* or NULL */
	struct slice old_name, new_name; /* RULE_RENAME */
	struct slice inner;              /* RULE_ATTACHMENTS: the kind as which one attachment is compared */
	struct slice reason;             /* why it is expected */
	struct slice name; /* how the tally calls it: unique within the set, e.g. "CommCareCase*: missing _rev" */
	const struct json *source; /* the value in the profile it was read from, to find its line again; NULL if none */
};

struct rule_group { /* a name under which rules stand for several kinds, such as "XFormInstance*" */
	struct slice name;
	const struct slice *kinds;
	size_t n_kinds;
};

struct rule_index; /* private */

struct ruleset { /* zeroed: no rules, everything is kept */
	const struct rule *v;
	size_t n;
	const struct rule_index *index;
};

/*
 * Makes a rule set of rules in profile order. A rule belongs to the kind its group names, to the kinds of the
 * rule_group its group names, or, when no such rule_group exists and the name ends in '*', to every kind that starts
 * with what stands before the '*'. Rules and groups are borrowed for the life of the set; the index lives in the arena.
 */
void rules_build(const struct rule *rules, size_t n, const struct rule_group *groups, size_t n_groups, struct arena *a,
		 struct ruleset *out);

/*
 * When a rule is asked about documents of that kind: rules with a smaller number come first, equal ones in profile order. -1: never, the
 * rule does not speak of the kind. For whoever checks a profile.
 */
int rules_turn(const struct ruleset *rules, const struct rule *r, struct slice kind);

struct ignored { /* one dropped diff with the rule that dropped it */
	const struct rule *rule;
	struct diff diff;
};

struct ignored_list {
	struct ignored *v;
	size_t n, cap;
};

/*
 * Filters the raw differences of one document: survivors are appended to *kept, dropped ones to *ignored (NULL: not
 * wanted). Everything lives in the arena or is borrowed from raw and ctx.
 */
void rules_filter(const struct ruleset *rules, const struct rule_context *ctx, const struct diff_list *raw,
		  struct arena *a, struct diff_list *kept, struct ignored_list *ignored);

#endif
