#include "config.h"

#include "cmd/help.h"

#define LEFT 30   /* columns of the option itself */
#define WIDTH 100 /* columns of a line */

/* The text in lines of at most WIDTH, every line but the first behind `left` blanks. The cursor stands at column
 * `left`. */
static void put_wrapped(FILE *out, const char *text, int left)
{
	int column = left;
	while (*text) {
		int n = (int)strcspn(text, " ");
		if (column > left && column + n > WIDTH) {
			fprintf(out, "\n%*s", left, "");
			column = left;
		}
		fprintf(out, "%.*s", n, text);
		text += n;
		column += n;
		if (*text) {
			text++;
			if (column + 1 + (int)strcspn(text, " ") <= WIDTH)
				fputc(' ', out);
			column++;
		}
	}
	fputc('\n', out);
}

static void put_option(FILE *out, const struct option_spec *o)
{
	int n = o->letter ? fprintf(out, "  -%c, --%s", o->letter, o->name) : fprintf(out, "      --%s", o->name);
	if (o->argument && o->optional_argument)
		n += fprintf(out, "[=%s]", o->argument);
	else if (o->argument)
		n += fprintf(out, " %s", o->argument);
	if (n + 2 > LEFT) {
		fputc('\n', out);
		n = 0;
	}
	fprintf(out, "%*s", LEFT - n, "");
	put_wrapped(out, o->help, LEFT);
	if (o->environment)
		fprintf(out, "%*s[%s]\n", LEFT, "", o->environment);
}

static void put_options(FILE *out, const char *title, const struct option_spec *table)
{
	fprintf(out, "\n%s\n", title);
	for (const struct option_spec *o = table; o->name; o++)
		put_option(out, o);
}

static void put_line(FILE *out, const struct command *c)
{
	int n = fprintf(out, "  %s %s", c->name, c->arguments);
	if (n + 2 > LEFT + 8) {
		fputc('\n', out);
		n = 0;
	}
	fprintf(out, "%*s", LEFT + 8 - n, "");
	put_wrapped(out, c->summary, LEFT + 8);
}

void help_usage(FILE *out, const struct command *c)
{
	fprintf(out, "usage: settle %s%s%s [OPTIONS]\n", c->name, *c->arguments ? " " : "", c->arguments);
}

void help_overview(FILE *out)
{
	fprintf(out,
		"usage: settle [GLOBAL OPTIONS] COMMAND [SUBCOMMAND] [DOMAIN] [ARGUMENTS] [OPTIONS]\n\n"
		"Moves the documents of a CouchDB database into SQL and proves that nothing was lost.\n\nCommands\n");
	for (int i = 0; commands[i]; i++)
		put_line(out, commands[i]);
	put_options(out, "Global options", global_options);
	fprintf(out, "\nExit status\n"
		     "  0 done and clean   1 something is left   2 usage   3 source   4 target   5 refused by state\n"
		     "  6 internal error   128+N a second signal\n\n"
		     "`settle help COMMAND` says more about one command; `settle help --all` says everything.\n");
}

void help_command(FILE *out, const struct command *c)
{
	help_usage(out, c);
	fputc('\n', out);
	put_wrapped(out, c->summary, 0);
	if (c->help) {
		fputc('\n', out);
		put_wrapped(out, c->help, 0);
	}
	if (c->options)
		put_options(out, "Options", c->options);
	fprintf(out, "\nGlobal options: `settle help`.\n");
}

void help_group(FILE *out, const char *group)
{
	size_t n = strlen(group);
	fprintf(out, "usage: settle %s SUBCOMMAND ...\n\n", group);
	for (int i = 0; commands[i]; i++)
		if (strncmp(commands[i]->name, group, n) == 0 && commands[i]->name[n] == ' ')
			put_line(out, commands[i]);
}

void help_all(FILE *out)
{
	help_overview(out);
	for (int i = 0; commands[i]; i++) {
		fputc('\n', out);
		help_usage(out, commands[i]);
		fputs("  ", out);
		put_wrapped(out, commands[i]->summary, 2);
		if (commands[i]->options)
			put_options(out, "  Options", commands[i]->options);
	}
}
