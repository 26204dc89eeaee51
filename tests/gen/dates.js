'use strict';
/* Date-time text as the generator writes and the expectation reads it: strict `YYYY-MM-DDThh:mm:ss[.f{1,6}]Z`. Instants are
 * microseconds since 1970 in a Number (exact until the year 2255). */

const STRICT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z$/;

function calendarMs(y, mo, d) {
	const date = new Date(0);
	date.setUTCFullYear(y, mo - 1, d);
	const valid = date.getUTCFullYear() === y && date.getUTCMonth() === mo - 1 && date.getUTCDate() === d;
	return valid ? date.getTime() : null;
}

/* instant, or null when it is not a date-time */
function instant(text) {
	const m = typeof text === 'string' ? STRICT.exec(text) : null;
	if (!m)
		return null;
	const [y, mo, d, h, mi, s] = m.slice(1, 7).map(Number);
	const day = calendarMs(y, mo, d);
	if (day === null || y < 1 || h > 23 || mi > 59 || s > 59)
		return null;
	const micros = Number((m[7] || '').padEnd(6, '0'));
	return (day + ((h * 60 + mi) * 60 + s) * 1000) * 1000 + micros;
}

const isDateTime = (text) => instant(text) !== null;

/* canonical text with six digits */
function format(us) {
	const ms = Math.floor(us / 1000);
	const rest = us - ms * 1000;
	return new Date(ms).toISOString().slice(0, -1) + String(rest).padStart(3, '0') + 'Z';
}

/* without a fraction: the whole second */
const formatSeconds = (us) => format(us).slice(0, 19) + 'Z';

/* What a case block's date means (BEHAVIOUR section 3): strict date-time, date, or one of the known malformed shapes. */
function blockDate(text) {
	if (typeof text !== 'string')
		return null;
	if (isDateTime(text))
		return format(instant(text));
	let m;
	if ((m = /^(\d\d)-(\d\d)-(\d{4})$/.exec(text)))
		return dateOnly(`${m[3]}-${m[1]}-${m[2]}`);
	if ((m = /^(\d{4}-\d\d)-0(\d\d)$/.exec(text)))
		return dateOnly(`${m[1]}-${m[2]}`);
	if ((m = /^(\d\d)\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d)$/.exec(text)))
		return blockDate(`20${m[3]}-${m[1]}-${m[2]}T${m[4]}Z`);
	return dateOnly(text);
}

function dateOnly(text) {
	const us = /^\d{4}-\d\d-\d\d$/.test(text) ? instant(`${text}T00:00:00Z`) : null;
	return us === null ? null : format(us);
}

module.exports = { instant, isDateTime, format, formatSeconds, blockDate };
