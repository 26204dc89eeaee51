/*
 * lifecycle: the state machine of a domain (DESIGN.md section 5), as data. Pure. Threads: safe.
 */
#ifndef SETTLE_MIGRATE_LIFECYCLE_H
#define SETTLE_MIGRATE_LIFECYCLE_H

#include "base/err.h"
#include "base/slice.h"

enum life_status { LIFE_NOT_STARTED, LIFE_LIVE, LIFE_IN_PROGRESS, LIFE_COMPLETE, LIFE_STATUSES };

enum life_command {
	LIFE_MIGRATE,
	LIFE_MIGRATE_LIVE,   /* --live, --follow */
	LIFE_MIGRATE_PATCH,
	LIFE_MIGRATE_FINISH,
	LIFE_UNFINISH,
	LIFE_COMMIT,
	LIFE_RESET,
	LIFE_REPAIR,         /* rejects retry, diff filter, diff patch */
	LIFE_COMPARE,        /* diff cases, diff forms */
	LIFE_MIGRATE_FORMS,  /* --forms */
	LIFE_COMMANDS,
};

const char *life_status_name(enum life_status s); /* as in settle_migration and in every message */
const char *life_command_name(enum life_command c);
/* 0 or -1. */
int life_status_parse(struct slice name, enum life_status *out);
/*
 * 0 and *to = the status that the command leads to (commands that change none give the same one). ERR_STATE naming the status, what was
 * asked and the command that would be allowed. was_live: the migration has been live before (for unfinish).
 */
MUST_CHECK int life_check(enum life_status from, int was_live, enum life_command command, enum life_status *to, struct err *err);

#endif
