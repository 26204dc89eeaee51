/*
 * rules: which differences are expected. A rule set is data (a profile fills it, rules_build checks it); filtering is pure.
 * Semantics: BEHAVIOUR.md sections 2-6 with DESIGN.md decisions 5-9: a document's rules are those of its own doc type, then of its
 * group; rules with a concrete path first, then any-path rules; first hit wins. `[*]` in a pattern matches any position, `*` any one
 * element, ANY path every path, `...` at the end any rest. Replacing rules run once; what they produce is filtered by the plain rules.
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

enum rule_step_kind { STEP_KEY, STEP_ANY, STEP_ANY_POSITION, STEP_REST };

struct rule_step {
	enum rule_step_kind kind;
	struct slice key;
};

struct rule_context { /* what a predicate may look at */
	const struct json *couch, *sql;      /* whole documents; NULL = absent */
	struct slice kind;                   /* doc type */
	const struct slice *no_action_forms; /* ids of forms that touch this case without actions (decision 7) */
	size_t n_no_action_forms;
};

/* A test beyond the pattern: 1 = holds. Named in profiles; the list is rule_predicates[]. */
typedef int rule_predicate(const struct diff *d, const struct rule_context *ctx);
/* A replacement: consumes all diffs for which `claims` its first path element and appends what stands instead. */
struct rule_named_predicate {
	const char *name, *help;
	rule_predicate *fn;
};
extern const struct rule_named_predicate rule_predicates[]; /* ended by name == NULL */

enum rule_action {
	RULE_IGNORE,           /* drop the diff */
	RULE_RENAME,           /* old_name in Couch is new_name in SQL (BEHAVIOUR 5, decision 8) */
	RULE_ID_SET,           /* xform_ids: compare as sets (BEHAVIOUR 6.1, decision 7) */
	RULE_ATTACHMENTS,      /* case_attachments: compare by name with the rules of group `inner` (6.2) */
	RULE_INDICES,          /* indices: compare sorted by identifier (6.3) */
};

struct rule {
	struct slice group;     /* doc type, or a group pattern ending in '*' such as "XFormInstance*" */
	enum rule_action action;
	int any_type;           /* 1: every diff type */
	enum diff_type type;
	int any_path;           /* 1: every path */
	const struct rule_step *path;
	uint32_t npath;
	struct rule_value old_value, new_value;
	rule_predicate *predicate; /* or NULL */
	struct slice old_name, new_name; /* RULE_RENAME */
	struct slice inner;     /* RULE_ATTACHMENTS: group of the inner rules */
	struct slice reason;    /* why it is expected */
	struct slice name;      /* how the tally calls it: unique within the set, e.g. "CommCareCase*: missing _rev" */
	uint32_t line, column;  /* where it stands in the profile file, 0 if unknown */
};

struct ruleset {
	const struct rule *v;
	size_t n;
};

struct ignored { /* one dropped diff with the rule that dropped it */
	const struct rule *rule;
	struct diff diff;
};

struct ignored_list {
	struct ignored *v;
	size_t n, cap;
};

/*
 * Filters the raw differences of one document: survivors are appended to *kept, dropped ones to *ignored (NULL: not wanted). Everything
 * lives in the arena or is borrowed from raw and ctx.
 */
void rules_filter(const struct ruleset *rules, const struct rule_context *ctx, const struct diff_list *raw, struct arena *a,
                  struct diff_list *kept, struct ignored_list *ignored);

#endif
