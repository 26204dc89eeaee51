#include "config.h"

#include "lite/lite_internal.h"

#include <stdint.h>
#include <string.h>

/* Where the statement of this SQL text is, or where it would go. The table is never full. */
static struct lite_stmt **slot_of(struct lite_stmt **slots, size_t count, const char *sql)
{
	size_t i = ((uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (count - 1);
	while (slots[i] && slots[i]->sql != sql)
		i = (i + 1) & (count - 1);
	return &slots[i];
}

/* The outgrown table stays in the connection's arena: all of them together are smaller than twice the last. */
static void make_slot_room(struct lite *db)
{
	if (db->slot_count && db->statements * 2 < db->slot_count)
		return;
	size_t count = db->slot_count ? db->slot_count * 2 : 64;
	struct lite_stmt **slots = ARENA_ARRAY(&db->memory, count, struct lite_stmt *);
	for (size_t i = 0; i < db->slot_count; i++) {
		if (db->slots[i])
			*slot_of(slots, count, db->slots[i]->sql) = db->slots[i];
	}
	db->slots = slots;
	db->slot_count = count;
}

int lite_stmt(struct lite *db, const char *sql, struct lite_stmt **out, struct err *err)
{
	*out = NULL;
	make_slot_room(db);
	struct lite_stmt **slot = slot_of(db->slots, db->slot_count, sql);
	if (*slot) {
		lite_done(*slot);
		*out = *slot;
		return 0;
	}
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v3(db->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
	if (rc != SQLITE_OK)
		return lite_fail(db, rc, err);
	struct lite_stmt *s = ARENA_NEW(&db->memory, struct lite_stmt);
	*s = (struct lite_stmt){.lite = db, .stmt = stmt, .sql = sql};
	*slot = s;
	db->statements++;
	*out = s;
	return 0;
}

void lite_finalize_all(struct lite *db)
{
	for (size_t i = 0; i < db->slot_count; i++) {
		if (db->slots[i])
			sqlite3_finalize(db->slots[i]->stmt);
	}
	db->slot_count = 0;
}

static void note(struct lite_stmt *s, int rc)
{
	if (s->bind_rc == SQLITE_OK)
		s->bind_rc = rc;
}

void lite_bind_text(struct lite_stmt *s, int n, struct slice text)
{
	note(s, sqlite3_bind_text64(s->stmt, n, text.ptr, text.len, SQLITE_STATIC, SQLITE_UTF8));
}

void lite_bind_bytes(struct lite_stmt *s, int n, struct slice bytes)
{
	note(s, sqlite3_bind_blob64(s->stmt, n, bytes.ptr, bytes.len, SQLITE_STATIC));
}

void lite_bind_int(struct lite_stmt *s, int n, int64_t value)
{
	note(s, sqlite3_bind_int64(s->stmt, n, value));
}

void lite_bind_null(struct lite_stmt *s, int n)
{
	note(s, sqlite3_bind_null(s->stmt, n));
}

int lite_step(struct lite_stmt *s, int *row, struct err *err)
{
	int rc = s->bind_rc == SQLITE_OK ? sqlite3_step(s->stmt) : s->bind_rc;
	*row = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return 0;
	return lite_fail(s->lite, rc, err);
}

int lite_run(struct lite_stmt *s, struct err *err)
{
	int row = 0;
	int rc = lite_step(s, &row, err);
	if (rc == 0 && row)
		rc = err_set(err, ERR_INTERNAL, "a statement that gives no rows gave one: %s", s->sql);
	lite_done(s);
	return rc;
}

struct slice lite_text(struct lite_stmt *s, int n)
{
	int type = sqlite3_column_type(s->stmt, n);
	if (type == SQLITE_NULL)
		return SLICE_NONE;
	const void *p = type == SQLITE_BLOB ? sqlite3_column_blob(s->stmt, n) : sqlite3_column_text(s->stmt, n);
	/* An empty BLOB has no address, and is not NULL. */
	return p ? (struct slice){p, (size_t)sqlite3_column_bytes(s->stmt, n)} : SLICE("");
}

int64_t lite_int(struct lite_stmt *s, int n)
{
	return sqlite3_column_int64(s->stmt, n);
}

double lite_double(struct lite_stmt *s, int n)
{
	return sqlite3_column_double(s->stmt, n);
}

int lite_is_null(struct lite_stmt *s, int n)
{
	return sqlite3_column_type(s->stmt, n) == SQLITE_NULL;
}

int lite_column_type(struct lite_stmt *s, int n)
{
	return sqlite3_column_type(s->stmt, n);
}

int lite_columns(struct lite_stmt *s)
{
	return sqlite3_column_count(s->stmt);
}

const char *lite_column_name(struct lite_stmt *s, int n)
{
	return sqlite3_column_name(s->stmt, n);
}

void lite_done(struct lite_stmt *s)
{
	if (!s)
		return;
	sqlite3_reset(s->stmt);
	sqlite3_clear_bindings(s->stmt);
	s->bind_rc = SQLITE_OK;
}
