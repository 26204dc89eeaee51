#include "config.h"

#include "cmd/snapshots.h"

#include "audit/audit.h"
#include "base/clock.h"
#include "sql/tables.h"
#include "sql/target.h"

#include <unistd.h>

#define JOBS_MOST 64

struct snapshot_env snapshots_env(const struct cmd_context *c, const char *dir, const char *key)
{
	return (struct snapshot_env){
	    .state_dir = c->state_dir,
	    .dir = dir,
	    .target = c->has_target ? &c->target : NULL,
	    .schema = c->global->schema,
	    .domain = c->domain,
	    .key_file = key,
	    .log = c->log,
	    .stop = c->stop,
	};
}

struct words { /* ARENA_PUSH */
	const char **v;
	size_t n, cap;
};

static void split(const struct cmd_context *c, const char *text, struct words *out)
{
	while (*text) {
		size_t n = strcspn(text, ",");
		if (n)
			ARENA_PUSH(c->arena, out, (const char *)arena_str(c->arena, (struct slice){text, n}));
		text += n + (text[n] == ',');
	}
}

struct snapshot_texts snapshots_words(const struct cmd_context *c, const struct option_list *list)
{
	struct words words = {0};
	for (int i = 0; i < list->n; i++)
		split(c, list->v[i], &words);
	return (struct snapshot_texts){words.v, (int)words.n};
}

int snapshots_jobs(int64_t jobs)
{
	return (int)(jobs < JOBS_MOST ? jobs : JOBS_MOST);
}

int snapshots_named(struct err *err)
{
	if (err->code == ERR_NOTFOUND)
		err->code = ERR_USAGE;
	return err->code;
}

struct slice snapshots_size(const struct cmd_context *c, int64_t bytes)
{
	return arena_printf(c->arena, "%.1f MB", (double)bytes / 1e6);
}

struct json snapshots_to_json(const struct cmd_context *c, const struct snapshot_info *s)
{
	struct json v = json_object();
	json_sets(c->arena, &v, "name", json_string(s->name));
	json_sets(c->arena, &v, "path", json_string(s->path));
	json_sets(c->arena, &v, "good", json_bool(!s->problem));
	if (s->problem)
		json_sets(c->arena, &v, "problem", json_str(s->problem));
	if (s->created.len) {
		json_sets(c->arena, &v, "created", json_string(s->created));
		json_sets(c->arena, &v, "engine", json_string(s->engine));
		json_sets(c->arena, &v, "method", json_string(s->method));
		json_sets(c->arena, &v, "target", json_string(s->target));
		json_sets(c->arena, &v, "encrypted", json_bool(s->encrypted));
		json_sets(c->arena, &v, "tables", json_int(c->arena, s->tables));
		json_sets(c->arena, &v, "rows", json_int(c->arena, s->rows));
	}
	json_sets(c->arena, &v, "bytes", json_int(c->arena, s->bytes));
	return v;
}

struct slice snapshots_word(const struct cmd_context *c, struct slice word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:@%+=,-";
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	size_t n = 0;
	while (n < word.len && word.ptr[n] && strchr(plain, word.ptr[n]))
		n++;
	if (word.len && n == word.len)
		return word;
	buf_ch(&b, '\'');
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] == '\'')
			buf_str(&b, "'\\'");
		buf_ch(&b, word.ptr[i]);
	}
	buf_ch(&b, '\'');
	struct slice out = arena_slice(c->arena, buf_slice(&b));
	buf_release(&b);
	return out;
}

struct slice snapshots_dir_words(const struct cmd_context *c, const char *dir)
{
	struct slice word = dir ? snapshots_word(c, slice_of(dir)) : SLICE("");
	return dir ? arena_printf(c->arena, " --dir %.*s", SLICE_ARG(word)) : SLICE("");
}

int snapshots_idle(const struct cmd_context *c, struct err *err)
{
	struct snapshot_env env = snapshots_env(c, NULL, NULL);
	return snapshot_idle(&env, err);
}

void snapshots_advise(const struct cmd_context *c, const char *why)
{
	struct snapshot_env env = snapshots_env(c, NULL, NULL);
	struct snapshot_info latest;
	struct err ignored = ERR_INIT;
	if (snapshot_latest(&env, c->arena, &latest, &ignored))
		return;
	struct slice name = snapshots_word(c, latest.name);
	log_at(c->log, LOG_INFO, "%s: settle snapshot restore %.*s", why, SLICE_ARG(name));
}

int snapshots_before(struct cmd_context *c, struct err *err)
{
	struct snapshot_env env = snapshots_env(c, NULL, NULL);
	struct snapshot_create_options options = {0};
	struct snapshot_info made;
	struct slice path;
	if (c->target.scheme == URL_SQLITE && access(c->target.path, F_OK) != 0)
		return 0;
	if (snapshot_create(&env, &options, c->arena, &path, err))
		return err_prefix(err, "the snapshot before the migration");
	log_at(c->log, LOG_INFO, "snapshot made: %.*s", SLICE_ARG(path));
	if (snapshot_latest(&env, c->arena, &made, err))
		return err->code;
	return snapshots_note(c, &made, c->domain, "snapshot", err);
}

/* ---- the audit trail ---- */

/* settle_migration.trail_head names the event, as it does after every event of a migration. */
static int note_head(const struct cmd_context *c, struct sql_target *t, struct slice domain, const char *id,
		     struct err *err)
{
	static const int by_domain[] = {MIG_DOMAIN};
	struct sql_row key = {&domain};
	struct sql_rows rows = {0};
	enum sql_outcome outcome;
	int64_t epoch = 0;
	int rc = sql_domain_lock(t, domain, &epoch, err);
	if (rc == 0)
		rc = sql_select(t, &sql_migration, by_domain, 1, &key, 1, c->arena, &rows, err);
	if (rc || rows.n == 0)
		return rc;
	rows.v[0].cells[MIG_TRAIL_HEAD] = slice_of(id);
	rc = sql_begin(t, err);
	if (rc == 0)
		rc = sql_put(t, &sql_migration, rows.v, 1, &outcome, c->arena, NULL, err);
	return rc ? rc : sql_commit(t, err);
}

static int note_in_target(const struct cmd_context *c, struct slice domain, const char *id, struct err *err)
{
	struct sql_options o = {.url = &c->target, .schema = c->global->schema, .log = c->log};
	struct sql_target *t = NULL;
	int rc = sql_open(&t, &o, err);
	if (rc == 0)
		rc = note_head(c, t, domain, id, err);
	sql_close(t);
	return rc;
}

/* The commit that the target takes for the last one; SLICE_NONE when it knows of none. */
static int head_in_target(const struct cmd_context *c, struct slice domain, struct slice *out, struct err *err)
{
	static const int by_domain[] = {MIG_DOMAIN};
	struct sql_options o = {.url = &c->target, .schema = c->global->schema, .flags = SQL_READ_ONLY, .log = c->log};
	struct sql_target *t = NULL;
	struct sql_row key = {&domain};
	struct sql_rows rows = {0};
	*out = SLICE_NONE;
	int rc = sql_open(&t, &o, err);
	if (rc == 0)
		rc = sql_select(t, &sql_migration, by_domain, 1, &key, 1, c->arena, &rows, err);
	if (rc == 0 && rows.n)
		*out = rows.v[0].cells[MIG_TRAIL_HEAD];
	sql_close(t);
	return rc;
}

/* What is to be written into a trail. */
struct note {
	const char *event;
	const struct snapshot_info *snapshot;
	struct slice domain;
	struct slice status;  /* of the migration; SLICE_NONE when it is not in the target */
	struct slice back_to; /* a commit whose tree is in force again, or SLICE_NONE */
	int is_gone;          /* the migration went away: nothing is in force */
};

static int commit_note(const struct cmd_context *c, struct audit *trail, const struct note *n, char id[AUDIT_ID_SIZE],
		       struct err *err)
{
	struct slice status = n->is_gone ? SLICE("not-started") : n->status;
	struct audit_trailer trailers[] = {
	    {"Snapshot", n->snapshot->path}, {"Snapshot-Made", n->snapshot->created}, {"Status", status}};
	struct audit_event e = {
	    .event = n->event,
	    .subject = arena_printf(c->arena, "%s %.*s", n->event, SLICE_ARG(n->snapshot->name)),
	    .trailers = trailers,
	    .n_trailers = status.ptr ? 3 : 2,
	    .time_us = clock_utc_us(),
	    .flags = n->is_gone ? AUDIT_CLEAR : 0,
	};
	if (n->back_to.ptr)
		e.back_to = arena_str(c->arena, n->back_to);
	int rc = audit_begin(trail, err);
	return rc ? rc : audit_commit(trail, &e, id, err);
}

static int note_in(const struct cmd_context *c, const struct note *n, struct err *err)
{
	char id[AUDIT_ID_SIZE];
	struct audit *trail = NULL;
	int rc = audit_open(&trail, c->state_dir, n->domain, 0, err);
	if (rc == 0)
		rc = commit_note(c, trail, n, id, err);
	audit_close(trail);
	return rc || !n->status.ptr ? rc : note_in_target(c, n->domain, id, err);
}

/* ---- whose trail it is ---- */

/* Of migrations of one name, in schemas beside each other, the one that the state directory knows; else the first. */
static const struct json *entry_of(const struct json *all, struct slice domain)
{
	const struct json *first = NULL;
	for (uint32_t i = 0; json_is(all, JSON_ARRAY) && i < all->count; i++) {
		const struct json *one = &all->items[i];
		if (!slice_eq(json_get_text(one, "domain"), domain))
			continue;
		if (json_get_text(one, "state").ptr)
			return one;
		first = first ? first : one;
	}
	return first;
}

/* Does the trail of this state directory hold that commit, or, for SLICE_NONE, anything of the domain? */
static int trail_knows(const struct cmd_context *c, struct slice domain, struct slice head, int *yes, struct err *err)
{
	struct audit *trail = NULL;
	struct audit_entry found;
	struct err why = ERR_INIT;
	int rc = audit_open(&trail, c->state_dir, domain, AUDIT_READ_ONLY, &why);
	if (rc == 0 && head.ptr)
		rc = audit_find(trail, head, c->arena, &found, &why);
	audit_close(trail);
	*yes = rc == 0;
	if (rc == 0 || rc == ERR_NOTFOUND)
		return 0;
	*err = why;
	return rc;
}

/*
 * A target may hold migrations of other state directories: their trails are there, and the target's word of where they
 * end is theirs. A trail that was lost is not begun anew either, so that it is noticed.
 */
static int note_if_ours(const struct cmd_context *c, struct note *n, struct err *err)
{
	struct slice head;
	int ours = 0;
	if (head_in_target(c, n->domain, &head, err) || trail_knows(c, n->domain, head, &ours, err))
		return err->code;
	if (!ours) {
		log_at(c->log, LOG_WARN,
		       "not noted in the audit trail of %.*s: what %s holds of it is not what the target names",
		       SLICE_ARG(n->domain), c->state_dir);
		return 0;
	}
	if (strcmp(n->event, "restore") == 0)
		n->back_to = head;
	return note_in(c, n, err);
}

static int note_each(const struct cmd_context *c, const struct json *all, struct note *n, struct err *err)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && json_is(all, JSON_ARRAY) && i < all->count; i++) {
		n->domain = json_get_text(&all->items[i], "domain");
		n->status = json_get_text(&all->items[i], "status");
		if (entry_of(all, n->domain) == &all->items[i])
			rc = note_if_ours(c, n, err);
	}
	return rc;
}

int snapshots_note(const struct cmd_context *c, const struct snapshot_info *s, struct slice domain, const char *event,
		   struct err *err)
{
	const struct json *all = json_gets(&s->manifest, "domains");
	struct note n = {.event = event, .snapshot = s};
	int rc = note_each(c, all, &n, err);
	n = (struct note){.event = event, .snapshot = s, .domain = domain};
	if (rc == 0 && domain.ptr && !entry_of(all, domain))
		rc = note_in(c, &n, err);
	return rc ? err_prefix(err, "the snapshot is done; noting it in the audit trail failed") : 0;
}

/* ---- a restore ---- */

int snapshots_note_restore(void *ctx, const struct snapshot_plan *p, struct err *err)
{
	const struct cmd_context *c = ctx;
	const struct json *all = json_gets(&p->snapshot.manifest, "domains");
	struct note n = {.event = "restore", .snapshot = &p->snapshot};
	int rc = note_each(c, all, &n, err), known = 0;
	n = (struct note){.event = "restore", .snapshot = &p->snapshot, .is_gone = 1};
	for (uint32_t i = 0; rc == 0 && i < p->domains.count; i++) {
		n.domain = json_text(&p->domains.items[i]);
		rc = trail_knows(c, n.domain, SLICE_NONE, &known, err);
		if (rc == 0 && known && !entry_of(all, n.domain))
			rc = note_in(c, &n, err);
	}
	return rc;
}
