'use strict';
/*
 * Documents whose parts are odd: ids of sub-objects, property names, users, dates, long strings, depth.
 *   node odd-parts.js write FILE            the feed
 *   node odd-parts.js check ID <SHOWN       what `settle show ID --side sql --format json` printed must say the same
 */
const fs = require('fs');
const assert = require('assert');

const T = '2016-04-05T06:00:00.000000Z', R = '2016-04-05T06:07:08.000001Z', MIB = 1 << 20;
const documents = [];
const add = (doc) => documents.push({ _rev: '1-a', domain: 'parts', ...doc });
const mapped = (object, f) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, f(value, key)]));

/* A case and the form that made it. indices: identifier -> [type, id]; attachments: name -> blob */
function pair(id, { indices = {}, attachments = {}, update = {}, user = 'u-1', at = T, received = R } = {}) {
	const form = `${id}-form`;
	const blobs = Object.fromEntries(Object.values(attachments).map((name) => [name, { doc_type: 'BlobMetaRef', key: `k-${name}`, content_type: 'image/png', content_length: 3 }]));
	const block = { '@case_id': id, '@date_modified': at, '@user_id': user, '@xmlns': 'http://commcarehq.org/case/transaction/v2', create: { case_name: 'n', case_type: 't', owner_id: user }, update };
	if (Object.keys(indices).length)
		block.index = mapped(indices, ([type, to]) => ({ '@case_type': type, '@relationship': 'child', '#text': to }));
	if (Object.keys(attachments).length)
		block.attachment = mapped(attachments, (name) => ({ '@from': 'local', '@src': name }));
	add({ _id: form, doc_type: 'XFormInstance', received_on: received, xmlns: 'http://example.org/parts', form: { '#type': 'data', case: block, meta: { userID: user } },
		external_blobs: blobs, history: [{ doc_type: 'XFormOperation', user, date: received, operation: 'unarchive' }] });
	add({ _id: id, doc_type: 'CommCareCase', type: 't', name: 'n', owner_id: user, user_id: user, opened_by: user, closed_by: '', external_id: '', opened_on: at, modified_on: at,
		closed: false, closed_on: null, server_modified_on: received, xform_ids: [form],
		actions: [{ doc_type: 'CommCareCaseAction', action_type: 'create', xform_id: form, server_date: received }],
		indices: Object.entries(indices).map(([identifier, [type, to]]) => ({ doc_type: 'CommCareCaseIndex', identifier, referenced_type: type, referenced_id: to, relationship: 'child' })),
		case_attachments: mapped(attachments, (name, identifier) => ({ doc_type: 'CommCareCaseAttachment', identifier, attachment_src: name, attachment_from: 'local', attachment_name: null,
			attachment_size: 3, server_mime: 'image/png' })), ...update });
}

function nested(depth, wrap) {
	let value = 'x';
	for (let i = 0; i < depth; i++)
		value = wrap(value, i);
	return value;
}

pair('index-identifier', { indices: { 'par\0ent': ['household', 'h-1'], 'par\ud800ent': ['household', 'h-2'] } });
pair('index-ids', { indices: { parent: ['house\0hold', 'h\0-1'], host: ['\udc00', 'h\ud800'] } });
pair('attachment-name', { attachments: { 'ph\0to': 'p\0.png', 'ph\ud800to': 'p\ud800.png', 's\udc00n': 's.png' } });
pair('user', { user: 'u\0ser' });
pair('user-surrogate', { user: 'u\ud800' });
pair('property-long', { update: { long: 'x'.repeat(16 * MIB) } });
pair('property-names', { update: { empty: '', 'b\0': 'a\0b', 'b\udc00': 'other', 'c#d': '1', 'e@f': '2', 'g/h': '3', 'i.j': '4', 'k\ud800': '\udfff', '日本': '😀' } });
pair('year-1', { at: '0001-01-01T00:00:00.000000Z', received: '0001-01-01T00:00:00.000000Z' });
pair('year-9999', { at: '9999-12-31T23:59:59.999999Z', received: '9999-12-31T23:59:59.999999Z' });
add({ _id: 'form-long', doc_type: 'XFormInstance', received_on: R, form: { long: 'é'.repeat(8 * MIB), nuls: '\0'.repeat(1000), 'k\0': '1', 'k\udbff': '2' } });
add({ _id: 'form-deep', doc_type: 'XFormInstance', received_on: R, form: nested(198, (v) => ({ g: v })) });
add({ _id: 'document-long', doc_type: 'Thing', plain: 'y'.repeat(16 * MIB), odd: `\0${'z'.repeat(MIB)}` });
add({ _id: 'document-deep', doc_type: 'Thing', d: nested(198, (v, i) => (i % 2 ? [v] : { '': v })) });
add({ _id: 'document-keys', doc_type: 'Thing', '': { '': '' }, 'a/b': 1, '@c': 2, '#d': 3, 'e.f': 4, '\0': 5, '\ud800': 6, in: { 'a\0': [], 'a\udfff': {} } });

function check(id, shown) {
	const want = documents.find((doc) => doc._id === id);
	if (want.doc_type === 'Thing')
		return assert.deepStrictEqual(shown, want);
	if (want.doc_type === 'XFormInstance') {
		assert.deepStrictEqual(shown.form, want.form);
		return assert.strictEqual(shown.received_on, want.received_on);
	}
	const fixed = new Set(['_rev', 'doc_type', 'closed_by', 'external_id', 'actions', 'indices', 'case_attachments']);
	for (const [key, value] of Object.entries(want))
		if (!fixed.has(key))
			assert.deepStrictEqual(shown[key], value, key);
	const plain = (list) => list.map((i) => [i.identifier, i.referenced_type, i.referenced_id, i.relationship]).sort();
	assert.deepStrictEqual(plain(shown.indices), plain(want.indices));
	assert.deepStrictEqual(Object.keys(shown.case_attachments).sort(), Object.keys(want.case_attachments).sort());
}

if (process.argv[2] === 'write') {
	const rows = documents.map((doc, i) => JSON.stringify({ seq: i + 1, id: doc._id, changes: [{ rev: doc._rev }], doc }));
	fs.writeFileSync(process.argv[3], `${rows.join('\n')}\n`);
	console.log(documents.map((doc) => doc._id).join(' '));
} else {
	check(process.argv[3], JSON.parse(fs.readFileSync(0, 'utf8')));
}
