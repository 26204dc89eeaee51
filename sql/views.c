/* The statement that makes a view; the drivers know how a value is taken out of a document and cast. */
#include "config.h"

#include "base/hex.h"
#include "sql/sql_internal.h"
#include "sql/views.h"

#include <stdio.h>

static void add_name(struct buf *b, struct slice name)
{
	struct arena a = ARENA_INIT;

	buf_adds(b, sql_quote_ident(name, &a));
	arena_release(&a);
}

void sql_add_literal(struct buf *b, struct slice text)
{
	buf_ch(b, '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\'')
			buf_ch(b, '\'');
		buf_ch(b, text.ptr[i]);
	}
	buf_ch(b, '\'');
}

static void add_select(struct buf *b, const struct sql_target *t, const struct sql_view *v)
{
	buf_str(b, "SELECT \"domain\", \"doc_id\"");
	for (size_t i = 0; i < v->ncolumns; i++) {
		buf_str(b, ", ");
		t->driver->add_view_value(b, &v->columns[i]);
		buf_str(b, " AS ");
		add_name(b, v->columns[i].name);
	}
	buf_str(b, " FROM ");
	sql_add_table(b, &t->names, sql_documents.name);
	buf_str(b, t->driver->view_where);
	t->driver->add_view_text(b, v->name);
}

int sql_view_taken(struct err *err)
{
	err_set(err, ERR_TARGET, "something that settle did not make has this name in the target");
	return err_hint(err, "rename it, or give settle a schema or file of its own");
}

static int put_view(struct sql_target *t, const struct sql_view *v, struct err *err)
{
	struct buf select = BUF_INIT(SQL_TEXT_MAX);
	struct arena a = ARENA_INIT;
	int rc;

	add_select(&select, t, v);
	rc = buf_check(&select, "a view's statement", err);
	if (rc == 0)
		rc = t->driver->put_view(t, v->name, buf_slice(&select), hex_sha256(buf_slice(&select), &a).ptr, err);
	arena_release(&a);
	buf_release(&select);
	return rc ? err_prefix(err, "view %.*s", SLICE_ARG(v->name)) : 0;
}

int sql_views_put(struct sql_target *t, const struct sql_view *views, size_t n, struct err *err)
{
	int rc = n ? sql_begin(t, err) : 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = put_view(t, &views[i], err);
	if (n && rc == 0)
		t->wrote = 1;
	if (n && rc == 0)
		rc = sql_commit(t, err);
	if (n && rc)
		sql_rollback(t);
	return rc;
}
