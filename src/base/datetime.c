#include "config.h"

#include "base/datetime.h"

#include <stdio.h>

#define DAY_US ((int64_t)86400 * 1000000)

/* n digits at p as a number, or -1. */
static int digits(const char *p, int n)
{
	int value = 0;
	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		value = value * 10 + (p[i] - '0');
	}
	return value;
}

static int days_in_month(int year, int month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && leap);
}

/*
 * Days since 1970-01-01 and back. Years are counted from 1 March, so that the leap day is the last of its year, and in
 * eras of 400 years (146097 days). After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 */
static int64_t days_from_date(int year, int month, int day)
{
	int y = year - (month <= 2);
	int era = y / 400; /* years are 1 or more, so y is not negative */
	int year_of_era = y - era * 400;
	int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return (int64_t)era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468; /* not negative for years from 1 on */
	int era = (int)(z / 146097);
	int day_of_era = (int)(z % 146097);
	int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int m = (5 * day_of_year + 2) / 153;
	*day = day_of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = era * 400 + year_of_era + (*month <= 2);
}

/* `YYYY-MM-DD` at p as days since 1970; 0 when it is none. */
static int parse_days(const char *p, int64_t *days)
{
	int year = digits(p, 4), month = digits(p + 5, 2), day = digits(p + 8, 2);
	if (p[4] != '-' || p[7] != '-' || year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month))
		return 0;
	*days = days_from_date(year, month, day);
	return 1;
}

int date_parse(struct slice text, int64_t *us)
{
	int64_t days;
	if (text.len != 10 || !parse_days(text.ptr, &days))
		return 0;
	if (us)
		*us = days * DAY_US;
	return 1;
}

/* What stands between the seconds and the Z: nothing, or `.` and 1 to 6 digits; microseconds, or -1. */
static int parse_fraction(const char *p, size_t len)
{
	if (len == 0)
		return 0;
	if (p[0] != '.' || len < 2 || len > 7)
		return -1;
	int us = digits(p + 1, (int)len - 1);
	for (size_t i = len; us > 0 && i < 7; i++)
		us *= 10;
	return us;
}

int datetime_parse(struct slice text, int64_t *us)
{
	int64_t days;
	if (text.len < 20 || text.len > 27 || text.ptr[10] != 'T' || text.ptr[text.len - 1] != 'Z' ||
	    !parse_days(text.ptr, &days))
		return 0;
	const char *p = text.ptr + 11;
	int hour = digits(p, 2), minute = digits(p + 3, 2), second = digits(p + 6, 2);
	int fraction = parse_fraction(p + 8, text.len - 20);
	if (p[2] != ':' || p[5] != ':' || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
	    second > 59 || fraction < 0)
		return 0;
	if (us)
		*us = days * DAY_US + ((int64_t)hour * 3600 + minute * 60 + second) * 1000000 + fraction;
	return 1;
}

int datetime_format(int64_t us, char out[DATETIME_TEXT_SIZE])
{
	int64_t days = us / DAY_US;
	int64_t rest = us % DAY_US;
	if (rest < 0) {
		days--;
		rest += DAY_US;
	}
	if (days < days_from_date(1, 1, 1) || days > days_from_date(9999, 12, 31))
		return 0;
	int year, month, day;
	date_from_days(days, &year, &month, &day);
	int second = (int)(rest / 1000000);
	snprintf(out, DATETIME_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", (unsigned)year % 10000,
		 (unsigned)month % 100, (unsigned)day % 100, (unsigned)(second / 3600) % 100,
		 (unsigned)(second / 60 % 60), (unsigned)(second % 60), (unsigned)(rest % 1000000));
	return 1;
}
