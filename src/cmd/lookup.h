/*
 * lookup: which command do these arguments name? Command names have one or two words. Threads: safe, reads tables only.
 */
#ifndef SETTLE_CMD_LOOKUP_H
#define SETTLE_CMD_LOOKUP_H

#include "cmd/cmd.h"

struct lookup {
	const struct command *command; /* NULL: the arguments hold no word */
	int at[2];                     /* where its words stand in argv */
	int n_words;
	const char *group; /* a group's word that stands alone: no command, but there may be help for it */
};

/* Options before and between the words are skipped. ERR_USAGE with a suggestion when there is no such command. */
MUST_CHECK int lookup_command(int argc, char *const *argv, struct lookup *out, struct err *err);
/* The command of words[0], or of words[0] and words[1]; NULL. *used = how many words its name has. */
const struct command *lookup_words(char *const *words, int n, int *used);
/* Is it the first word of two-word commands? */
int lookup_is_group(const char *word);
/* err for words that name no command. */
int lookup_unknown(char *const *words, int n, struct err *err);

#endif
