/*
 * faults: rules that make the stand-in misbehave on purpose, and counters of what it was asked. README.md describes the
 * rules. Threads: one.
 */
#ifndef SETTLE_TESTS_FAULTS_H
#define SETTLE_TESTS_FAULTS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

#include <regex.h>
#include <stdint.h>

enum fault_action {
	FAULT_NONE,
	FAULT_DROP,      /* close at once; the request is not carried out */
	FAULT_LOSE,      /* carry the request out, close without answering */
	FAULT_STATUS,    /* answer with this status; the request is not carried out */
	FAULT_CUT,       /* close after `at` bytes of the body */
	FAULT_STALL,     /* pause for `ms` at byte `at` of the body */
	FAULT_INSERT,    /* put `bytes` in at byte `at` of the body */
	FAULT_OVERWRITE, /* put `bytes` over what stands at byte `at` of the body */
	FAULT_SLOW,      /* `rate` bytes a second */
};

/* What happens to one answer. Positions count the bytes after the head, chunk framing included. */
struct fault {
	enum fault_action action;
	uint64_t at;
	int64_t ms, rate;
	int status;
	int64_t retry_after;
	struct slice bytes; /* owned by the heap */
	int64_t since;      /* when the pause or the slow answer began */
	int done;
};

struct rule {
	char *method, *prefix, *path; /* NULL: any */
	regex_t regex;                /* compiled from path */
	uint64_t nth, times;          /* times 0: for ever */
	uint64_t seen, fired;
	struct fault fault;
};

struct counter {
	char *what; /* "GET /db/_changes" */
	uint64_t requests, bytes;
};

struct faults {
	struct rule *rules;
	size_t rule_count;
	struct counter *counters;
	size_t counter_count;
};

/* Adds rules: one object, an array of them, or {"rules":[...]}. On an error none is added. */
MUST_CHECK int faults_add(struct faults *f, const struct json *rules, struct err *err);
MUST_CHECK int faults_load(struct faults *f, const char *path, struct err *err);
void faults_clear(struct faults *f);
/* The fault for this request (a copy; fault_end it), counted. */
struct fault faults_meet(struct faults *f, struct slice method, struct slice target);
void faults_count(struct faults *f, struct slice method, struct slice path, uint64_t bytes);
/* JSON: {"requests":{...},"rules":[...]} */
void faults_write(const struct faults *f, struct buf *out);
void faults_release(struct faults *f);

/*
 * How many bytes of the body at out->ptr + *at may leave now. 0 with *wake set: wait; 0 with *gone set: close. Inserted
 * and overwritten bytes are put into `out`.
 */
size_t fault_allows(struct fault *fault, uint64_t body_sent, int64_t now, struct buf *out, size_t at, int64_t *wake,
		    int *gone);
void fault_end(struct fault *fault);

#endif
