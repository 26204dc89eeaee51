/*
 * log: one line per event to a stream (stderr), for people (text) or programs (one JSON object a line).
 * Only boundaries log errors. The progress line is wiped before a log line is written, and drawn again.
 * URLs are shown as url.shown (base/url.h) only. Messages: lower case, one line, `key=value` pairs last.
 * Threads: safe (one mutex per log).
 */
#ifndef SETTLE_BASE_LOG_H
#define SETTLE_BASE_LOG_H

#include "base/err.h"

#include <stdio.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DETAIL, LOG_DEBUG, LOG_SQL, LOG_STATE, LOG_TRACE };
enum log_format { LOG_TEXT, LOG_JSON };

struct log; /* opaque */

/* Writes to `out` (borrowed, not closed); NULL on lack of memory never happens (the process ends). */
struct log *log_new(FILE *out, enum log_level level, enum log_format format);
void log_free(struct log *log);
/* Also appends every line to this file (0600, made if needed); borrowed path. */
MUST_CHECK int log_also_to(struct log *log, const char *path, struct err *err);

void log_at(struct log *log, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "msg" and, if there is one, a second line "hint: ..." (in JSON a field). log may be NULL: nothing is written. */
void log_err(struct log *log, enum log_level level, const struct err *err);
int log_level_parse(const char *name, enum log_level *out); /* 0 or -1 */

/*
 * Progress: a status line redrawn in place, at most five times a second, only when enabled (a terminal).
 * text is borrowed. An empty text wipes it.
 */
void log_progress_enable(struct log *log);
void log_progress(struct log *log, const char *text);

#endif
