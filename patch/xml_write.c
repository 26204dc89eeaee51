/* Form JSON -> XML. */
#include "config.h"

#include "patch/patch_internal.h"

#define DEPTH_MAX 200

struct writer {
	struct buf *out;
	struct err *err;
	int depth;
};

static void put_text(struct writer *w, struct slice text, int in_attribute)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '&')
			buf_str(w->out, "&amp;");
		else if (c == '<')
			buf_str(w->out, "&lt;");
		else if (c == '>')
			buf_str(w->out, "&gt;");
		else if (c == '"' && in_attribute)
			buf_str(w->out, "&quot;");
		else if (c == '\r' || (in_attribute && (c == '\n' || c == '\t')))
			buf_fmt(w->out, "&#%d;", c);
		else
			buf_ch(w->out, c);
	}
}

static void put_inside(struct writer *w, struct slice text, int in_attribute)
{
	struct buf inside = BUF_INIT(SIZE_MAX / 2);
	patch_json_inside(text, &inside);
	put_text(w, buf_slice(&inside), in_attribute);
	buf_release(&inside);
}

static int put_attribute(struct writer *w, struct slice name, struct slice text)
{
	if (!patch_xml_is_name(name))
		return err_set(w->err, ERR_SYNTAX, "%.*s is no name of an attribute",
			       (int)(name.len < 80 ? name.len : 80), name.ptr);
	int carried = patch_xml_carries(text);
	buf_str(w->out, carried ? " " : " j:");
	buf_adds(w->out, name);
	buf_str(w->out, "=\"");
	if (carried)
		put_text(w, text, 1);
	else
		put_inside(w, text, 1);
	buf_ch(w->out, '"');
	return 0;
}

static int is_special(struct slice key)
{
	return key.len && (key.ptr[0] == '@' || key.ptr[0] == '#');
}

static int put_attributes(struct writer *w, const struct json *v)
{
	for (uint32_t i = 0; v->type == JSON_OBJECT && i < v->count; i++) {
		struct slice key = v->members[i].key, text = json_text(&v->members[i].value);
		if (key.len < 2 || key.ptr[0] != '@')
			continue;
		if (!text.ptr)
			return err_set(w->err, ERR_SYNTAX, "attribute %.*s is no text", SLICE_ARG(key));
		int rc = put_attribute(w, (struct slice){key.ptr + 1, key.len - 1}, text);
		if (rc)
			return rc;
	}
	return 0;
}

static void indent(struct writer *w)
{
	buf_ch(w->out, '\n');
	for (int i = 0; i < w->depth; i++)
		buf_str(w->out, "  ");
}

static int put_element(struct writer *w, struct slice name, const struct json *v);

static int put_children(struct writer *w, const struct json *v, int *any)
{
	int rc = 0;
	*any = 0;
	for (uint32_t i = 0; v->type == JSON_OBJECT && i < v->count && rc == 0; i++) {
		const struct json_member *m = &v->members[i];
		const struct json *items = m->value.type == JSON_ARRAY ? m->value.items : &m->value;
		uint32_t n = m->value.type == JSON_ARRAY ? m->value.count : 1;
		if (is_special(m->key))
			continue;
		for (uint32_t k = 0; k < n && rc == 0; k++)
			rc = put_element(w, m->key, &items[k]);
		*any |= n > 0;
	}
	return rc;
}

static void put_name(struct writer *w, struct slice name)
{
	if (patch_xml_is_name(name))
		buf_adds(w->out, name);
	else
		buf_str(w->out, "j:e");
}

static void open_tag(struct writer *w, struct slice name)
{
	buf_ch(w->out, '<');
	put_name(w, name);
	if (patch_xml_is_name(name))
		return;
	buf_str(w->out, " j:name=\"");
	put_inside(w, name, 1);
	buf_ch(w->out, '"');
}

static int put_content(struct writer *w, const struct json *v, struct slice text)
{
	int any = 0, carried = patch_xml_carries(text), rc = 0;
	if (!carried)
		buf_str(w->out, " j:text=\"json\"");
	buf_ch(w->out, '>');
	w->depth++;
	rc = put_children(w, v, &any);
	w->depth--;
	if (carried)
		put_text(w, text, 0);
	else
		put_inside(w, text, 0);
	if (any)
		indent(w);
	return rc;
}

static int put_element(struct writer *w, struct slice name, const struct json *v)
{
	struct slice text = v->type == JSON_STRING ? v->text : json_get_text(v, "#text");
	int rc;
	if (v->type != JSON_STRING && v->type != JSON_OBJECT)
		return err_set(w->err, ERR_SYNTAX, "element %.*s is %s, which a form cannot hold",
			       (int)(name.len < 80 ? name.len : 80), name.ptr, json_type_name(v));
	if (w->depth > DEPTH_MAX)
		return err_set(w->err, ERR_LIMIT, "the form is nested deeper than %d elements", DEPTH_MAX);
	indent(w);
	open_tag(w, name);
	rc = put_attributes(w, v);
	if (rc == 0)
		rc = put_content(w, v, text);
	buf_str(w->out, "</");
	put_name(w, name);
	buf_ch(w->out, '>');
	return rc;
}

int patch_xml_write(const struct json *body, struct buf *out, struct err *err)
{
	struct writer w = {.out = out, .err = err};
	struct slice name = json_get_text(body, "#type");
	int any = 0, rc;
	if (!patch_xml_is_name(name))
		return err_set(err, ERR_SYNTAX, "the form's #type is no name of an element");
	buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
	buf_adds(out, name);
	buf_str(out, " xmlns:j=\"" PATCH_JSON_XMLNS "\"");
	rc = put_attributes(&w, body);
	if (rc)
		return rc;
	buf_ch(out, '>');
	w.depth = 1;
	rc = put_children(&w, body, &any);
	if (rc)
		return rc;
	buf_str(out, "\n</");
	buf_adds(out, name);
	buf_str(out, ">\n");
	return buf_check(out, "the patch form", err);
}
