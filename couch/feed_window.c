#include "couch/couch_internal.h"

void window_init(struct feed_window *w, struct feed_input *in, size_t max_value)
{
	*w = (struct feed_window){.in = in, .line_start = 1};
	w->bytes = (struct buf)BUF_INIT(max_value + 4 * WINDOW_CHUNK);
	buf_room(&w->bytes, WINDOW_CHUNK);
}

void window_release(struct feed_window *w)
{
	buf_release(&w->bytes);
}

void window_take(struct feed_window *w, size_t n)
{
	if (!n)
		return;
	w->start += n;
	w->offset += n;
	w->line_start = 0;
}

int window_more(struct feed_window *w, struct err *err)
{
	size_t got = 0;
	if (w->ended)
		return 0;
	buf_consume(&w->bytes, w->start);
	w->start = 0;
	char *room = buf_room(&w->bytes, WINDOW_CHUNK);
	if (!room)
		return buf_check(&w->bytes, "feed window", err);
	int rc = w->in->read(w->in, room, WINDOW_CHUNK, &got, err);
	if (rc)
		return rc;
	w->bytes.len += got;
	w->bytes.ptr[w->bytes.len] = '\0';
	w->ended = got == 0;
	return 0;
}

/* Takes the white space that is there. A line feed with nothing before it on its line is a blank line: a heartbeat. */
static void take_blanks(struct feed_window *w)
{
	struct slice rest = window_rest(w);
	int line_start = w->line_start;
	size_t n = 0;
	for (; n < rest.len; n++) {
		char c = rest.ptr[n];
		if (c == '\n') {
			w->blank_lines += line_start;
			line_start = 1;
		} else if (c != ' ' && c != '\t' && c != '\r') {
			break;
		}
	}
	window_take(w, n);
	w->line_start = line_start;
}

static int skip(struct feed_window *w, int beats, int *c, struct err *err)
{
	for (;;) {
		take_blanks(w);
		struct slice rest = window_rest(w);
		if (rest.len) {
			w->blank_lines = 0;
			*c = (unsigned char)rest.ptr[0];
			return 0;
		}
		if (w->ended) {
			*c = WINDOW_END;
			return 0;
		}
		if (beats && w->blank_lines) {
			w->blank_lines = 0;
			*c = WINDOW_BEAT;
			return 0;
		}
		int rc = window_more(w, err);
		if (rc)
			return rc;
	}
}

int window_skip(struct feed_window *w, int *c, struct err *err)
{
	return skip(w, 0, c, err);
}

int window_skip_or_beat(struct feed_window *w, int *c, struct err *err)
{
	return skip(w, w->in->beats, c, err);
}

int window_value(struct feed_window *w, struct json_scan *scan, size_t max, size_t *len, int *whole, struct err *err)
{
	*len = 0;
	*whole = 0;
	for (;;) {
		struct slice rest = window_rest(w);
		int done = 0;
		*len += json_scan_value(scan, rest.ptr + *len, rest.len - *len, &done);
		if (*len > max)
			return 0;
		if (done) {
			*whole = 1;
			return 0;
		}
		int rc = window_more(w, err);
		if (rc || w->ended)
			return rc;
	}
}
