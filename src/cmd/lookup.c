#include "config.h"

#include "cmd/lookup.h"

#include "cmd/options.h"

#include <stdio.h>

#define NAME_MAX_BYTES 128
#define MANY_TABLES 64

static int same_name(const struct command *c, const char *first, const char *second)
{
	size_t n = strlen(first);
	if (strncmp(c->name, first, n) != 0)
		return 0;
	if (!second)
		return c->name[n] == 0;
	return c->name[n] == ' ' && strcmp(c->name + n + 1, second) == 0;
}

const struct command *lookup_words(char *const *words, int n, int *used)
{
	for (*used = n < 2 ? n : 2; *used > 0; --*used)
		for (int i = 0; commands[i]; i++)
			if (same_name(commands[i], words[0], *used > 1 ? words[1] : NULL))
				return commands[i];
	return NULL;
}

int lookup_is_group(const char *word)
{
	size_t n = strlen(word);
	for (int i = 0; commands[i]; i++)
		if (strncmp(commands[i]->name, word, n) == 0 && commands[i]->name[n] == ' ')
			return 1;
	return 0;
}

/* The command name nearest to text, when it is near enough to be meant. */
static const char *similar(const char *text)
{
	const char *best = NULL;
	int best_distance = 3;
	for (int i = 0; commands[i]; i++) {
		int distance = word_distance(text, commands[i]->name);
		if (distance < best_distance) {
			best_distance = distance;
			best = commands[i]->name;
		}
	}
	return best;
}

static int list_group(const char *group, struct err *err)
{
	char names[NAME_MAX_BYTES] = "";
	size_t n = strlen(group), used = 0;
	for (int i = 0; commands[i]; i++)
		if (strncmp(commands[i]->name, group, n) == 0 && commands[i]->name[n] == ' ' && used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
						 commands[i]->name + n + 1);
	return err_hint(err, "after %s comes one of: %s", group, names);
}

int lookup_unknown(char *const *words, int n, struct err *err)
{
	char both[NAME_MAX_BYTES];
	int group = lookup_is_group(words[0]);
	snprintf(both, sizeof(both), "%s %s", words[0], n > 1 ? words[1] : "");
	if (group && n < 2)
		err_set(err, ERR_USAGE, "%s alone is no command", words[0]);
	else
		err_set(err, ERR_USAGE, "there is no command \"%s\"", group ? both : words[0]);
	const char *near = similar(words[0]) ? similar(words[0]) : similar(both);
	if (near)
		return err_hint(err, "did you mean `settle %s`?", near);
	if (group)
		return list_group(words[0], err);
	return err_hint(err, "`settle help` lists them");
}

/* The tables that may say whether an option between the words takes a value. */
static int tables_for(const char *first_word, const struct option_spec **tables)
{
	int n = 0;
	for (int i = 0; first_word && commands[i] && n < MANY_TABLES - 1; i++)
		if (strncmp(commands[i]->name, first_word, strlen(first_word)) == 0)
			tables[n++] = commands[i]->options;
	tables[n++] = global_options;
	return n;
}

/* The next word at or after from, or argc. */
static int next_word(int from, int argc, char *const *argv, const char *first_word)
{
	const struct option_spec *tables[MANY_TABLES];
	int n = tables_for(first_word, tables);
	while (from < argc && argv[from][0] == '-' && argv[from][1]) {
		if (strcmp(argv[from], "--") == 0)
			return argc;
		from += options_width(tables, n, argc - from, argv + from);
	}
	return from;
}

int lookup_command(int argc, char *const *argv, struct lookup *out, struct err *err)
{
	char *words[2];
	*out = (struct lookup){0};
	out->at[0] = next_word(0, argc, argv, NULL);
	if (out->at[0] == argc)
		return 0;
	words[0] = argv[out->at[0]];
	out->at[1] = next_word(out->at[0] + 1, argc, argv, words[0]);
	int n = out->at[1] < argc ? 2 : 1;
	words[1] = n > 1 ? argv[out->at[1]] : NULL;
	out->command = lookup_words(words, n, &out->n_words);
	if (!out->command && n == 1 && lookup_is_group(words[0]))
		out->group = words[0];
	return out->command ? 0 : lookup_unknown(words, n, err);
}
