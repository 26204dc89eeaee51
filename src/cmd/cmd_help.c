#include "config.h"

#include "cmd/cmd.h"
#include "cmd/help.h"
#include "cmd/lookup.h"

struct options {
	int all;
};

static const struct option_spec table[] = {
    {.name = "all",
     .kind = OPT_FLAG,
     .help = "everything about every command",
     .offset = offsetof(struct options, all)},
    {.name = NULL},
};

static int run(struct cmd_context *c, struct err *err)
{
	const struct options *o = c->options;
	int used;
	if (o->all) {
		help_all(c->out);
		return 0;
	}
	if (c->argc == 0) {
		help_overview(c->out);
		return 0;
	}
	const struct command *command = lookup_words(c->argv, c->argc, &used);
	if (command && used == c->argc)
		help_command(c->out, command);
	else if (c->argc == 1 && lookup_is_group(c->argv[0]))
		help_group(c->out, c->argv[0]);
	else if (command) {
		err_set(err, ERR_USAGE, "there is no command \"%s %s\"", c->argv[0], c->argv[1]);
		return err_hint(err, "`settle help %s` is about %s", command->name, command->name);
	} else
		return lookup_unknown(c->argv, c->argc, err);
	return 0;
}

const struct command cmd_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "say how settle or one of its commands is used",
    .max_args = 2,
    .options = table,
    .options_size = sizeof(struct options),
    .run = run,
};

static int run_version(struct cmd_context *c, struct err *err)
{
	(void)err;
	if (c->global->format == FORMAT_JSON)
		fprintf(c->out, "{\"name\":\"settle\",\"version\":\"%s\"}\n", PACKAGE_VERSION);
	else
		fprintf(c->out, "settle %s\n", PACKAGE_VERSION);
	return 0;
}

const struct command cmd_version = {
    .name = "version",
    .arguments = "",
    .summary = "print the version",
    .run = run_version,
};
