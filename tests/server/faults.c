/* faults.c: rules read from JSON, matched to requests, carried out where bytes leave. */
#include "config.h"

#include "tests/server/faults.h"

#include "base/number.h"
#include "tests/server/files.h"
#include "tests/server/store.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNTERS_MAX 1000
#define SCRIPT_MAX ((size_t)1 << 24)

static const struct {
	const char *name;
	enum fault_action action;
} actions[] = {
    {"drop", FAULT_DROP},   {"lose", FAULT_LOSE},     {"status", FAULT_STATUS},       {"cut", FAULT_CUT},
    {"stall", FAULT_STALL}, {"insert", FAULT_INSERT}, {"overwrite", FAULT_OVERWRITE}, {"slow", FAULT_SLOW},
};
#define ACTION_COUNT (sizeof(actions) / sizeof(*actions))

static void rule_release(struct rule *rule)
{
	if (rule->path)
		regfree(&rule->regex);
	free(rule->method);
	free(rule->prefix);
	free(rule->path);
	free((char *)rule->fault.bytes.ptr);
}

static int read_number(const struct json *rule, const char *key, int64_t otherwise, int64_t *out, struct err *err)
{
	const struct json *v = json_gets(rule, key);
	long long n;

	*out = otherwise;
	if (!v)
		return 0;
	if (!json_is(v, JSON_NUMBER) || !number_to_i64(v->text, &n) || n < 0)
		return err_set(err, ERR_USAGE, "rule: \"%s\" must be a whole number, not below 0", key);
	*out = n;
	return 0;
}

static char *read_string(const struct json *rule, const char *key)
{
	struct slice s = json_get_text(rule, key);

	return s.ptr ? (char *)xslice(s).ptr : NULL;
}

static int read_action(const struct json *json, struct rule *rule, struct err *err)
{
	struct slice name = json_get_text(json, "action");

	for (size_t i = 0; i < ACTION_COUNT; i++)
		if (slice_is(name, actions[i].name))
			rule->fault.action = actions[i].action;
	if (rule->fault.action == FAULT_NONE)
		return err_set(err, ERR_USAGE, "rule: unknown \"action\" \"%.*s\"", SLICE_ARG(name));
	return 0;
}

static int check_keys(const struct json *json, struct err *err)
{
	static const char *const known[] = {"method", "prefix", "path",   "nth",         "times", "action", "at",
					    "ms",     "bytes",  "status", "retry_after", "rate",  "comment"};

	for (uint32_t i = 0; i < json->count; i++) {
		size_t k = 0;

		while (k < sizeof(known) / sizeof(*known) && !slice_is(json->members[i].key, known[k]))
			k++;
		if (k == sizeof(known) / sizeof(*known))
			return err_set(err, ERR_USAGE, "rule: unknown key \"%.*s\"", SLICE_ARG(json->members[i].key));
	}
	return 0;
}

static int read_numbers(const struct json *json, struct rule *rule, struct err *err)
{
	int64_t nth, times, at, status;

	if (read_number(json, "nth", 1, &nth, err) || read_number(json, "times", 1, &times, err) ||
	    read_number(json, "at", 0, &at, err) || read_number(json, "status", 503, &status, err) ||
	    read_number(json, "ms", 0, &rule->fault.ms, err) || read_number(json, "rate", 1, &rule->fault.rate, err) ||
	    read_number(json, "retry_after", 0, &rule->fault.retry_after, err))
		return err->code;
	if (nth < 1 || status < 100 || status > 599 || rule->fault.rate < 1)
		return err_set(err, ERR_USAGE, "rule: \"nth\" and \"rate\" begin at 1, \"status\" is 100 to 599");
	rule->nth = (uint64_t)nth;
	rule->times = (uint64_t)times;
	rule->fault.at = (uint64_t)at;
	rule->fault.status = (int)status;
	return 0;
}

static int rule_read(const struct json *json, struct rule *rule, struct err *err)
{
	*rule = (struct rule){0};
	if (!json_is(json, JSON_OBJECT))
		return err_set(err, ERR_USAGE, "rule: must be an object");
	if (check_keys(json, err) || read_action(json, rule, err) || read_numbers(json, rule, err))
		return err->code;
	rule->method = read_string(json, "method");
	rule->prefix = read_string(json, "prefix");
	rule->fault.bytes = json_get_text(json, "bytes").ptr ? xslice(json_get_text(json, "bytes")) : SLICE_NONE;
	rule->path = read_string(json, "path");
	if (rule->path && regcomp(&rule->regex, rule->path, REG_EXTENDED | REG_NOSUB)) {
		free(rule->path);
		rule->path = NULL;
		return err_set(err, ERR_USAGE, "rule: \"path\" is no regular expression");
	}
	return 0;
}

int faults_add(struct faults *f, const struct json *rules, struct err *err)
{
	size_t before = f->rule_count;
	const struct json *list = json_gets(rules, "rules"), *at;
	uint32_t n;
	int rc = 0;

	if (!list)
		list = rules;
	n = json_is(list, JSON_ARRAY) ? list->count : 1;
	at = json_is(list, JSON_ARRAY) ? list->items : list;
	f->rules = xgrow(f->rules, (before + n) * sizeof(*f->rules));
	for (uint32_t i = 0; i < n && !rc; i++)
		rc = rule_read(&at[i], &f->rules[f->rule_count++], err);
	while (rc && f->rule_count > before)
		rule_release(&f->rules[--f->rule_count]);
	return rc;
}

int faults_load(struct faults *f, const char *path, struct err *err)
{
	struct buf text = BUF_INIT(SCRIPT_MAX);
	struct arena a = ARENA_INIT;
	struct json json;
	int rc = file_read(path, &text, err);

	if (!rc)
		rc = json_read(buf_slice(&text), &a, 0, &json, NULL, err);
	if (!rc)
		rc = faults_add(f, &json, err);
	if (rc)
		err_prefix(err, "%s", path);
	arena_release(&a);
	buf_release(&text);
	return rc;
}

void faults_clear(struct faults *f)
{
	for (size_t i = 0; i < f->rule_count; i++)
		rule_release(&f->rules[i]);
	free(f->rules);
	for (size_t i = 0; i < f->counter_count; i++)
		free(f->counters[i].what);
	free(f->counters);
	*f = (struct faults){0};
}

void faults_release(struct faults *f)
{
	faults_clear(f);
}

static int rule_matches(const struct rule *rule, struct slice method, const char *target)
{
	if (rule->method && !slice_is(method, rule->method))
		return 0;
	if (rule->prefix && !slice_starts(slice_of(target), slice_of(rule->prefix)))
		return 0;
	return !rule->path || regexec(&rule->regex, target, 0, NULL, 0) == 0;
}

struct fault faults_meet(struct faults *f, struct slice method, struct slice target)
{
	struct fault met = {0};
	struct slice text = xslice(target);

	for (size_t i = 0; i < f->rule_count; i++) {
		struct rule *rule = &f->rules[i];

		if (!rule_matches(rule, method, text.ptr))
			continue;
		rule->seen++;
		if (met.action || rule->seen < rule->nth || (rule->times && rule->fired >= rule->times))
			continue;
		rule->fired++;
		met = rule->fault;
		if (met.bytes.ptr)
			met.bytes = xslice(met.bytes);
	}
	free((char *)text.ptr);
	return met;
}

void fault_end(struct fault *fault)
{
	free((char *)fault->bytes.ptr);
	*fault = (struct fault){0};
}

static struct counter *counter_for(struct faults *f, const char *what)
{
	for (size_t i = 0; i < f->counter_count; i++)
		if (strcmp(f->counters[i].what, what) == 0)
			return &f->counters[i];
	if (f->counter_count == COUNTERS_MAX)
		return &f->counters[COUNTERS_MAX - 1];
	f->counters = xgrow(f->counters, (f->counter_count + 1) * sizeof(*f->counters));
	f->counters[f->counter_count] = (struct counter){.what = (char *)xslice(slice_of(what)).ptr};
	if (f->counter_count == COUNTERS_MAX - 1)
		memcpy(f->counters[f->counter_count].what, "*", 2);
	return &f->counters[f->counter_count++];
}

void faults_count(struct faults *f, struct slice method, struct slice path, uint64_t bytes)
{
	struct buf what = BUF_INIT(SCRIPT_MAX);
	struct counter *counter;

	buf_fmt(&what, "%.*s %.*s", SLICE_ARG(method), SLICE_ARG(path));
	if (what.len) {
		counter = counter_for(f, what.ptr);
		counter->requests++;
		counter->bytes += bytes;
	}
	buf_release(&what);
}

void faults_write(const struct faults *f, struct buf *out)
{
	buf_str(out, "{\"requests\":{");
	for (size_t i = 0; i < f->counter_count; i++) {
		buf_str(out, i ? "," : "");
		json_write_string(slice_of(f->counters[i].what), out);
		buf_fmt(out, ":{\"count\":%llu,\"bytes\":%llu}", (unsigned long long)f->counters[i].requests,
			(unsigned long long)f->counters[i].bytes);
	}
	buf_str(out, "},\"rules\":[");
	for (size_t i = 0; i < f->rule_count; i++) {
		const struct rule *rule = &f->rules[i];
		const char *name = "";

		for (size_t k = 0; k < ACTION_COUNT; k++)
			if (actions[k].action == rule->fault.action)
				name = actions[k].name;
		buf_fmt(out, "%s{\"action\":\"%s\",\"seen\":%llu,\"fired\":%llu}", i ? "," : "", name,
			(unsigned long long)rule->seen, (unsigned long long)rule->fired);
	}
	buf_str(out, "]}");
}

/* What stands before `at`, or everything once the fault is done with. */
static size_t up_to(const struct fault *fault, uint64_t body_sent)
{
	return fault->done || fault->at - body_sent > SIZE_MAX ? SIZE_MAX : (size_t)(fault->at - body_sent);
}

static void put_bytes_in(const struct fault *fault, struct buf *out, size_t at)
{
	if (!buf_room(out, fault->bytes.len))
		return;
	memmove(out->ptr + at + fault->bytes.len, out->ptr + at, out->len - at);
	memcpy(out->ptr + at, fault->bytes.ptr, fault->bytes.len);
	out->len += fault->bytes.len;
	out->ptr[out->len] = 0;
}

static void put_bytes_over(const struct fault *fault, struct buf *out, size_t at)
{
	size_t n = fault->bytes.len < out->len - at ? fault->bytes.len : out->len - at;

	memcpy(out->ptr + at, fault->bytes.ptr, n);
}

static size_t slowly(struct fault *fault, uint64_t body_sent, int64_t now, int64_t *wake)
{
	int64_t budget;

	if (!fault->since)
		fault->since = now;
	budget = (now - fault->since) / 1000 * fault->rate / 1000 - (int64_t)body_sent;
	if (budget > 0)
		return (size_t)budget;
	*wake = now + 1000000 / fault->rate + 1000;
	return 0;
}

static size_t stalled(struct fault *fault, int64_t now, int64_t *wake)
{
	if (!fault->since)
		fault->since = now;
	fault->done = now - fault->since >= fault->ms * 1000;
	if (fault->done)
		return SIZE_MAX;
	*wake = fault->since + fault->ms * 1000;
	return 0;
}

size_t fault_allows(struct fault *fault, uint64_t body_sent, int64_t now, struct buf *out, size_t at, int64_t *wake,
		    int *gone)
{
	if (fault->action < FAULT_CUT)
		return SIZE_MAX;
	if (fault->action == FAULT_SLOW)
		return slowly(fault, body_sent, now, wake);
	if (fault->done || body_sent < fault->at)
		return up_to(fault, body_sent);
	if (fault->action == FAULT_CUT) {
		*gone = 1;
		return 0;
	}
	if (fault->action == FAULT_STALL)
		return stalled(fault, now, wake);
	if (at == out->len)
		return SIZE_MAX;
	if (fault->action == FAULT_INSERT)
		put_bytes_in(fault, out, at);
	else
		put_bytes_over(fault, out, at);
	fault->done = 1;
	return SIZE_MAX;
}
