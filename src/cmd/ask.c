#include "config.h"

#include "cmd/ask.h"

#include <string.h>
#include <unistd.h>

int cmd_ask(struct cmd_context *c, struct err *err, const char *fmt, ...)
{
	char answer[16] = "";
	va_list args;

	if (c->global->yes)
		return 0;
	if (!isatty(STDIN_FILENO)) {
		err_set(err, ERR_USAGE, "this asks before it goes on, and nobody is there to answer");
		return err_hint(err, "--yes answers yes");
	}
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs(" [yes/no] ", stderr);
	fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0)
		return 0;
	return err_set(err, ERR_STOPPED, "not done: the answer was not yes");
}
