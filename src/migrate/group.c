#include "migrate/group.h"

#include "base/clock.h"
#include "migrate/moment.h"

#define GROUP_BATCHES 8
#define GROUP_US 1000000

int group_begin(struct run *r, struct sql_target *t, struct err *err)
{
	struct run_group *g = &r->group;

	if (g->target)
		return 0;
	if (sql_begin(t, err))
		return err->code;
	if (state_begin(r->state, err)) {
		sql_rollback(t);
		return err->code;
	}
	*g = (struct run_group){.target = t, .begun_us = clock_mono_us()};
	return 0;
}

static int is_full(const struct run *r)
{
	const struct run_group *g = &r->group;

	return g->bytes >= GROUP_BATCHES * r->options.batch_bytes ||
	       g->docs >= GROUP_BATCHES * (size_t)r->options.batch_docs || clock_mono_us() - g->begun_us >= GROUP_US;
}

/* Cases are pending until the target holds what was compared. */
static int clear_compared(struct run *r, struct err *err)
{
	if (!r->any_compared)
		return 0;
	r->any_compared = 0;
	return state_pending_clear(r->state, buf_slice(&r->compared), err);
}

/* State first, then the target: a kill in between repeats the group, and repeating changes nothing. */
static int commit(struct run *r, struct err *err)
{
	/* Of the case pass alone; a batch of documents has put the mark with its checkpoint. */
	if ((!r->moment.given && moment_mark(r, r->group.target, err)) || state_commit(r->state, err) ||
	    sql_commit(r->group.target, err)) {
		group_abandon(r);
		return err->code;
	}
	moment_done(r);
	r->group.target = NULL;
	atomic_fetch_add(&r->progress.committed, (int64_t)r->group.docs);
	return clear_compared(r, err);
}

void group_compared(struct run *r, struct slice high)
{
	buf_clear(&r->compared);
	buf_adds(&r->compared, high);
	r->any_compared = 1;
}

int group_add(struct run *r, size_t bytes, size_t docs, struct err *err)
{
	r->group.bytes += bytes;
	r->group.docs += docs;
	return is_full(r) ? commit(r, err) : 0;
}

void group_abandon(struct run *r)
{
	if (!r->group.target)
		return;
	state_rollback(r->state);
	sql_rollback(r->group.target);
	r->group.target = NULL;
	r->any_compared = r->moment.given = 0;
}

int group_finish(struct run *r, int rc, struct err *err)
{
	struct err own = ERR_INIT;

	if (!r->group.target || commit(r, &own) == 0 || rc)
		return rc;
	if (err)
		*err = own;
	return own.code;
}
