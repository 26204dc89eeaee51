/*
 * cmd: the command table, one file per command. A command is parsed from tables (struct option_spec), so that help,
 * parser and manual page come from one place; it opens what its flags declare, runs, prints data on stdout, and maps
 * errors to the exit codes of CLI.md. Only this room prints and logs errors. Threads: main thread; a signal thread sets
 * `stop`.
 */
#ifndef SETTLE_CMD_CMD_H
#define SETTLE_CMD_CMD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/url.h"
#include "migrate/migrate.h"
#include "profile/profile.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

enum option_kind {
	OPT_FLAG,   /* int, counts how often it stands there */
	OPT_TEXT,   /* const char *, borrowed from argv or the environment */
	OPT_INT,    /* int64_t, at least `least` */
	OPT_SIZE,   /* int64_t bytes: a whole number, then K, M or G (powers of 1024), at least `least` */
	OPT_CHOICE, /* int: the place of the word in `argument` */
	OPT_LIST,   /* struct option_list: may be given several times */
};

#define OPTION_LIST_MAX 32

struct option_list { /* texts borrowed as with OPT_TEXT */
	const char *v[OPTION_LIST_MAX];
	int n;
};

struct option_spec {
	const char *name; /* long name without "--"; NULL ends a table */
	char letter;      /* short letter or 0 */
	enum option_kind kind;
	const char *argument;    /* "URL", "N", or for OPT_CHOICE "text|json"; NULL for OPT_FLAG */
	const char *environment; /* or NULL */
	const char *help;
	size_t offset;         /* into the options struct */
	int optional_argument; /* OPT_TEXT: --name (gives "") or --name=VALUE */
	int64_t least;
};

enum command_needs {
	NEED_SOURCE = 1u << 0,
	NEED_TARGET = 1u << 1,
	NEED_DOMAIN = 1u << 2,
	NEED_STATE = 1u << 3,
	NEED_PROFILE = 1u << 4,
	MAY_SOURCE = 1u << 5, /* taken when given */
	MAY_TARGET = 1u << 6,
	USES_PAGER = 1u << 7, /* on a terminal, text goes through PAGER */
};

enum output_format { FORMAT_TEXT, FORMAT_JSON };
enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct global_options {
	const char *source, *target, *state_dir, *profile, *schema, *source_password_file;
	int format;     /* enum output_format */
	int log_level;  /* enum log_level; -1 = not said */
	int log_format; /* enum log_format */
	int quiet, verbose, color, no_progress, yes, help, version;
};

struct cmd_context { /* what a command is given */
	const struct global_options *global;
	void *options; /* its own struct */
	int argc;      /* positional arguments after command and subcommand words (DOMAIN first where needed) */
	char **argv;
	struct arena *arena; /* for the life of the command */
	struct log *log;
	struct url source, target; /* parsed where needed */
	int has_source, has_target;
	const char *source_user, *source_password;
	const char *state_dir;
	struct slice domain;
	struct profile profile; /* loaded where needed */
	const atomic_int *stop;
	FILE *out;    /* stdout */
	int color;    /* decided */
	int terminal; /* stdout is one */
};

struct command {
	const char *name;      /* "migrate", "diff show" */
	const char *arguments; /* "DOMAIN [ID]" for the usage line, or "" */
	const char *summary;
	const char *help; /* more lines, or NULL */
	unsigned needs;
	int min_args, max_args;                             /* positional, DOMAIN included; max -1 = any */
	const struct option_spec *options;                  /* or NULL */
	size_t options_size;                                /* at most OPTIONS_MAX */
	int (*run)(struct cmd_context *c, struct err *err); /* exit status 0 or 1, or an err code with err set */
};

#define OPTIONS_MAX 1024

extern const struct command *const commands[]; /* NULL-terminated, in the order of help */
extern const struct option_spec global_options[];
extern const struct command cmd_migrate, cmd_stats, cmd_show, cmd_diff_show, cmd_diff_cases, cmd_diff_forms,
    cmd_diff_filter, cmd_diff_files, cmd_diff_patch, cmd_check, cmd_patch_files, cmd_patch_preview,
    cmd_patch_list, cmd_patch_reconstruct, cmd_audit_log, cmd_audit_show, cmd_audit_verify, cmd_profile_list, cmd_profile_show, cmd_profile_check,
    cmd_help, cmd_version, cmd_unfinish, cmd_commit, cmd_reset, cmd_multi, cmd_tables_plan, cmd_tables_create,
    cmd_tables_migrate, cmd_tables_status, cmd_tables_validate, cmd_tables_clean, cmd_rejects_list, cmd_rejects_show,
    cmd_rejects_retry;

extern const struct command cmd_snapshot_create, cmd_snapshot_list, cmd_snapshot_show, cmd_snapshot_verify,
    cmd_snapshot_copy, cmd_snapshot_restore, cmd_snapshot_prune, cmd_snapshot_keygen;

/* The whole program after its arguments; returns the exit status. */
int cmd_main(int argc, char **argv);

/* What migrate/ wants to know, from the context. */
struct migrate_env cmd_env(const struct cmd_context *c);

#endif
