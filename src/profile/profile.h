/*
 * profile: a JSON file that says what the documents mean -> the structs that replay, diff and patch own. Owns reading,
 * checking and the built-in profiles (the JSON files in src/profile, embedded at build time). A profile is data; the
 * only code it names is predicates. Errors: ERR_USAGE with file, line and column of the JSON value at fault.
 * Threads: a loaded profile is read-only and may be shared.
 *
 * Format (no other keys are known; ? may be left out):
 *
 *   name, summary?, domain_field (text, or null: the whole database is the domain), type_field (text, or null),
 *   other_kinds?   "compared" or "copied" (default): what becomes of doc types that are not listed
 *   kinds          in the order of stats: {name, class: "event" | "state" | "document", group?, stored_as?, processed?,
 *                  deleted?, compared?}; kinds of one group share the rules for that group
 *   parts?         names of what is compared but is no document: case_attachment, LedgerValue
 *   columns?       {DOC TYPE: {COLUMN: {path: [KEY or list position, ...], type}}}: a view over documents for each doc
 * type, with domain, doc_id and these; type is text, integer, number, boolean, date, timestamp or json; what does not
 *                  fit is NULL. Names are no longer than 63 bytes and differ in more than case
 *   patch?         {unpatchable, static, known, fields?, documents?}: lists of field names; unpatchable ones are static
 * too, fields are those of the Couch document that are no properties. documents: true lets a patch set the rows of
 * plain documents (default: false); it may stand alone: without the lists states cannot be patched rules blocks {for:
 * KIND | GROUP | PART | "PREFIX*", rules: [...]}; a rule has a reason and is one of
 *     - {type?, path?, old?, new?, absent?: "old" | "new", if?: PREDICATE}
 *       drops differences; what is left out holds for any. A path is a list of keys (one may stand without the list),
 *       "[*]" any position, "*" any one element, "..." any number of elements, {"key": "*"} a key of that name
 *     - {rename: [NAME IN COUCH, NAME IN SQL]}
 *     - {compare: "id_set" | "attachments" | "indices", field, with?: the part whose rules hold inside}
 */
#ifndef SETTLE_PROFILE_PROFILE_H
#define SETTLE_PROFILE_PROFILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "diff/rules.h"
#include "patch/patch.h"

enum profile_class {
	PROFILE_EVENT,    /* a form: stored in `forms`, may carry case blocks */
	PROFILE_STATE,    /* a case: spooled, compared with the fold of its forms */
	PROFILE_DOCUMENT, /* stored in `documents` as it is */
};

struct profile_kind {
	struct slice name; /* doc type, "XFormInstance" */
	enum profile_class cls;
	struct slice stored_as; /* doc type in SQL where it differs (HQSubmission -> XFormInstance), else = name */
	int processed;          /* events: its case blocks are replayed */
	int deleted;            /* the row is marked deleted (…-Deleted kinds) */
	int compared;           /* 0: copied and copy-checked, never diffed (SubmissionErrorLog) */
};

/* Typed columns of a plain doc type: a view of its own in the target. */
enum profile_column_type {
	PROFILE_TEXT,
	PROFILE_INTEGER,
	PROFILE_NUMBER,
	PROFILE_BOOLEAN,
	PROFILE_DATE,
	PROFILE_TIMESTAMP,
	PROFILE_JSON
};

struct profile_step {
	struct slice key; /* or a list position */
	int is_position;
	uint32_t position;
};

struct profile_column {
	struct slice name;
	enum profile_column_type type;
	const struct profile_step *path;
	size_t npath;
};

struct profile_view {
	struct slice doc_type; /* and the view's name */
	const struct profile_column *columns;
	size_t n_columns;
};

struct profile {
	struct slice name;
	struct slice domain_field;        /* SLICE_NONE: the whole database is the domain */
	struct slice type_field;          /* "doc_type"; SLICE_NONE: every document is of kind "document" */
	const struct profile_kind *kinds; /* in the order in which stats lists them */
	size_t n_kinds;
	int other_kinds; /* 1: doc types not listed become PROFILE_DOCUMENT kinds of their own name; 0: the same, but
			    they are listed after the known ones and never diffed */
	const struct profile_view *views;
	size_t n_views;
	struct ruleset rules;
	int has_patch;       /* states can be patched */
	int patch_documents; /* plain documents can be patched */
	struct patch_policy patch;
	struct json source;  /* the JSON as read: what `profile show` prints and what the trail keeps */
	struct slice digest; /* hex SHA-256 of the canonical JSON: run settings are compared at resume */
};

/* name: "commcare", "documents", or a path (has a '/' or ends in .json). Everything lives in the arena. */
MUST_CHECK int profile_load(const char *name, struct arena *a, struct profile *out, struct err *err);
/* Reads one from text; `file` is for messages. */
MUST_CHECK int profile_parse(struct slice text, const char *file, struct arena *a, struct profile *out,
			     struct err *err);
/* The kind of a doc type, or NULL when it is not listed. */
const struct profile_kind *profile_kind(const struct profile *p, struct slice doc_type);

struct profile_builtin {
	const char *name, *summary;
	struct slice text;
};
extern const struct profile_builtin profile_builtins[]; /* ended by name == NULL */

struct profile_finding {
	int error; /* 1: cannot be used; 0: suspicious (can never match, shadowed, ...) */
	uint32_t line, column;
	struct slice message;
};
struct profile_findings {
	struct profile_finding *v;
	size_t n, cap;
};
/* Everything wrong or suspicious, in file order. Returns 0 also when there are findings; ERR_USAGE when the file cannot
 * be read. */
MUST_CHECK int profile_check(struct slice text, struct arena *a, struct profile_findings *out, struct err *err);

#endif
