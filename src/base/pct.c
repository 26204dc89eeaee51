#include "config.h"

#include "base/pct.h"

/* RFC 3986 unreserved characters but '.' and '~', on which the two encodings differ. */
static int is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static void add_encoded(struct buf *out, char c)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char byte = (unsigned char)c;
	char text[3] = {'%', hex[byte >> 4], hex[byte & 15]};
	buf_add(out, text, sizeof(text));
}

void pct_file_name(struct slice id, struct buf *out)
{
	if (id.len == 0)
		buf_ch(out, '%');
	for (size_t i = 0; i < id.len; i++) {
		if (is_plain(id.ptr[i]) || (id.ptr[i] == '.' && i > 0))
			buf_ch(out, id.ptr[i]);
		else
			add_encoded(out, id.ptr[i]);
	}
}

void pct_url(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_plain(text.ptr[i]) || text.ptr[i] == '.' || text.ptr[i] == '~')
			buf_ch(out, text.ptr[i]);
		else
			add_encoded(out, text.ptr[i]);
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int pct_decode(struct slice text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '%') {
			buf_ch(out, text.ptr[i]);
			continue;
		}
		int high = text.len - i > 2 ? hex_value(text.ptr[i + 1]) : -1;
		int low = text.len - i > 2 ? hex_value(text.ptr[i + 2]) : -1;
		if (high < 0 || low < 0)
			return -1;
		buf_ch(out, (char)(high << 4 | low));
		i += 2;
	}
	return 0;
}
