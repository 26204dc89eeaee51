#include "config.h"

#include "cmd/print.h"

#include "base/utf8.h"

#define SHORT_PAIR 60 /* characters of "old -> new" on one line */

void print_color(const struct cmd_context *c, enum print_color color)
{
	static const char *const codes[] = {"0", "31", "32", "2", "1"};
	if (c->color)
		fprintf(c->out, "\033[%sm", codes[color]);
}

/* C0, DEL, and C1, which is two bytes in UTF-8 and means commands to a terminal too. How many bytes it has, 0 = none.
 */
static size_t control_at(struct slice text, size_t i)
{
	unsigned char ch = (unsigned char)text.ptr[i];
	if (ch < 0x20 || ch == 0x7f)
		return 1;
	return ch == 0xc2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xa0 ? 2 : 0;
}

void print_text_to(FILE *out, struct slice text)
{
	while (text.len) {
		size_t n = 0, good = utf8_bad_at(text);
		while (n < good && !control_at(text, n))
			n++;
		fwrite(text.ptr, 1, n, out);
		if (n < text.len) {
			size_t control = n < good ? control_at(text, n) : 0;
			fputs("\xef\xbf\xbd", out);
			n += control ? control : 1;
		}
		text.ptr += n;
		text.len -= n;
	}
}

void print_text(const struct cmd_context *c, struct slice text)
{
	print_text_to(c->out, text);
}

void print_lines(const struct cmd_context *c, struct slice text)
{
	while (text.len) {
		const char *nl = memchr(text.ptr, '\n', text.len);
		size_t n = nl ? (size_t)(nl - text.ptr) : text.len, taken = n + (nl != NULL);
		print_text(c, (struct slice){text.ptr, n});
		if (nl)
			fputc('\n', c->out);
		text = (struct slice){text.ptr + taken, text.len - taken};
	}
}

void print_kind(const struct cmd_context *c, struct slice kind)
{
	print_text(c, kind.len ? kind : SLICE("(unknown)"));
}

void print_json_text(const struct cmd_context *c, struct slice json)
{
	while (json.len) {
		size_t n = 0;
		while (n < json.len && !control_at(json, n))
			n++;
		fwrite(json.ptr, 1, n, c->out);
		if (n < json.len) {
			size_t control = control_at(json, n);
			fprintf(c->out, "\\u%04x", (unsigned char)json.ptr[n + control - 1]);
			n += control;
		}
		json.ptr += n;
		json.len -= n;
	}
}

void print_json(const struct cmd_context *c, const struct json *v, enum json_style style)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);
	json_write(v, style, &b);
	fwrite(b.ptr, 1, b.len, c->out);
	buf_release(&b);
}

void print_json_line(const struct cmd_context *c, const struct json *v)
{
	print_json(c, v, JSON_PLAIN);
	fputc('\n', c->out);
}

int print_go_on(const struct cmd_context *c, struct err *err)
{
	if (ferror(c->out) || atomic_load(c->stop))
		return err_set(err, ERR_STOPPED, "stopped before the end");
	return 0;
}

int print_ended(const struct cmd_context *c, int rc)
{
	return rc == ERR_STOPPED && ferror(c->out) ? 0 : rc;
}

/* ---- differences ---- */

static void put_path(const struct diff *d, struct buf *out)
{
	buf_ch(out, '[');
	for (uint32_t i = 0; i < d->npath; i++) {
		buf_str(out, i ? ", " : "");
		if (d->path[i].is_position)
			buf_u64(out, d->path[i].position);
		else
			json_write_string(d->path[i].key, out);
	}
	buf_ch(out, ']');
}

static void put_side(const struct json *v, struct buf *out)
{
	if (v)
		json_write(v, JSON_PLAIN, out);
	else
		buf_str(out, "(absent)");
}

static size_t characters(const struct buf *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->len; i++)
		n += ((unsigned char)b->ptr[i] & 0xc0) != 0x80;
	return n;
}

static void print_side(const struct cmd_context *c, const char *lead, enum print_color color, const struct buf *text)
{
	print_color(c, color);
	fputs(lead, c->out);
	print_json_text(c, buf_slice(text));
	print_color(c, PRINT_PLAIN);
}

static void print_diff(const struct cmd_context *c, const struct diff *d)
{
	struct buf path = BUF_INIT(SIZE_MAX / 2), old = BUF_INIT(SIZE_MAX / 2), new = BUF_INIT(SIZE_MAX / 2);
	put_path(d, &path);
	put_side(d->old_value, &old);
	put_side(d->new_value, &new);
	fprintf(c->out, "  %s ", diff_type_name(d->type));
	print_json_text(c, buf_slice(&path));
	if (characters(&old) + characters(&new) + strlen(" -> ") > SHORT_PAIR) {
		print_side(c, "\n    - ", PRINT_RED, &old);
		print_side(c, "\n    + ", PRINT_GREEN, &new);
	} else {
		print_side(c, " ", PRINT_RED, &old);
		print_side(c, " -> ", PRINT_GREEN, &new);
	}
	fputc('\n', c->out);
	buf_release(&path);
	buf_release(&old);
	buf_release(&new);
}

static void print_heading(const struct cmd_context *c, struct slice kind, struct slice id, struct slice reason)
{
	print_color(c, PRINT_BOLD);
	print_kind(c, kind);
	fputc(' ', c->out);
	print_text(c, id);
	print_color(c, PRINT_PLAIN);
	if (reason.len) {
		fputc(' ', c->out);
		print_text(c, reason);
	}
	fputc('\n', c->out);
}

void print_diffs(const struct cmd_context *c, struct slice kind, struct slice id, const struct diff_list *diffs)
{
	for (size_t i = 0; i < diffs->n; i++) {
		if (i == 0 || !slice_eq(diffs->v[i].reason, diffs->v[i - 1].reason))
			print_heading(c, kind, id, diffs->v[i].reason);
		print_diff(c, &diffs->v[i]);
	}
}

int read_item(const struct state_item *item, struct arena *a, struct json *v, struct diff_list *list, struct err *err)
{
	if (json_read(item->json, a, 0, v, NULL, err) || diff_list_from_json(v, a, list, err)) {
		err->code = ERR_STATE;
		return err_prefix(err, "stored differences of %.*s", SLICE_ARG(item->id));
	}
	return 0;
}

int print_item(const struct cmd_context *c, const struct state_item *item, struct arena *a, struct err *err)
{
	struct diff_list list = {0};
	struct json diffs, v = json_object();
	if (read_item(item, a, &diffs, &list, err))
		return err->code;
	if (c->global->format == FORMAT_TEXT) {
		print_diffs(c, item->kind, item->id, &list);
		return 0;
	}
	json_sets(a, &v, "kind", json_string(item->kind));
	json_sets(a, &v, "id", json_string(item->id));
	json_sets(a, &v, "diffs", diff_list_to_json(&list, a));
	print_json_line(c, &v);
	return 0;
}
