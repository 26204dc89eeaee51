'use strict';
/* json_diff and the ignore rules of the commcare profile, written from their description. A path keeps list positions. */

const { isDateTime } = require('./dates.js');

const isObject = (v) => v !== null && typeof v === 'object' && !Array.isArray(v);

function jsonType(v) {
	if (v === null)
		return 'null';
	return Array.isArray(v) ? 'array' : typeof v;
}

function equal(a, b) {
	if (a === b)
		return true;
	if (jsonType(a) !== jsonType(b) || typeof a !== 'object' || a === null)
		return false;
	const [ka, kb] = [Object.keys(a), Object.keys(b)];
	return ka.length === kb.length && ka.every((k) => Object.hasOwn(b, k) && equal(a[k], b[k]));
}

/* undefined = absent */
function record(type, path, old, now) {
	const out = { type, path };
	if (old !== undefined)
		out.old = old;
	if (now !== undefined)
		out.new = now;
	return out;
}

const own = (o, k) => (Object.hasOwn(o, k) ? o[k] : undefined);

function diffObjects(couch, sql, path, out) {
	const keys = Object.keys(couch).concat(Object.keys(sql).filter((k) => !Object.hasOwn(couch, k)));
	keys.forEach((k) => jsonDiff(own(couch, k), own(sql, k), path.concat([k]), out));
}

function jsonDiff(couch, sql, path = [], out = []) {
	if (couch !== undefined && sql !== undefined && equal(couch, sql))
		return out;
	if (couch === undefined && sql === undefined)
		return out;
	if (couch === undefined || sql === undefined)
		out.push(record('missing', path, couch, sql));
	else if (jsonType(couch) !== jsonType(sql))
		out.push(record('type', path, couch, sql));
	else if (isObject(couch))
		diffObjects(couch, sql, path, out);
	else if (Array.isArray(couch))
		for (let i = 0; i < Math.max(couch.length, sql.length); i++)
			jsonDiff(couch[i], sql[i], path.concat([i]), out);
	else
		out.push(record('diff', path, couch, sql));
	return out;
}

/* ---- plain rules: {type?, path?, old?, new?, when?}; a part left out matches anything ---- */

const ABSENT = Symbol('absent');
const REST = Symbol('rest');
const POSITION = Symbol('position');

const couchOnly = (names) => names.map((n) => ({ path: [n], new: ABSENT }));
const sqlOnly = (names) => names.map((n) => ({ path: [n], old: ABSENT }));
const bothDates = { type: 'diff', when: (d) => isDateTime(d.old) && isDateTime(d.new) };
const nullAbsent = { type: 'missing', old: null, new: ABSENT };

const FORM_RULES = [
	...couchOnly(['_rev', 'migrating_blobs_from_couch', '#export_tag', 'computed_', 'computed_modified_on_', 'path', 'external_blobs',
		'form_migrated_from_undefined_xmlns']),
	{ type: 'missing', path: ['_attachments'], new: ABSENT },
	{ type: 'missing', path: ['location_'], new: ABSENT },
	...sqlOnly(['state', 'user_id', 'repeats']),
	...['deprecated_form_id', 'problem', 'orig_id', 'edited_on'].map((n) => ({ path: [n], old: ABSENT, new: null })),
	{ path: ['problem'], old: '', new: null },
	{ type: 'type', path: ['openrosa_headers', 'HTTP_X_OPENROSA_VERSION'] },
	nullAbsent,
	{ type: 'missing', path: ['history', POSITION, 'doc_type'], old: 'XFormOperation', new: ABSENT },
	{ type: 'diff', path: ['doc_type'], old: 'HQSubmission', new: 'XFormInstance' },
	{ type: 'missing', path: ['deleted_on'], old: ABSENT, new: null },
	{ type: 'type', path: ['xmlns'], old: null, new: '' },
	{ type: 'type', path: ['initial_processing_complete'], old: null, new: true },
	{ type: 'missing', path: ['backend_id'], old: ABSENT, new: 'sql' },
	{ type: 'missing', path: ['location_id'], new: ABSENT, when: (d, x) => x.couch.xmlns === 'http://commtrack.org/supply_point' },
	bothDates,
	{ when: (d) => ['#text', '@xmlns'].includes(d.path[d.path.length - 1]) && (d.old === '' || d.old === undefined) },
];

const noCreateAction = (d, x) => !(x.couch.actions || []).some((a) => a.action_type === 'create');

const CASE_RULES = [
	...couchOnly(['_rev', 'initial_processing_complete', '_attachments', 'external_blobs', '#export_tag', 'computed_', 'version',
		'export_tag', 'computed_modified_on_']),
	{ type: 'missing', path: ['referrals'], new: ABSENT },
	{ type: 'missing', path: ['location_'], new: ABSENT },
	...sqlOnly(['id', 'deleted', 'case_json', 'modified_by']),
	{ path: ['@xmlns'] }, { path: ['case_id'] }, { path: ['@case_id'] },
	{ path: ['actions', REST] },
	{ type: 'diff', path: ['owner_id'], old: '' },
	...['owner_id', 'user_id', 'opened_on'].map((n) => ({ type: 'type', path: [n], old: null })),
	{ type: 'type', path: ['opened_by'], old: ABSENT },
	{ type: 'diff', path: ['opened_by'], when: noCreateAction },
	{ type: 'missing', path: ['case_attachments'], old: ABSENT, new: {} },
	nullAbsent,
	...['name', 'closed_by', 'external_id'].map((n) => ({ type: 'type', path: [n], old: '', new: null })),
	...['location_id', 'closed_by', 'deleted_on'].map((n) => ({ type: 'missing', path: [n], old: ABSENT, new: null })),
	{ type: 'type', path: ['type'], old: null, new: '' },
	{ type: 'type', path: ['owner_id'], old: null, new: '' },
	{ type: 'missing', path: ['backend_id'], old: ABSENT, new: 'sql' },
	{ path: ['indices', POSITION, 'case_id'], old: ABSENT },
	{ type: 'missing', path: ['indices', POSITION, 'doc_type'], old: 'CommCareCaseIndex', new: ABSENT },
	{ type: 'missing', path: ['indices', POSITION, 'relationship'], old: ABSENT, new: 'child' },
	bothDates,
];

const LIVE_CASE_RULES = ['-deletion_id', '-deletion_date'].map((n) => ({ type: 'missing', path: [n], new: ABSENT }));

const DELETED_CASE_RULES = [
	...['-deletion_id', 'deletion_id', '-deletion_date'].map((n) => ({ type: 'missing', path: [n], old: ABSENT, new: null })),
	{ type: 'missing', path: ['deleted_on'], old: ABSENT },
	{ type: 'complex', path: ['-deletion_id', 'deletion_id'], old: ABSENT, new: null },
];

const ATTACHMENT_RULES = [
	...couchOnly(['attachment_properties', 'attachment_from', 'attachment_src', 'doc_type', 'server_mime', 'attachment_name', 'server_md5']),
	...sqlOnly(['content_type']),
];

const DELETION_RENAMES = [['-deletion_id', 'deletion_id'], ['-deletion_date', 'deleted_on']];
const HQ_USER = ['hq_user_id', 'external_id'];

const RENAMES = {
	XFormInstance: [['uid', 'instanceID']],
	XFormDeprecated: [['deprecated_date', 'edited_on']],
	'XFormInstance-Deleted': DELETION_RENAMES,
	CommCareCase: [['@user_id', 'user_id'], ['@date_modified', 'modified_on'], HQ_USER],
	'CommCareCase-Deleted': [...DELETION_RENAMES, HQ_USER],
	attachment: [['attachment_size', 'content_length'], ['identifier', 'name']],
};

function rulesFor(kind) {
	if (kind === 'CommCareCase')
		return LIVE_CASE_RULES.concat(CASE_RULES);
	if (kind === 'CommCareCase-Deleted')
		return DELETED_CASE_RULES.concat(CASE_RULES);
	if (kind === 'attachment')
		return ATTACHMENT_RULES;
	if (kind === 'LedgerValue')
		return [{ path: ['_id'] }];
	return FORM_RULES;
}

function pathMatches(pattern, path) {
	if (pattern[pattern.length - 1] === REST)
		return pathMatches(pattern.slice(0, -1), path.slice(0, pattern.length - 1));
	return pattern.length === path.length &&
		pattern.every((p, i) => (p === POSITION ? typeof path[i] === 'number' || path[i] === '[*]' : p === path[i]));
}

function valueMatches(wanted, value) {
	return wanted === ABSENT ? value === undefined : value !== undefined && equal(wanted, value);
}

function ruleMatches(rule, d, context) {
	return (!('type' in rule) || rule.type === d.type) && (!('path' in rule) || pathMatches(rule.path, d.path)) &&
		(!('old' in rule) || valueMatches(rule.old, d.old)) && (!('new' in rule) || valueMatches(rule.new, d.new)) &&
		(!('when' in rule) || rule.when(d, context));
}

/* ---- replacements: each takes the diffs it claims and gives others instead ---- */

const lacking = (v) => v === undefined || v === null || v === '';

function replaceRename(diffs, context, [oldName, newName]) {
	const { couch, sql } = context;
	const claimed = (d) => d.path[0] === oldName || d.path[0] === newName;
	const applies = Object.hasOwn(couch, oldName) && Object.hasOwn(sql, newName) && lacking(couch[newName]);
	if (!applies || !diffs.some(claimed))
		return diffs;
	const rest = diffs.filter((d) => !claimed(d));
	const [a, b] = [couch[oldName], sql[newName]];
	if (equal(a, b) || (isDateTime(a) && isDateTime(b)))
		return rest;
	return rest.concat([record('complex', [oldName, newName], a, b)]);
}

function replaceIdSet(diffs, { couch, sql, noActionForms }) {
	if (!diffs.some((d) => d.path[0] === 'xform_ids'))
		return diffs;
	const rest = diffs.filter((d) => d.path[0] !== 'xform_ids');
	const [a, b] = [couch.xform_ids || [], sql.xform_ids || []];
	const onlyCouch = [...new Set(a)].filter((id) => !b.includes(id));
	const onlySql = [...new Set(b)].filter((id) => !a.includes(id) && !(noActionForms || []).includes(id));
	if (onlyCouch.length + onlySql.length === 0)
		return rest;
	return rest.concat([record('set_mismatch', ['xform_ids', '[*]'], onlyCouch.join(','), onlySql.join(','))]);
}

function replaceAttachments(diffs, { couch, sql }) {
	if (!diffs.some((d) => d.path[0] === 'case_attachments'))
		return diffs;
	const out = diffs.filter((d) => d.path[0] !== 'case_attachments');
	const [a, b] = [couch.case_attachments || {}, sql.case_attachments || {}];
	for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
		const path = ['case_attachments', name];
		if (!Object.hasOwn(a, name) || !Object.hasOwn(b, name))
			out.push(record('missing', path, own(a, name), own(b, name)));
		else
			out.push(...compare('attachment', a[name], b[name]).map((d) => ({ ...d, path: path.concat(d.path) })));
	}
	return out;
}

const byIdentifier = (x, y) => Buffer.compare(Buffer.from(x.identifier || ''), Buffer.from(y.identifier || ''));

function replaceIndices(diffs, { couch, sql }) {
	const claimed = (d) => d.path[0] === 'indices';
	if (!diffs.some(claimed) || !Array.isArray(couch.indices) || couch.indices.length < 2)
		return diffs;
	const sorted = (list) => [...(list || [])].sort(byIdentifier);
	return diffs.filter((d) => !claimed(d)).concat(jsonDiff(sorted(couch.indices), sorted(sql.indices), ['indices']));
}

function replacements(kind, diffs, context) {
	let out = diffs;
	for (const pair of RENAMES[kind] || [])
		out = replaceRename(out, context, pair);
	if (!kind.startsWith('CommCareCase'))
		return out;
	return replaceIndices(replaceAttachments(replaceIdSet(out, context), context), context);
}

/* The differences that stay: the raw ones, replaced once, then filtered by the plain rules. */
function compare(kind, couch, sql, noActionForms) {
	const context = { couch, sql, noActionForms };
	const rules = rulesFor(kind);
	return replacements(kind, jsonDiff(couch, sql), context).filter((d) => !rules.some((r) => ruleMatches(r, d, context)));
}

module.exports = { jsonDiff, compare, equal, record };
