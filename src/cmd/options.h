/*
 * options: reads arguments by option tables. `--name value`, `--name=value`, `-x value`, `-xvalue`, bundled flags
 * `-qv`, `--` ends options; a lone `-` is an argument. Of an option given twice the last counts. Texts are borrowed.
 * Threads: one thread at a time.
 */
#ifndef SETTLE_CMD_OPTIONS_H
#define SETTLE_CMD_OPTIONS_H

#include "cmd/cmd.h"

struct option_set {                      /* a table and the struct that its offsets point into */
	const struct option_spec *specs; /* NULL: none */
	void *values;
};

/* Sets what the environment says; variables that are not set or empty say nothing. ERR_USAGE names the variable. */
MUST_CHECK int options_environment(const struct option_set *set, struct err *err);

/*
 * Reads argv[0..argc-1]. An option is looked for in sets[0], then sets[1], ... What is no option is put into words
 * (room for argc) in its order. ERR_USAGE names the option, with a hint when a similar one exists; an empty text is
 * one.
 */
MUST_CHECK int options_parse(const struct option_set *sets, int n_sets, int argc, char **argv, char **words,
			     int *n_words, struct err *err);

/* How many of argv the option at argv[0] takes: 2 when its value stands apart, else 1. Unknown options take 1. */
int options_width(const struct option_spec *const *tables, int n_tables, int argc, char *const *argv);

/* How far two words are from each other: insertions, deletions and replacements (Levenshtein); at most 99. */
int word_distance(const char *a, const char *b);

#endif
