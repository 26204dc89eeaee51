/*
 * marked: one side of a document as indented JSON, every line behind a mark that says whether the other side tells it
 * otherwise. Threads: main thread.
 */
#ifndef SETTLE_CMD_MARKED_H
#define SETTLE_CMD_MARKED_H

#include "cmd/cmd.h"
#include "diff/diff.h"

struct marks {
	const struct diff_list *raw;  /* every difference between the two sides */
	const struct diff_list *kept; /* what the rules leave of them */
};

/* Lines begin with '-' (Couch) or '+' (SQL) where a difference was kept, '~' where a rule expects it, else with a
 * blank. After a long text that differs a line with '?' shows the part that does, in brackets. */
void print_marked(const struct cmd_context *c, const struct json *v, const struct marks *marks, char side);

#endif
