#include "config.h"

#include "base/log.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hide.h"
#include "base/json.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)64 << 10)
#define PROGRESS_EVERY_US 200000

struct log {
	pthread_mutex_t lock;
	FILE *out, *file;
	enum log_level level;
	enum log_format format;
	int progress_on;
	int64_t progress_at; /* when the status line was last drawn */
	struct buf progress; /* what stands there; empty: nothing */
};

static const char *const level_names[] = {"error", "warn", "info", "detail", "debug", "sql", "state", "trace"};

int log_level_parse(const char *name, enum log_level *out)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return -1;
}

struct log *log_new(FILE *out, enum log_level level, enum log_format format)
{
	struct log *log = calloc(1, sizeof(*log));
	if (!log) {
		fputs("settle: out of memory (log)\n", stderr);
		exit(6);
	}
	log->out = out;
	log->level = level;
	log->format = format;
	log->progress = (struct buf)BUF_INIT(4096);
	pthread_mutex_init(&log->lock, NULL);
	return log;
}

void log_free(struct log *log)
{
	if (!log)
		return;
	log_progress(log, "");
	if (log->file)
		fclose(log->file);
	buf_release(&log->progress);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

int log_also_to(struct log *log, const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "a") : NULL;
	if (!file) {
		int why = errno;
		if (fd >= 0)
			close(fd);
		err_sys(err, ERR_STATE, why, "cannot open log file %s", path);
		return err_hint(err, "make its directory writable, or name another --state-dir");
	}
	pthread_mutex_lock(&log->lock);
	if (log->file)
		fclose(log->file);
	log->file = file;
	pthread_mutex_unlock(&log->lock);
	return 0;
}

/* Bytes of the control character at i, those of C1 (U+0080 to U+009F) included: some terminals obey them. 0: none. */
static size_t control_at(struct slice text, size_t i)
{
	unsigned char c = (unsigned char)text.ptr[i];
	if (c == 0xc2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xa0)
		return 2;
	return c < 0x20 || c == 0x7f;
}

/* Terminals and line readers get neither control characters nor broken UTF-8, whatever an id holds. */
static void add_clean(struct buf *out, struct slice text)
{
	while (text.len) {
		size_t good = utf8_bad_at(text);
		for (size_t i = 0, control; i < good; i += control ? control : 1) {
			control = control_at(text, i);
			buf_ch(out, control ? ' ' : text.ptr[i]);
		}
		if (good == text.len)
			return;
		buf_str(out, "\xef\xbf\xbd");
		text.ptr += good + 1;
		text.len -= good + 1;
	}
}

static void add_json_member(struct buf *line, const char *key, struct slice text)
{
	struct buf clean = BUF_INIT(LINE_MAX_BYTES);
	add_clean(&clean, text);
	buf_fmt(line, "%s\"%s\":", line->len ? "," : "{", key);
	json_write_string(buf_slice(&clean), line);
	buf_release(&clean);
}

static void add_line(struct buf *line, enum log_format format, enum log_level level, struct slice msg,
		     struct slice hint)
{
	char now[CLOCK_TEXT_SIZE];
	clock_utc_text(now);
	if (format == LOG_JSON) {
		add_json_member(line, "time", slice_of(now));
		add_json_member(line, "level", slice_of(level_names[level]));
		add_json_member(line, "msg", msg);
		if (hint.len)
			add_json_member(line, "hint", hint);
		buf_ch(line, '}');
	} else {
		buf_fmt(line, "%.19sZ %s: ", now, level_names[level]);
		add_clean(line, msg);
		if (hint.len) {
			buf_str(line, "\nhint: ");
			add_clean(line, hint);
		}
	}
	buf_ch(line, '\n');
}

static int to_stream(FILE *stream, struct slice bytes)
{
	size_t n = fwrite(bytes.ptr, 1, bytes.len, stream);
	return n == bytes.len && fflush(stream) == 0 ? 0 : -1;
}

/* The status line, cut to the width of the terminal so that it can be wiped. Caller holds the lock. */
static void draw_progress(struct log *log)
{
	struct winsize size = {0};
	int fd = fileno(log->out);
	size_t width = fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 79;
	struct slice text = buf_slice(&log->progress);
	size_t end = 0;
	for (size_t columns = 0; end < text.len; end++) {
		columns += ((unsigned char)text.ptr[end] & 0xc0) != 0x80;
		if (columns > width)
			break;
	}
	fputc('\r', log->out);
	fwrite(text.ptr, 1, end, log->out);
	fputs("\033[K", log->out);
	fflush(log->out);
}

static void write_line(struct log *log, struct slice line)
{
	pthread_mutex_lock(&log->lock);
	if (log->progress.len)
		fputs("\r\033[K", log->out);
	to_stream(log->out, line);
	if (log->file && to_stream(log->file, line) != 0) {
		fprintf(log->out, "settle: the log file takes no more: %s\n", strerror(errno));
		fclose(log->file);
		log->file = NULL;
	}
	if (log->progress.len)
		draw_progress(log);
	pthread_mutex_unlock(&log->lock);
}

static void log_text(struct log *log, enum log_level level, const char *msg, const char *hint)
{
	struct buf line = BUF_INIT(4 * LINE_MAX_BYTES), shown_msg = BUF_INIT(LINE_MAX_BYTES),
		   shown_hint = BUF_INIT(LINE_MAX_BYTES);
	hide_passwords(slice_of(msg), &shown_msg);
	hide_passwords(slice_of(hint), &shown_hint);
	add_line(&line, log->format, level, buf_slice(&shown_msg), buf_slice(&shown_hint));
	write_line(log, buf_slice(&line));
	buf_release(&shown_msg);
	buf_release(&shown_hint);
	buf_release(&line);
}

void log_at(struct log *log, enum log_level level, const char *fmt, ...)
{
	if (!log || level > log->level)
		return;
	char msg[LINE_MAX_BYTES / 16];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(msg)) {
		size_t cut = sizeof(msg) - sizeof("...");
		while (cut && ((unsigned char)msg[cut] & 0xc0) == 0x80)
			cut--;
		memcpy(msg + cut, "...", sizeof("..."));
	}
	log_text(log, level, n < 0 ? fmt : msg, "");
}

void log_err(struct log *log, enum log_level level, const struct err *err)
{
	if (!log || level > log->level)
		return;
	log_text(log, level, err->msg, err->hint);
}

void log_progress_enable(struct log *log)
{
	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	log->progress_on = 1;
	pthread_mutex_unlock(&log->lock);
}

void log_progress(struct log *log, const char *text)
{
	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	int64_t now = clock_mono_us();
	int wipe = !text[0] && log->progress.len;
	int draw = text[0] && (!log->progress.len || now - log->progress_at >= PROGRESS_EVERY_US);
	if (log->progress_on && (wipe || draw)) {
		buf_clear(&log->progress);
		add_clean(&log->progress, slice_of(text));
		draw_progress(log);
		log->progress_at = now;
	}
	pthread_mutex_unlock(&log->lock);
}
