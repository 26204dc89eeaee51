/*
 * What the files of the profile room share. Not for other rooms.
 * Threads: a reader belongs to one thread.
 */
#ifndef SETTLE_PROFILE_INTERNAL_H
#define SETTLE_PROFILE_INTERNAL_H

#include "profile/profile.h"

/* ---- locate.c: where a value stands in the text ---- */

enum locate_what { LOCATE_VALUE, LOCATE_KEY }; /* LOCATE_KEY: the key under which the value stands, if it has one */

/*
 * The byte offset of `target`, which must be a value inside `root`, and root the reading of `text`; text.len when it is
 * not there. Reads the text again: for messages only.
 */
size_t locate(struct slice text, const struct json *root, const struct json *target, enum locate_what what);
/* Both from 1; columns count characters. */
void locate_line(struct slice text, size_t offset, uint32_t *line, uint32_t *column);

/* ---- reader.c: taking a profile's JSON apart, noting what is wrong ---- */

struct reader {
	struct arena *a;
	struct slice text;
	const struct json *root;
	struct profile_findings *findings;
	size_t n_found; /* those that were too many included */
};

enum finding_kind { FINDING_SUSPICIOUS, FINDING_ERROR };

/* `at` is a value of the profile. Beyond 100 findings nothing more is noted. */
void found(struct reader *r, enum finding_kind kind, const struct json *at, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* As found, an error that stands at the value's key. */
void found_key(struct reader *r, const struct json *at, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* An error for every member of the object that is not among the NULL-ended names. */
void check_keys(struct reader *r, const struct json *object, const char *const *names);

enum need { OPTIONAL, REQUIRED };

/* The member when it is of that type (JSON_TRUE stands for both booleans), else NULL with an error unless it is absent
 * and optional. */
const struct json *member(struct reader *r, const struct json *object, const char *name, enum json_type type,
			  enum need need);
/* A text that is not empty, or SLICE_NONE. */
struct slice member_text(struct reader *r, const struct json *object, const char *name, enum need need);
/* A truth value, or `otherwise` when absent. */
int member_bool(struct reader *r, const struct json *object, const char *name, int otherwise);
/* The list of texts, each not empty and none twice; n = 0 when it is absent or wrong. */
struct slice *member_texts(struct reader *r, const struct json *object, const char *name, enum need need, size_t *n);

/* ---- read_kinds.c, read_rules.c, read_patch.c ---- */

struct groups { /* the groups that kinds name */
	struct rule_group *v;
	size_t n, cap;
};

struct names {
	struct slice *v;
	size_t n;
};

struct draft { /* a profile while it is read */
	struct profile *out;
	struct groups groups;
	struct names parts; /* kinds that are no documents: compared inside another, or handed to `diff files` */
	struct rule *rules;
	size_t n_rules, cap_rules;
};

void read_kinds(struct reader *r, struct draft *d);
void read_columns(struct reader *r, struct draft *d);
void read_rules(struct reader *r, struct draft *d);
void read_patch(struct reader *r, struct draft *d);

/* ---- lint.c: rules that can be read but make no sense ---- */

void lint_rules(struct reader *r, const struct draft *d);

/* ---- shadow.c ---- */

/* Tells of a rule that is never asked, because others take everything it could take. */
void lint_shadows(struct reader *r, const struct draft *d, const struct rule *rule);

#endif
