#include "config.h"

#include "cmd/csv.h"

static int needs_quotes(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (strchr("\",\r\n", s.ptr[i]))
			return 1;
	return s.len && (s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' ');
}

static void put_field(struct buf *out, struct slice s, char after)
{
	if (needs_quotes(s)) {
		buf_ch(out, '"');
		for (size_t i = 0; i < s.len; i++) {
			if (s.ptr[i] == '"')
				buf_ch(out, '"');
			buf_ch(out, s.ptr[i]);
		}
		buf_ch(out, '"');
	} else {
		buf_adds(out, s);
	}
	buf_ch(out, after);
}

static void put_path(struct buf *out, const struct diff *d)
{
	struct buf path = BUF_INIT(SIZE_MAX / 2);
	for (uint32_t i = 0; i < d->npath; i++) {
		buf_str(&path, i ? "/" : "");
		if (d->path[i].is_position)
			buf_u64(&path, d->path[i].position);
		else
			buf_adds(&path, d->path[i].key);
	}
	put_field(out, buf_slice(&path), ',');
	buf_release(&path);
}

static void put_value(struct buf *out, const struct json *v)
{
	struct buf text = BUF_INIT(SIZE_MAX / 2);
	if (v)
		json_write(v, JSON_PLAIN, &text);
	put_field(out, buf_slice(&text), ',');
	buf_release(&text);
}

void csv_head(const struct cmd_context *c)
{
	fputs("doc_type,doc_id,user_id,server_date,diff_type,path,old_value,new_value,reason\n", c->out);
}

void csv_diff(const struct cmd_context *c, const struct csv_doc *doc, const struct diff *d, struct slice reason)
{
	struct buf line = BUF_INIT(SIZE_MAX / 2);
	put_field(&line, doc->kind, ',');
	put_field(&line, doc->id, ',');
	put_field(&line, doc->user_id, ',');
	put_field(&line, doc->server_date, ',');
	put_field(&line, slice_of(diff_type_name(d->type)), ',');
	put_path(&line, d);
	put_value(&line, d->old_value);
	put_value(&line, d->new_value);
	put_field(&line, reason, '\n');
	fwrite(line.ptr, 1, line.len, c->out);
	buf_release(&line);
}
