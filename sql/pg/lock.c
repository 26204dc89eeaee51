/*
 * The domain lock: a session's advisory lock keeps a second writer out, the epoch in settle_migration keeps out a
 * writer that lost its session without noticing. Raising the epoch waits for commits that have already checked it (FOR
 * SHARE against UPDATE), so after a lock is granted no older writer can commit.
 */
#include "config.h"

#include "base/clock.h"
#include "sql/pg/pg.h"
#include "sql/tables.h"

#define LOCK_TRIES 6
#define LOCK_TRIES_AFTER_DEATH 300
#define LOCK_PAUSE_MS 100

/* FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): advisory locks are numbers shared by the whole
 * database. */
static uint64_t fnv1a(uint64_t hash, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

int64_t pg_lock_key(const char *schema, struct slice domain)
{
	uint64_t hash = fnv1a(UINT64_C(0xcbf29ce484222325), "settle", sizeof("settle"));

	hash = fnv1a(hash, schema, strlen(schema) + 1);
	return (int64_t)fnv1a(hash, domain.ptr, domain.len);
}

static int try_lock(struct pg_target *t, struct slice domain, int *got, struct err *err)
{
	struct pg_params p = {0};
	PGresult *res = NULL;
	int rc;

	buf_str(pg_text(t), "SELECT pg_try_advisory_lock($1)");
	pg_param_int(&p, pg_lock_key(t->schema, domain));
	rc = pg_run(t, &p, &res, err);
	if (rc == 0)
		*got = pg_int(res, 0, 0) != 0;
	PQclear(res);
	return rc;
}

void pg_unlock(struct pg_target *t)
{
	struct err ignored = ERR_INIT;

	/* The server would do it by itself, but only some time after the connection is closed. */
	if (t->holds_lock && pg_simple(t, "SELECT pg_advisory_unlock_all()", NULL, &ignored) != 0)
		sql_log(&t->base, SLICE("unlock failed: the connection is gone, and the lock with it"));
	t->holds_lock = 0;
}

/* The domain's row of settle_migration; no row: none. */
static int read_holder(struct pg_target *t, struct slice domain, struct arena *a, struct sql_rows *rows,
		       struct err *err)
{
	struct slice cell = domain;
	const struct sql_row tuple = {&cell};
	const int col = MIG_DOMAIN;
	const struct sql_match m = {&col, 1, &tuple, 1};

	return pg_select(&t->base, &sql_migration, &m, a, rows, err);
}

static int say_busy(struct pg_target *t, struct slice domain, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct sql_rows rows = {0};
	int rc = read_holder(t, domain, &a, &rows, err);

	if (rc == 0 && rows.n > 0)
		rc = sql_busy(domain, rows.v[0].cells[MIG_HOLDER], rows.v[0].cells[MIG_HOLDER_SINCE], err);
	else if (rc == 0)
		rc = sql_busy(domain, SLICE_NONE, SLICE_NONE, err);
	arena_release(&a);
	return rc;
}

static int raise_epoch(struct pg_target *t, struct slice domain, int64_t *epoch, struct err *err)
{
	struct buf *b = pg_text(t);
	struct pg_params p = {0};
	PGresult *res = NULL;
	char self[300];
	int rc;

	sql_holder_self(self, sizeof(self));
	buf_str(b, "INSERT INTO ");
	sql_add_table(b, &t->base.names, sql_migration.name);
	buf_str(b, " AS m (domain, status, was_live, epoch, holder, holder_since)"
		   " VALUES ($1, 'not-started', false, 1, $2, clock_timestamp())"
		   " ON CONFLICT (domain) DO UPDATE SET epoch = m.epoch + 1, holder = EXCLUDED.holder,"
		   " holder_since = EXCLUDED.holder_since RETURNING epoch");
	pg_param_text(&p, domain);
	pg_param_text(&p, slice_of(self));
	rc = pg_run(t, &p, &res, err);
	if (rc == 0)
		*epoch = pg_int(res, 0, 0);
	PQclear(res);
	return rc;
}

static int is_holder_gone(struct pg_target *t, struct slice domain, int *gone, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct sql_rows rows = {0};
	int rc = read_holder(t, domain, &a, &rows, err);

	*gone = rc == 0 && rows.n > 0 && sql_holder_is_gone(rows.v[0].cells[MIG_HOLDER]);
	arena_release(&a);
	return rc;
}

/*
 * A holder that was just killed keeps its lock until the server has noticed, which is when the statement that it was
 * killed in has ended. Who is known to be dead is waited for longer.
 */
static int try_lock_for_a_while(struct pg_target *t, struct slice domain, int *got, struct err *err)
{
	int gone = 0;
	int rc = try_lock(t, domain, got, err);

	for (int i = 0; i < LOCK_TRIES_AFTER_DEATH && rc == 0 && !*got; i++) {
		if (i >= LOCK_TRIES)
			rc = is_holder_gone(t, domain, &gone, err);
		if (rc || (i >= LOCK_TRIES && !gone))
			return rc;
		clock_sleep_ms(LOCK_PAUSE_MS);
		rc = try_lock(t, domain, got, err);
	}
	return rc;
}

int pg_lock(struct sql_target *base, struct slice domain, int64_t *epoch, struct err *err)
{
	struct pg_target *t = pg_of(base);
	int got = 0;
	int rc = try_lock_for_a_while(t, domain, &got, err);

	if (rc == 0 && !got)
		return say_busy(t, domain, err);
	t->holds_lock = got;
	if (rc == 0)
		rc = raise_epoch(t, domain, epoch, err);
	if (rc)
		pg_unlock(t);
	return rc;
}

int pg_check_epoch(struct sql_target *base, int *same, struct err *err)
{
	struct pg_target *t = pg_of(base);
	struct buf *b = pg_text(t);
	struct pg_params p = {0};
	PGresult *res = NULL;
	int rc;

	buf_str(b, "SELECT epoch FROM ");
	sql_add_table(b, &base->names, sql_migration.name);
	buf_str(b, " WHERE domain = $1 AND epoch = $2 FOR SHARE");
	pg_param_text(&p, buf_slice(&base->domain));
	pg_param_int(&p, base->epoch);
	rc = pg_run(t, &p, &res, err);
	if (rc == 0)
		*same = PQntuples(res) == 1;
	PQclear(res);
	return rc;
}
