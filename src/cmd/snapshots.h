/* snapshots: what the commands about snapshots share. Threads: main thread. */
#ifndef SETTLE_CMD_SNAPSHOTS_H
#define SETTLE_CMD_SNAPSHOTS_H

#include "cmd/cmd.h"
#include "snapshot/snapshot.h"

/* dir: --dir or --to; key: --key; both may be NULL. */
struct snapshot_env snapshots_env(const struct cmd_context *c, const char *dir, const char *key);
/* The words of an option that may be given several times, with commas between them each time. */
struct snapshot_texts snapshots_words(const struct cmd_context *c, const struct option_list *list);
/* Jobs for snapshot_env, of --jobs. */
int snapshots_jobs(int64_t jobs);
/* The code of a failure about a snapshot that the user named: one that is not there is a mistake of the user's. */
int snapshots_named(struct err *err);
/* "12.3 MB" */
struct slice snapshots_size(const struct cmd_context *c, int64_t bytes);
/* A word as a shell wants it: quoted where it must be. */
struct slice snapshots_word(const struct cmd_context *c, struct slice word);
/* A snapshot as one JSON object, without its lists of tables and files. */
struct json snapshots_to_json(const struct cmd_context *c, const struct snapshot_info *s);
/* " --dir DIR" when it is not the usual one, for the commands that are advised. */
struct slice snapshots_dir_words(const struct cmd_context *c, const char *dir);

/* 0 when no restore of the target is half done (snapshot_idle). */
MUST_CHECK int snapshots_idle(const struct cmd_context *c, struct err *err);
/* migrate --snapshot: makes one and says so. A SQLite target that is not there yet needs none. */
MUST_CHECK int snapshots_before(struct cmd_context *c, struct err *err);
/* Tells the command that restores the latest snapshot of the target, if there is one. */
void snapshots_advise(const struct cmd_context *c, const char *why);
/*
 * A restore, in the trails of the migrations that went back with it: what was in force at the snapshot's moment is so
 * again. ctx: the struct cmd_context. As snapshot_restore_options.note.
 */
MUST_CHECK int snapshots_note_restore(void *ctx, const struct snapshot_plan *p, struct err *err);
/* An event in the audit trail of each migration that the snapshot holds, and of `domain` (or SLICE_NONE). */
MUST_CHECK int snapshots_note(const struct cmd_context *c, const struct snapshot_info *s, struct slice domain,
			      const char *event, struct err *err);

#define SNAPSHOTS_DIR_OPTION(type)                                                                        \
	{                                                                                                 \
		.name = "dir", .kind = OPT_TEXT, .argument = "DIR",                                       \
		.help = "where snapshots lie; default STATE_DIR/snapshots", .offset = offsetof(type, dir) \
	}
#define SNAPSHOTS_KEY_OPTION(type)                                                                         \
	{                                                                                                  \
		.name = "key", .kind = OPT_TEXT, .argument = "FILE", .environment = "SETTLE_SNAPSHOT_KEY", \
		.help = "secret key for an encrypted snapshot; nobody else may be able to read the file",  \
		.offset = offsetof(type, key)                                                              \
	}
#define SNAPSHOTS_RECIPIENT_OPTION(type)                                                                        \
	{                                                                                                       \
		.name = "recipient", .kind = OPT_LIST, .argument = "KEY",                                       \
		.help = "encrypt for this public key (text, or a file that holds it); several with commas, or " \
			"given again",                                                                          \
		.offset = offsetof(type, recipients)                                                            \
	}
#define SNAPSHOTS_JOBS_OPTION(type)                                                          \
	{                                                                                    \
		.name = "jobs", .letter = 'j', .kind = OPT_INT, .argument = "N", .least = 1, \
		.help = "parallel jobs of pg_dump or pg_restore; default 2, at most 64",     \
		.offset = offsetof(type, jobs)                                               \
	}

#endif
