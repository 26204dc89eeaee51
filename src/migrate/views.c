#include "migrate/views.h"

#include "sql/views.h"

static const enum sql_view_type types[] = {
    [PROFILE_TEXT] = SQL_VIEW_TEXT,
    [PROFILE_INTEGER] = SQL_VIEW_INTEGER,
    [PROFILE_NUMBER] = SQL_VIEW_NUMBER,
    [PROFILE_BOOLEAN] = SQL_VIEW_BOOLEAN,
    [PROFILE_DATE] = SQL_VIEW_DATE,
    [PROFILE_TIMESTAMP] = SQL_VIEW_TIMESTAMP,
    [PROFILE_JSON] = SQL_VIEW_JSON,
};

static struct sql_view_column column_of(const struct profile_column *c, struct arena *a)
{
	struct sql_view_step *path = ARENA_ARRAY(a, c->npath, struct sql_view_step);

	for (size_t i = 0; i < c->npath; i++)
		path[i] = (struct sql_view_step){c->path[i].key, c->path[i].is_position, c->path[i].position};
	return (struct sql_view_column){.name = c->name, .type = types[c->type], .path = path, .npath = c->npath};
}

int run_make_views(struct run *r, struct err *err)
{
	const struct profile *p = r->profile;
	struct sql_view *views = ARENA_ARRAY(&r->arena, p->n_views + 1, struct sql_view);

	for (size_t i = 0; i < p->n_views; i++) {
		const struct profile_view *v = &p->views[i];
		struct sql_view_column *columns = ARENA_ARRAY(&r->arena, v->n_columns, struct sql_view_column);

		for (size_t k = 0; k < v->n_columns; k++)
			columns[k] = column_of(&v->columns[k], &r->arena);
		views[i] = (struct sql_view){.name = v->doc_type, .columns = columns, .ncolumns = v->n_columns};
	}
	return sql_views_put(r->targets[0], views, p->n_views, err);
}
