#include "config.h"

#include "cmd/snapshots.h"

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

struct slice snapshots_dir_words(const struct cmd_context *c, const char *dir)
{
	return dir ? arena_printf(c->arena, " --dir %s", dir) : SLICE("");
}
