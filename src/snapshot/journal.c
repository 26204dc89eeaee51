#include "config.h"

#include "snapshot/restore.h"

#include <limits.h>
#include <stdlib.h>

/* ---- which target ---- */

static int target_words(const struct snapshot_env *env, struct arena *a, struct slice *out, struct err *err)
{
	const char *conninfo = NULL, *password = NULL;
	char real[PATH_MAX];
	if (env->target->scheme == URL_SQLITE) {
		*out = arena_printf(a, "sqlite:%s", realpath(env->target->path, real) ? real : env->target->path);
		return 0;
	}
	if (link_words(env->target, NULL, a, &conninfo, &password, err))
		return err->code;
	const char *host = getenv("PGHOST"), *port = getenv("PGPORT"), *database = getenv("PGDATABASE");
	*out = arena_printf(a, "%s %s %s %s", conninfo, host ? host : "", port ? port : "", database ? database : "");
	return 0;
}

static int find_path(const struct snapshot_env *env, struct arena *a, struct journal *j, struct err *err)
{
	char hex[SHA_HEX_SIZE];
	struct slice words;
	if (target_words(env, a, &words, err) || files_sha256_text(words, hex, err))
		return err->code;
	j->path = arena_printf(a, "%s/restore/%.16s.json", env->state_dir, hex).ptr;
	return 0;
}

/* ---- reading and writing ---- */

static struct json array_of(const struct json *v, const char *key)
{
	const struct json *one = json_gets(v, key);
	return json_is(one, JSON_ARRAY) ? *one : json_array();
}

int journal_read(const struct snapshot_env *env, struct arena *a, struct journal *j, struct err *err)
{
	struct slice text;
	struct json v;
	*j = (struct journal){.done = json_array(), .domains = json_array()};
	int rc = find_path(env, a, j, err);
	if (rc)
		return rc;
	rc = files_read(j->path, a, &text, err);
	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc == 0 && json_read(text, a, 0, &v, NULL, err)) {
		err->code = ERR_STATE;
		rc = err_prefix(err, "the journal of a restore %s", j->path);
	}
	if (rc)
		return rc;
	j->exists = 1;
	j->finished = json_is(json_gets(&v, "finished"), JSON_TRUE);
	j->snapshot = json_get_text(&v, "snapshot");
	j->sha256 = json_get_text(&v, "manifest_sha256");
	j->stamp = json_get_text(&v, "stamp");
	j->target = json_get_text(&v, "target");
	j->database = json_get_text(&v, "database");
	j->fresh = json_get_text(&v, "fresh");
	j->old = json_get_text(&v, "old");
	j->begun = json_get_text(&v, "begun");
	j->domains = array_of(&v, "domains");
	j->done = array_of(&v, "done");
	return 0;
}

int journal_write(struct journal *j, struct arena *a, struct err *err)
{
	struct json v = json_object();
	const char *slash = strrchr(j->path, '/');
	json_sets_text(a, &v, "snapshot", j->snapshot);
	json_sets_text(a, &v, "manifest_sha256", j->sha256);
	json_sets_text(a, &v, "stamp", j->stamp);
	json_sets_text(a, &v, "target", j->target);
	json_sets_text(a, &v, "database", j->database);
	json_sets_text(a, &v, "fresh", j->fresh);
	json_sets_text(a, &v, "old", j->old);
	json_sets_text(a, &v, "begun", j->begun);
	json_sets(a, &v, "domains", j->domains);
	json_sets(a, &v, "done", j->done);
	json_sets(a, &v, "finished", json_bool(j->finished));
	int rc = files_make_dir(arena_str(a, (struct slice){j->path, (size_t)(slash - j->path)}), err);
	if (rc == 0)
		rc = files_write(j->path, json_to_text(&v, JSON_PRETTY, a), err);
	j->exists = rc == 0;
	return rc;
}

int journal_has(const struct journal *j, const char *name)
{
	for (uint32_t i = 0; i < j->done.count; i++)
		if (slice_is(json_text(&j->done.items[i]), name))
			return 1;
	return 0;
}

void journal_forget(struct journal *j, const struct snapshot_plan *p, int from, struct arena *a)
{
	struct json kept = json_array();
	for (int i = 0; i < from; i++)
		if (journal_has(j, p->steps[i].name))
			json_push(a, &kept, json_str(p->steps[i].name));
	j->done = kept;
	j->begun = SLICE_NONE;
}

int snapshot_idle(const struct snapshot_env *env, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct journal j;
	int rc = journal_read(env, &a, &j, err);
	if (rc == 0 && j.exists && !j.finished && journal_has(&j, "swap")) {
		err_set(err, ERR_STATE, "a restore of this target has not come to its end");
		rc = err_hint(err, "`settle snapshot restore %.*s` goes on with it", SLICE_ARG(j.snapshot));
	}
	arena_release(&a);
	return rc;
}
