#include "replay/replay.h"

#include "base/datetime.h"

#include <limits.h>

struct clock_part { /* "hh:mm:ss" and what follows it, put into the strict form */
	char text[DATETIME_TEXT_SIZE];
	int64_t offset_us;
};

static int digits(struct slice s, size_t at, size_t n)
{
	if (at + n > s.len)
		return 0;
	for (size_t i = at; i < at + n; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return 0;
	return 1;
}

static int two(struct slice s, size_t at)
{
	return (s.ptr[at] - '0') * 10 + (s.ptr[at + 1] - '0');
}

/* "", "Z", "+00:00Z", "+hh:mm", "+hhmm", "+hh" and the same with minus. */
static int read_zone(struct slice z, int64_t *offset_us)
{
	*offset_us = 0;
	if (z.len == 0 || slice_is(z, "Z") || slice_is(z, "+00:00Z"))
		return 1;
	if ((z.ptr[0] != '+' && z.ptr[0] != '-') || !digits(z, 1, 2))
		return 0;
	size_t minutes_at = z.len == 6 && z.ptr[3] == ':' ? 4 : 3;
	int minutes = 0;
	if (z.len > 3) {
		if (z.len != minutes_at + 2 || !digits(z, minutes_at, 2))
			return 0;
		minutes = two(z, minutes_at);
	}
	int hours = two(z, 1);
	if (hours > 23 || minutes > 59)
		return 0;
	*offset_us = (int64_t)(hours * 60 + minutes) * 60 * 1000000 * (z.ptr[0] == '-' ? -1 : 1);
	return 1;
}

/* Splits "YYYY-MM-DD?hh:mm:ss[.f+]ZONE"; whether it is in the calendar is for datetime_parse to say. */
static int read_parts(struct slice s, struct clock_part *out)
{
	if (s.len < 19 || (s.ptr[10] != 'T' && s.ptr[10] != ' '))
		return 0;
	memcpy(out->text, s.ptr, 19);
	out->text[10] = 'T';
	memcpy(out->text + 19, ".000000Z", 9);
	size_t at = 19;
	if (at < s.len && s.ptr[at] == '.') {
		size_t from = ++at;
		for (; digits(s, at, 1); at++)
			if (at - from < 6)
				out->text[20 + (at - from)] = s.ptr[at];
		if (at == from)
			return 0;
	}
	return read_zone((struct slice){s.ptr + at, s.len - at}, &out->offset_us);
}

int replay_instant(struct slice text, int64_t *us)
{
	if (!text.ptr)
		return 0;
	if (datetime_parse(text, us) || date_parse(text, us))
		return 1;
	struct clock_part part;
	char canonical[DATETIME_TEXT_SIZE];
	int64_t local;
	if (!read_parts(text, &part) || !datetime_parse((struct slice){part.text, 27}, &local))
		return 0;
	if (!datetime_format(local - part.offset_us, canonical))
		return 0;
	*us = local - part.offset_us;
	return 1;
}

struct slice replay_canonical_date(struct slice text, struct arena *a)
{
	int64_t us;
	char canonical[DATETIME_TEXT_SIZE];
	if (!replay_instant(text, &us) || !datetime_format(us, canonical))
		return text;
	return arena_slice(a, slice_of(canonical));
}

/* "MM-DD-YYYY" */
static int repair_us_date(struct slice t, char *out)
{
	if (t.len != 10 || !digits(t, 0, 2) || t.ptr[2] != '-' || !digits(t, 3, 2) || t.ptr[5] != '-' ||
	    !digits(t, 6, 4))
		return 0;
	memcpy(out, t.ptr + 6, 4);
	out[4] = '-';
	memcpy(out + 5, t.ptr, 5);
	out[10] = '\0';
	return 1;
}

/* "YYYY-MM-0DD" */
static int repair_long_day(struct slice t, char *out)
{
	if (t.len != 11 || t.ptr[8] != '0')
		return 0;
	memcpy(out, t.ptr, 8);
	memcpy(out + 8, t.ptr + 9, 2);
	out[10] = '\0';
	return 1;
}

/* "MM/DD/YY hh:mm:ss" */
static int repair_slashes(struct slice t, char *out)
{
	if (t.len != 17 || !digits(t, 0, 2) || t.ptr[2] != '/' || !digits(t, 3, 2) || t.ptr[5] != '/' ||
	    !digits(t, 6, 2))
		return 0;
	memcpy(out, "20", 2);
	memcpy(out + 2, t.ptr + 6, 2);
	out[4] = '-';
	memcpy(out + 5, t.ptr, 2);
	out[7] = '-';
	memcpy(out + 8, t.ptr + 3, 2);
	memcpy(out + 10, t.ptr + 8, 9);
	out[19] = '\0';
	return 1;
}

struct slice replay_repair_date(struct slice text, struct arena *a)
{
	int64_t us;
	char repaired[20];
	if (replay_instant(text, &us))
		return text;
	if (!text.ptr ||
	    (!repair_us_date(text, repaired) && !repair_long_day(text, repaired) && !repair_slashes(text, repaired)))
		return SLICE_NONE;
	if (!replay_instant(slice_of(repaired), &us))
		return SLICE_NONE;
	return arena_slice(a, slice_of(repaired));
}
