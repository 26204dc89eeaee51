/* What XML 1.0 can carry, and the encoding of what it cannot (DESIGN decision 27, patch.h). */
#include "config.h"

#include "patch/patch_internal.h"

#include <libxml/tree.h>

/* U+FFFE or U+FFFF, or an unpaired surrogate, at s[i]: three bytes that are no XML character. */
static int is_uncarried_triple(struct slice s, size_t i)
{
	unsigned char x, y, z;
	if (i + 2 >= s.len)
		return 0;
	x = (unsigned char)s.ptr[i];
	y = (unsigned char)s.ptr[i + 1];
	z = (unsigned char)s.ptr[i + 2];
	return (x == 0xed && y >= 0xa0) || (x == 0xef && y == 0xbf && z >= 0xbe);
}

int patch_xml_carries(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			return 0;
		if (c >= 0xed && is_uncarried_triple(text, i))
			return 0;
	}
	return 1;
}

static int is_plain_name(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		int letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		int later = (c >= '0' && c <= '9') || c == '-' || c == '.';
		if (!letter && (i == 0 || !later))
			return 0;
	}
	return text.len > 0;
}

int patch_xml_is_name(struct slice text)
{
	struct arena a = ARENA_INIT;
	int is;
	if (is_plain_name(text))
		return 1;
	if (!patch_xml_carries(text) || memchr(text.ptr ? text.ptr : "", 0, text.len))
		return 0;
	is = xmlValidateNCName((const xmlChar *)arena_str(&a, text), 0) == 0;
	arena_release(&a);
	return is;
}

void patch_json_inside(struct slice text, struct buf *out)
{
	struct buf quoted = BUF_INIT(SIZE_MAX / 2);
	struct slice s;
	json_write_string(text, &quoted);
	s = (struct slice){quoted.ptr + 1, quoted.len - 2};
	for (size_t i = 0; i < s.len; i++) {
		if (is_uncarried_triple(s, i)) {
			buf_str(out, s.ptr[i + 2] & 1 ? "\\uffff" : "\\ufffe");
			i += 2;
		} else {
			buf_ch(out, s.ptr[i]);
		}
	}
	buf_release(&quoted);
}

int patch_json_outside(struct slice inside, struct arena *a, struct slice *text, struct err *err)
{
	char *quoted = arena_alloc(a, inside.len + 3);
	struct json v;
	int rc;
	quoted[0] = '"';
	if (inside.len)
		memcpy(quoted + 1, inside.ptr, inside.len);
	quoted[inside.len + 1] = '"';
	quoted[inside.len + 2] = 0;
	rc = json_read((struct slice){quoted, inside.len + 2}, a, 0, &v, NULL, err);
	if (rc)
		return err_prefix(err, "text marked as JSON");
	*text = json_text(&v);
	return 0;
}
