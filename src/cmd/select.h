/*
 * select: reads what --select says. Threads: main thread.
 */
#ifndef SETTLE_CMD_SELECT_H
#define SETTLE_CMD_SELECT_H

#include "cmd/cmd.h"
#include "migrate/known.h"
#include "migrate/selection.h"

#define SELECT_HELP                                                                                                    \
	"pending, with-diffs, with-changes, forms, cases, KIND, KIND:ID,ID, ids with commas between them, or ./FILE, " \
	"/FILE or a name that ends in .csv, with an id or KIND,ID a line"

#define SELECT_OPTION(type)                                                               \
	{                                                                                 \
		.name = "select", .kind = OPT_TEXT, .argument = "S", .help = SELECT_HELP, \
		.offset = offsetof(type, select)                                          \
	}

/*
 * text NULL: everything. A word is a kind when the profile lists it; several kinds may stand with commas between them.
 * ERR_USAGE when a file cannot be read or is no CSV of one or two fields.
 */
MUST_CHECK int selection_parse(const char *text, const struct profile *profile, struct arena *a, struct selection *out,
			       struct err *err);
/*
 * After what is known was done: names the ids that are no documents of the domain. *unknown = 1: a warning did, since
 * others are. ERR_USAGE: none is, or none is of these classes (enum again_class). A selection that names no ids is all
 * known.
 */
MUST_CHECK int selection_check(struct cmd_context *c, const struct selection *s, unsigned classes, int *unknown,
			       struct err *err);

#endif
