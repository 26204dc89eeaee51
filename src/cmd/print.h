/*
 * print: what several commands put on stdout. Threads: main thread.
 */
#ifndef SETTLE_CMD_PRINT_H
#define SETTLE_CMD_PRINT_H

#include "cmd/cmd.h"
#include "diff/diff.h"
#include "diff/rules.h"

enum print_color { PRINT_PLAIN, PRINT_RED, PRINT_GREEN, PRINT_DIM, PRINT_BOLD };

/* Nothing unless colour is on. PRINT_PLAIN ends a colour. */
void print_color(const struct cmd_context *c, enum print_color color);
/* Text of a document in a line for people: control characters and what is not UTF-8 become U+FFFD. */
void print_text(const struct cmd_context *c, struct slice text);
/* As print_text, elsewhere than to the context's output. */
void print_text_to(FILE *out, struct slice text);
/* As print_text, but lines stay lines. */
void print_lines(const struct cmd_context *c, struct slice text);
/* JSON text in a line for people: the control characters that JSON may hold become escapes. */
void print_json_text(const struct cmd_context *c, struct slice json);
/* The value on one line. */
void print_json(const struct cmd_context *c, const struct json *v, enum json_style style);
/* Between two items of a long list: 0, or ERR_STOPPED after Ctrl-C and when nobody reads (or can read) any more. */
int print_go_on(const struct cmd_context *c, struct err *err);
/* What such a list's end means for the command: that nobody reads is no error here (output_close tells of a full disk).
 */
int print_ended(const struct cmd_context *c, int rc);
void print_json_line(const struct cmd_context *c, const struct json *v);

/*
 * A document's differences as BEHAVIOUR section 15 prints them: "KIND ID REASON", then "  TYPE PATH OLD -> NEW" each,
 * or OLD and NEW on lines of their own when they are long. A further heading stands before differences of another
 * reason.
 */
void print_diffs(const struct cmd_context *c, struct slice kind, struct slice id, const struct diff_list *diffs);

/* A kind; the empty one reads (unknown). */
void print_kind(const struct cmd_context *c, struct slice kind);

/* The stored differences of a document: their JSON, and the same as a list. ERR_STATE when they cannot be read. */
MUST_CHECK int read_item(const struct state_item *item, struct arena *a, struct json *v, struct diff_list *list,
			 struct err *err);
/* ... printed in the format that was asked for: print_diffs, or {"kind", "id", "diffs"} on a line. */
MUST_CHECK int print_item(const struct cmd_context *c, const struct state_item *item, struct arena *a, struct err *err);

enum stats_flags {
	STATS_VERBOSE = 1u << 0,       /* also what rules ignored */
	STATS_AFTER_MIGRATE = 1u << 1, /* only kinds with something left, or that there is none */
};

/* The table of `stats`, and its JSON object. */
void print_stats(const struct cmd_context *c, const struct migrate_stats *s, unsigned flags);
/* The go / no-go page at the end of --finish. */
void print_verdict(const struct cmd_context *c, const struct migrate_stats *s, int source_busy);
/* What a run would do (--dry-run). */
void print_dry_run(const struct cmd_context *c, const struct migrate_options *o, const struct migrate_plan *p);
/* The status a command has led to. */
void print_status(const struct cmd_context *c, const char *status);
struct json stats_to_json(const struct migrate_stats *s, struct arena *a);

/* The whole file in the arena; ERR_USAGE when it cannot be read. */
MUST_CHECK int read_file(const char *path, struct arena *a, struct slice *out, struct err *err);
/* The JSON value that a file holds; ERR_USAGE names the file. */
MUST_CHECK int read_json_file(const char *path, struct arena *a, struct json *out, struct err *err);

#endif
