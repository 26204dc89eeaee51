#include "migrate/moment.h"

#include "base/clock.h"
#include "migrate/rows.h"
#include "migrate/status.h"

#define NOW "moment"
#define BEFORE "moment before"

int64_t moment_of(struct slice updated_on)
{
	int64_t us = 0;

	return updated_on.ptr && datetime_parse(updated_on, &us) ? us : 0;
}

int moments_read(struct state *s, struct arena *a, struct moments *out, struct err *err)
{
	struct slice now, before;

	if (state_value_get(s, NOW, a, &now, err) || state_value_get(s, BEFORE, a, &before, err))
		return err->code;
	*out = (struct moments){.known = now.ptr != NULL, .now = moment_of(now), .before = moment_of(before)};
	return 0;
}

enum moment_verdict moment_judge(const struct moments *m, int64_t target)
{
	if (!m->known || target == m->now || target == m->before)
		return MOMENT_SAME;
	return target > m->now ? MOMENT_STATE_OLDER : MOMENT_TARGET_OLDER;
}

int moment_enter(struct run *r, struct sql_target *t, struct moments *m, int64_t *target, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct sql_rows rows = {0};
	int rc = status_row(t, &sql_checkpoint, r->env->domain, &a, &rows, err);

	if (rc == 0)
		rc = moments_read(r->state, &a, m, err);
	if (rc == 0) {
		*target = rows.n ? moment_of(rows.v[0].cells[CKPT_UPDATED_ON]) : 0;
		r->moment.committed = *target;
		r->moment.latest = m->now > *target ? m->now : *target;
	}
	arena_release(&a);
	return rc;
}

static int put(struct run *r, const char *key, int64_t us, struct err *err)
{
	char text[DATETIME_TEXT_SIZE] = "";

	if (us)
		(void)datetime_format(us, text);
	return state_value_put(r->state, key, slice_of(text), err);
}

int moment_none(struct run *r, struct err *err)
{
	r->moment.committed = 0;
	if (put(r, BEFORE, 0, err))
		return err->code;
	return put(r, NOW, 0, err);
}

int moment_step(struct run *r, char text[DATETIME_TEXT_SIZE], struct err *err)
{
	int64_t now = clock_utc_us();

	r->moment.latest = now > r->moment.latest ? now : r->moment.latest + 1;
	if (!datetime_format(r->moment.latest, text))
		return err_set(err, ERR_INTERNAL, "the clock of this machine is in no year that can be written");
	r->moment.given = 1;
	if (put(r, BEFORE, r->moment.committed, err)) /* first: what the target has stands there at any time */
		return err->code;
	return put(r, NOW, r->moment.latest, err);
}

int moment_mark(struct run *r, struct sql_target *t, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct sql_rows rows = {0};
	char text[DATETIME_TEXT_SIZE];
	enum sql_outcome outcome;
	int rc = status_row(t, &sql_checkpoint, r->env->domain, &a, &rows, err);

	if (rc == 0 && rows.n)
		rc = moment_step(r, text, err);
	if (rc == 0 && rows.n) {
		rows.v[0].cells[CKPT_UPDATED_ON] = slice_of(text);
		rc = sql_put(t, &sql_checkpoint, rows.v, 1, &outcome, &a, NULL, err);
	}
	arena_release(&a);
	return rc;
}

void moment_done(struct run *r)
{
	if (r->moment.given)
		r->moment.committed = r->moment.latest;
	r->moment.given = 0;
}
