'use strict';
/* Case blocks of a form: where they stand and what they ask for, written from the description of the documents alone. */

const { blockDate } = require('./dates.js');

const V2 = 'http://commcarehq.org/case/transaction/v2';
const DEVICE_REPORT = 'http://code.javarosa.org/devicereport';

const isObject = (v) => v !== null && typeof v === 'object' && !Array.isArray(v);

function collect(node, out) {
	if (Array.isArray(node)) {
		node.forEach((item) => collect(item, out));
		return;
	}
	if (!isObject(node) || node['@xmlns'] === DEVICE_REPORT)
		return;
	for (const [key, value] of Object.entries(node)) {
		if (key === 'case')
			out.push(...(Array.isArray(value) ? value : [value]));
		else
			collect(value, out);
	}
}

const caseIdOf = (block) => (isObject(block) ? block['@case_id'] || block.case_id || '' : '');

const last = (v) => (Array.isArray(v) ? v[v.length - 1] : v);

/* children of create, update, index, attachment; attributes and text of the element itself are none */
function children(element) {
	if (!isObject(element))
		return [];
	return Object.entries(element)
		.filter(([key]) => !key.startsWith('@') && !key.startsWith('#'))
		.map(([key, value]) => [key, last(value)]);
}

const KNOWN = {
	case_name: 'name', case_type: 'type', case_type_id: 'type', owner_id: 'owner_id', external_id: 'external_id',
	user_id: 'user_id', date_opened: 'opened_on',
};

function createAction(block) {
	const known = {};
	for (const [key, value] of children(block.create)) {
		if (key in KNOWN)
			known[KNOWN[key]] = value;
	}
	return { action: 'create', known };
}

function updateAction(block) {
	const known = {};
	const properties = {};
	for (const [key, value] of children(block.update)) {
		if (key in KNOWN)
			known[KNOWN[key]] = value;
		else
			properties[key] = value;
	}
	return { action: 'update', known, properties };
}

function indexAction(block) {
	const indices = children(block.index).map(([identifier, value]) => ({
		identifier,
		referenced_type: value['@case_type'],
		referenced_id: value['#text'] || '',
		relationship: value['@relationship'] || 'child',
	}));
	return { action: 'index', indices };
}

function attachmentAction(block, form) {
	const attachments = children(block.attachment).map(([name, value]) => {
		if (!isObject(value) || !(value['@from'] || value['@src'] || value['@name']))
			return { name, removed: true };
		const blob = (form.external_blobs || {})[value['@src']] || {};
		return {
			name,
			src: value['@src'],
			from: value['@from'],
			content_type: blob.content_type,
			content_length: blob.content_length,
		};
	});
	return { action: 'attachment', attachments };
}

function actionsOf(block, form, version) {
	const actions = [];
	if (children(block.create).length)
		actions.push(createAction(block));
	if (children(block.update).length)
		actions.push(updateAction(block));
	if ('close' in block)
		actions.push({ action: 'close' });
	if (version === 2 && children(block.index).length)
		actions.push(indexAction(block));
	if (version === 2 && children(block.attachment).length)
		actions.push(attachmentAction(block, form));
	return actions;
}

function readBlock(block, form, position) {
	const version = block['@xmlns'] === V2 ? 2 : 1;
	const metaUser = ((form.form || {}).meta || {}).userID;
	const date = version === 2 ? block['@date_modified'] : block.date_modified;
	return {
		caseId: caseIdOf(block),
		formId: form._id,
		position,
		receivedOn: form.received_on,
		syncLog: form.last_sync_token || null,
		date: blockDate(date === undefined ? form.received_on : date),
		user: (version === 2 ? block['@user_id'] : undefined) || metaUser || '',
		actions: actionsOf(block, form, version),
		xmlns: form.xmlns,
		formName: (form.form || {})['@name'],
	};
}

/* every block of a form document, in document order */
function blocksOf(form) {
	const raw = [];
	collect(form.form, raw);
	return raw.filter((block) => caseIdOf(block) !== '').map((block, i) => readBlock(block, form, i));
}

module.exports = { blocksOf, V2, DEVICE_REPORT };
