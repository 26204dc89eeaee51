#include "config.h"

#include "cmd/ask.h"

#include "cmd/print.h"

#include <stdlib.h>
#include <string.h>

static int is_yes(const char *line)
{
	return strcmp(line, "yes\n") == 0 || strcmp(line, "yes") == 0;
}

int cmd_answer(struct cmd_context *c, const char *question, struct err *err)
{
	char *line = NULL;
	size_t room = 0;
	int yes;

	if (c->global->yes)
		return 1;
	print_text_to(stderr, slice_of(question));
	fflush(stderr);
	if (getline(&line, &room, stdin) >= 0) {
		yes = is_yes(line);
	} else {
		yes = -1;
		err_set(err, ERR_USAGE, "this asks before it goes on, and nobody is there to answer");
		err_hint(err, "--yes answers yes");
	}
	free(line);
	return yes;
}

int cmd_ask(struct cmd_context *c, const char *question, struct err *err)
{
	int yes = cmd_answer(c, arena_printf(c->arena, "%s [yes/no] ", question).ptr, err);

	if (yes < 0)
		return err->code;
	return yes ? 0 : err_set(err, ERR_STOPPED, "not done: the answer was not yes");
}
