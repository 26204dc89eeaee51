/*
 * err: what went wrong, set once where it happens, enriched on the way up (err_prefix), logged only at a
 * boundary (command or worker). Functions return 0 or the code they set.
 *
 * Codes 2..6 are the exit codes of CLI.md. Codes from 16 are expected conditions that a caller handles;
 * one that reaches a boundary unhandled exits with 6.
 * Threads: one struct err belongs to one thread at a time.
 */
#ifndef SETTLE_BASE_ERR_H
#define SETTLE_BASE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

enum err_code {
	ERR_NONE = 0,
	ERR_USAGE = 2,    /* bad option, argument or input file named by the user */
	ERR_SOURCE = 3,   /* CouchDB or the recorded feed */
	ERR_TARGET = 4,   /* PostgreSQL, SQLite target */
	ERR_STATE = 5,    /* refused by status, lock, settings; state directory unusable */
	ERR_INTERNAL = 6, /* a defect of settle or of the machine */
	ERR_NOTFOUND = 16,
	ERR_LIMIT,   /* a cap was reached */
	ERR_SYNTAX,  /* text that is not what it should be; msg says where */
	ERR_STOPPED, /* the stop flag was seen: clean break */
	ERR_BUSY,    /* somebody else holds it */
};

struct err {
	enum err_code code;
	int native;        /* errno, HTTP status, sqlite extended code, CURLcode, byte offset (JSON); 0 if none */
	int retryable;     /* the same call may go through later (connection loss, 40001, 5xx, ...) */
	char sqlstate[6];  /* "" if none */
	char msg[1024];    /* one line, lower case, no full stop, never a secret */
	char hint[512];    /* the way out, or "" */
};

#define ERR_INIT {0}

/* Sets code and message, clearing everything else; returns code. err may be NULL. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* As err_set, with ": strerror(errno_value)" appended and native = errno_value. */
int err_sys(struct err *err, enum err_code code, int errno_value, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Puts "fmt: " before the message; returns err->code. */
int err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Sets the hint; returns err->code. */
int err_hint(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Exit code for a command that ended with this error: 2..6 as they are, ERR_BUSY is 5, anything else 6. */
int err_exit_code(const struct err *err);

#endif
