#include "config.h"

#include "cmd/context.h"
#include "cmd/help.h"
#include "cmd/lookup.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/pager.h"
#include "cmd/signals.h"

#include <stdlib.h>
#include <unistd.h>

struct program {
	struct global_options global;
	_Alignas(16) char options[OPTIONS_MAX];
	struct lookup found;
	struct cmd_context context;
	struct arena arena;
	struct output output;
	struct pager pager;
	struct signals signals;
};

static void program_init(struct program *p)
{
	*p = (struct program){.global = {.log_level = -1}};
	p->context.global = &p->global;
	p->context.options = p->options;
	p->context.arena = &p->arena;
	p->context.stop = &p->signals.stop;
}

/* Takes the command's own words out of the arguments. */
static void drop_words(struct program *p)
{
	p->context.argv += p->found.n_words;
	p->context.argc -= p->found.n_words;
}

static int read_options(struct program *p, int argc, char **argv, struct err *err)
{
	const struct command *command = p->found.command;
	struct option_set sets[2] = {{command ? command->options : NULL, p->options}, {global_options, &p->global}};
	p->context.argv = ARENA_ARRAY(&p->arena, (size_t)argc + 1, char *);
	if (options_environment(&sets[1], err))
		return err->code;
	return options_parse(sets, 2, argc, argv, p->context.argv, &p->context.argc, err);
}

static int read_arguments(struct program *p, int argc, char **argv, struct err *err)
{
	struct err unused = ERR_INIT;
	int rc = lookup_command(argc, argv, &p->found, err);
	if (rc == 0)
		rc = read_options(p, argc, argv, err);
	else if (p->found.group && read_options(p, argc, argv, &unused) == 0 && p->global.help)
		return 0;
	if (rc == 0)
		drop_words(p);
	return rc;
}

static enum log_level level_of(const struct global_options *g)
{
	if (g->log_level >= 0)
		return (enum log_level)g->log_level;
	if (g->quiet)
		return LOG_WARN;
	return g->verbose > 1 ? LOG_DEBUG : g->verbose ? LOG_DETAIL : LOG_INFO;
}

/* Which argument is empty, counted from 1; 0: none. */
static int empty_word(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (!*argv[i])
			return i + 1;
	return 0;
}

static int check_arguments(const struct command *c, int argc, char **argv, struct err *err)
{
	int empty;
	if (argc < c->min_args)
		err_set(err, ERR_USAGE, "%s wants more arguments: %s", c->name, c->arguments);
	else if (c->max_args >= 0 && argc > c->max_args)
		err_set(err, ERR_USAGE, "%s takes no argument \"%s\"", c->name, argv[c->max_args]);
	else if ((empty = empty_word(argc, argv)))
		err_set(err, ERR_USAGE, "%s wants %s, and argument %d is empty", c->name, c->arguments, empty);
	else
		return 0;
	return err_hint(err, "`settle help %s` says how it is used", c->name);
}

/* --help and --version ask for something else than the command. */
static int run_instead(struct program *p, struct err *err)
{
	const struct command *command = p->found.command;
	if (p->global.help) {
		if (command)
			help_command(p->output.stream, command);
		else if (p->found.group)
			help_group(p->output.stream, p->found.group);
		else
			help_overview(p->output.stream);
		return 0;
	}
	if (p->global.version)
		return cmd_version.run(&p->context, err);
	err_set(err, ERR_USAGE, "no command");
	return err_hint(err, "`settle help` lists the commands");
}

static int run_command(struct program *p, struct err *err)
{
	const struct command *command = p->found.command;
	struct cmd_context *c = &p->context;
	if (!command || p->global.help || p->global.version)
		return run_instead(p, err);
	if (check_arguments(command, c->argc, c->argv, err) || context_open(c, command, err))
		return err->code;
	if (!p->global.no_progress && !p->global.quiet && p->global.log_format == LOG_TEXT && isatty(STDERR_FILENO))
		log_progress_enable(c->log);
	if (signals_start(&p->signals, c->log, err))
		return err->code;
	if (command->needs & USES_PAGER && c->terminal && pager_begin(&p->pager, &p->output, err))
		return err->code;
	int rc = command->run(c, err);
	pager_end(&p->pager, &p->output);
	return rc;
}

/* The exit status of a command's result: 0, 1, or that of the error, which is logged here. */
static int settle_error(struct program *p, int rc, const struct err *err)
{
	if (rc == 0 || rc == 1)
		return rc;
	if (rc == ERR_STOPPED) {
		log_err(p->context.log, LOG_WARN, err);
		return 1;
	}
	log_err(p->context.log, LOG_ERROR, err);
	return err_exit_code(err);
}

int cmd_main(int argc, char **argv)
{
	struct program p;
	struct err err = ERR_INIT;
	signals_block();
	program_init(&p);
	int rc = read_arguments(&p, argc, argv, &err);
	p.context.log = log_new(stderr, level_of(&p.global), (enum log_format)p.global.log_format);
	if (rc == 0)
		rc = output_open(&p.output, STDOUT_FILENO, &err);
	p.context.out = p.output.stream;
	if (rc == 0)
		rc = run_command(&p, &err);
	signals_end(&p.signals);
	int status = settle_error(&p, rc, &err);
	rc = output_close(&p.output, &err);
	if (rc != 0)
		status = settle_error(&p, rc, &err);
	log_free(p.context.log);
	arena_release(&p.arena);
	return status;
}
