#include "config.h"

#include "cmd/ask.h"

#include "cmd/print.h"

#include <string.h>

/* 1 yes, 0 another line, -1 none. A line is one answer, however long it is. */
static int read_yes(FILE *in)
{
	char line[8];
	int c;

	if (!fgets(line, sizeof(line), in))
		return -1;
	if (!strchr(line, '\n'))
		do
			c = getc(in);
		while (c != '\n' && c != EOF);
	return strcmp(line, "yes\n") == 0 || strcmp(line, "yes") == 0;
}

int cmd_answer(struct cmd_context *c, const char *question, struct err *err)
{
	int yes;

	if (c->global->yes)
		return 1;
	print_text_to(stderr, slice_of(question));
	fflush(stderr);
	yes = read_yes(stdin);
	if (yes < 0) {
		err_set(err, ERR_USAGE, "this asks before it goes on, and nobody is there to answer");
		err_hint(err, "--yes answers yes");
	}
	return yes;
}

int cmd_ask(struct cmd_context *c, const char *question, struct err *err)
{
	int yes = cmd_answer(c, arena_printf(c->arena, "%s [yes/no] ", question).ptr, err);

	if (yes < 0)
		return err->code;
	return yes ? 0 : err_set(err, ERR_STOPPED, "not done: the answer was not yes");
}
