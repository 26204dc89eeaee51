/*
 * Any arguments (the bytes, cut at newlines), with the options of any command: parsing ends with words that are
 * arguments, in their order, or with a usage error that says something.
 */
#include "cmd/lookup.h"
#include "cmd/options.h"

#include <stdlib.h>

#define ARGS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

static int split(char *text, size_t size, char **argv)
{
	int argc = 0;
	for (char *at = text; at < text + size && argc < ARGS_MAX;) {
		argv[argc++] = at;
		at += strcspn(at, "\n");
		*at++ = 0;
	}
	return argc;
}

static void check_words(char **words, int n, char **argv, int argc)
{
	int from = 0;
	check(n <= argc);
	for (int i = 0; i < n; i++) {
		while (from < argc && argv[from] != words[i])
			from++;
		check(from++ < argc);
	}
}

static void parse(const struct command *command, int argc, char **argv)
{
	_Alignas(16) char values[OPTIONS_MAX] = {0};
	struct global_options global = {0};
	struct option_set sets[2] = {{command->options, values}, {global_options, &global}};
	char *words[ARGS_MAX];
	struct err err = ERR_INIT;
	int n;
	if (options_parse(sets, 2, argc, argv, words, &n, &err) == 0)
		check_words(words, n, argv, argc);
	else
		check(err.code == ERR_USAGE && err.msg[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), *argv[ARGS_MAX];
	struct lookup found;
	struct err err = ERR_INIT;
	check(text != NULL);
	if (size)
		memcpy(text, data, size);
	int argc = split(text, size, argv);
	if (lookup_command(argc, argv, &found, &err) == 0)
		check(!found.command || (found.n_words > 0 && found.at[found.n_words - 1] < argc));
	else
		check(err.code == ERR_USAGE && err.msg[0]);
	for (int i = 0; commands[i]; i++)
		parse(commands[i], argc, argv);
	free(text);
	return 0;
}
