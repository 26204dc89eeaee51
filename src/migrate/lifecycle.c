#include "migrate/lifecycle.h"

static const char *const status_names[LIFE_STATUSES] = {"not-started", "live", "in-progress", "complete"};

static const char *const command_names[LIFE_COMMANDS] = {
        "migrate", "migrate --live", "migrate --patch", "migrate --finish", "unfinish", "commit", "reset", "changing what is recorded",
        "comparing again", "migrate --forms",
};

#define REFUSED (-1)

/* Where a command leads; unfinish also asks whether the migration was live. */
static const int leads_to[LIFE_STATUSES][LIFE_COMMANDS] = {
        [LIFE_NOT_STARTED] = {LIFE_IN_PROGRESS, LIFE_LIVE, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED},
        [LIFE_LIVE] = {LIFE_LIVE, LIFE_LIVE, LIFE_LIVE, LIFE_IN_PROGRESS, REFUSED, REFUSED, LIFE_NOT_STARTED, LIFE_LIVE, LIFE_LIVE,
                       LIFE_LIVE},
        [LIFE_IN_PROGRESS] = {LIFE_IN_PROGRESS, REFUSED, LIFE_IN_PROGRESS, LIFE_IN_PROGRESS, LIFE_LIVE, LIFE_COMPLETE,
                              LIFE_NOT_STARTED, LIFE_IN_PROGRESS, LIFE_IN_PROGRESS, LIFE_IN_PROGRESS},
        [LIFE_COMPLETE] = {REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, LIFE_COMPLETE, REFUSED},
};

/* What may be done instead. */
static const char *const ways_out[LIFE_STATUSES] = {
    [LIFE_NOT_STARTED] =
	"begin with `settle migrate DOMAIN`, or `settle migrate DOMAIN --live` while the source is in use",
    [LIFE_LIVE] = "end the live phase with `settle migrate DOMAIN --finish`",
    [LIFE_IN_PROGRESS] = "`settle commit DOMAIN` completes it, `settle reset DOMAIN` begins again",
    [LIFE_COMPLETE] = "`settle stats`, `settle show` and `settle diff cases` still work",
};

const char *life_status_name(enum life_status s)
{
	return status_names[s];
}

const char *life_command_name(enum life_command c)
{
	return command_names[c];
}

int life_status_parse(struct slice name, enum life_status *out)
{
	for (int i = 0; i < LIFE_STATUSES; i++)
		if (slice_is(name, status_names[i])) {
			*out = (enum life_status)i;
			return 0;
		}
	return -1;
}

static int refuse(enum life_status from, int was_live, enum life_command command, struct err *err)
{
	err_set(err, ERR_STATE, "the migration is %s: %s is not allowed%s", status_names[from], command_names[command],
	        from == LIFE_COMPLETE ? ", it was already committed" : "");
	if (from == LIFE_IN_PROGRESS && command == LIFE_MIGRATE_LIVE && was_live)
		return err_hint(err, "go back to the live phase with `settle unfinish DOMAIN` first");
	if (from == LIFE_IN_PROGRESS && command == LIFE_UNFINISH)
		return err_hint(err, "it never was live; %s", ways_out[from]);
	return err_hint(err, "%s", ways_out[from]);
}

int life_check(enum life_status from, int was_live, enum life_command command, enum life_status *to, struct err *err)
{
	int lead = leads_to[from][command];

	if (lead == REFUSED || (command == LIFE_UNFINISH && !was_live))
		return refuse(from, was_live, command, err);
	*to = (enum life_status)lead;
	return 0;
}
