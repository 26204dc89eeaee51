/*
 * help: usage texts, printed from the tables. Threads: safe, reads tables only.
 */
#ifndef SETTLE_CMD_HELP_H
#define SETTLE_CMD_HELP_H

#include "cmd/cmd.h"

/* What `settle help` prints: commands and global options. */
void help_overview(FILE *out);
void help_command(FILE *out, const struct command *c);
/* The commands of a group, such as "diff". */
void help_group(FILE *out, const char *group);
/* The overview, then every command. */
void help_all(FILE *out);
/* "settle migrate DOMAIN [OPTIONS]". */
void help_usage(FILE *out, const struct command *c);

#endif
