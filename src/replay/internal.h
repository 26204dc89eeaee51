/* What the files of replay share. */
#ifndef SETTLE_REPLAY_INTERNAL_H
#define SETTLE_REPLAY_INTERNAL_H

#include "replay/replay.h"

struct replay_block { /* one case block while it is read */
	const struct replay_form *form;
	const struct json *value;
	struct slice case_id;
	uint32_t position;
	int version;
	struct arena *a;
};

/* Of a list the last item, of an element with "#text" that text; anything else is itself. NULL for NULL and for an
 * empty list. */
const struct json *replay_single(const struct json *v);
/* replay_single as text (replay.h, "Values"); SLICE_NONE for NULL and null. */
struct slice replay_text(const struct json *v, struct arena *a);
/* Sets err: ERR_SYNTAX "case block 3 (case X): ...". */
int replay_block_err(const struct replay_block *b, struct err *err, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Appends the block's actions, in order of application, to txn->actions. */
MUST_CHECK int replay_block_actions(const struct replay_block *b, struct json *actions, struct err *err);

#endif
