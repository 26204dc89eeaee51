'use strict';
/*
 * What a patch pass makes of a case, from the descriptions alone: differences -> what one form writes -> the case with it -> what is
 * left. A case is refused when no form can be made for it, or when something would be left that a form should have made go.
 */

const { compare } = require('./compare.js');
const { SQL, fold, sqlCase } = require('./fold.js');
const { blockDate } = require('./dates.js');

const UNPATCHABLE = new Set(['closed_by', 'closed_on', 'deleted_on', 'deletion_id', 'external_id', 'modified_by', 'modified_on', 'opened_by',
	'opened_on', 'server_modified_on', 'xform_ids']);
const STATIC = new Set([...UNPATCHABLE, 'case_id', 'closed', 'deleted', 'domain', 'indices', 'location_id', 'name', 'owner_id', 'type', 'user_id',
	'-deletion_date', '-deletion_id', '@date_modified', '@user_id', 'hq_user_id', '#text']);
const KNOWN = new Set(['name', 'external_id', 'type', 'owner_id', 'opened_on', 'user_id']);
/* fields of a Couch case that are no properties, beside those */
const FIELDS = new Set(['doc_type', 'version', 'initial_processing_complete', 'actions', 'case_attachments', 'export_tag', 'computed_',
	'computed_modified_on_', 'external_blobs', 'referrals', 'location_']);
const PATCH_FORM = '\uffffpatch'; /* the form's id: there is none like it */

const whole = (d) => d.path.length === 2 && ('old' in d) !== ('new' in d);
const lost = (diffs) => diffs.length === 1 && diffs[0].path[0] === '*' && 'old' in diffs[0] && !('new' in diffs[0]);

/* ---- no form can be made ---- */

function refusal(d) {
	const first = d.path[0];
	if (first === '*')
		return 'no Couch case';
	if (first === 'domain')
		return 'domain';
	if (first === 'case_attachments')
		return 'attachment';
	if (first === 'indices')
		return whole(d) ? null : 'index field';
	if (STATIC.has(first))
		return null;
	if (d.path.length > 1)
		return 'nested property';
	return 'old' in d && typeof d.old !== 'string' ? 'property is not text' : null;
}

const isProperty = (key) => /^\p{L}/u.test(key) && !STATIC.has(key) && !FIELDS.has(key);

function lostRefusal(couch) {
	const odd = Object.keys(couch).some((key) => isProperty(key) && couch[key] !== null && typeof couch[key] !== 'string');
	return odd ? 'property is not text' : null;
}

/* ---- what the form writes ---- */

const text = (v) => (typeof v === 'string' && v !== '' ? v : undefined);

function drop(o) {
	return Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined));
}

function names(couch) {
	return drop({ type: text(couch.type), name: text(couch.name), owner_id: text(couch.owner_id) });
}

function updateOf(couch, diffs, properties) {
	const known = { ...names(couch), ...drop({
		external_id: text(couch.external_id) || text(couch.hq_user_id),
		opened_on: text(couch.opened_on),
	}) };
	const more = drop({ location_id: text(couch.location_id) });
	if ((couch.name === '' || couch.name === null) && diffs.some((d) => d.path[0] === 'name'))
		more.name = ''; /* an empty case_name would change nothing, an empty property of this name does */
	return { action: 'update', known, properties: { ...properties, ...more } };
}

const indexOf = (i) => ({
	identifier: i.identifier, referenced_type: i.referenced_type || '', referenced_id: i.referenced_id || '',
	relationship: i.relationship || 'child',
});

function propertiesOf(couch, diffs) {
	if (lost(diffs))
		return Object.fromEntries(Object.entries(couch).filter(([key, v]) => isProperty(key) && v !== null));
	return Object.fromEntries(diffs.filter((d) => !STATIC.has(d.path[0])).map((d) => [d.path[0], 'old' in d ? d.old : '']));
}

function indicesOf(couch, diffs) {
	if (lost(diffs))
		return (couch.indices || []).map(indexOf);
	const about = diffs.filter((d) => d.path[0] === 'indices');
	const put = about.filter((d) => 'old' in d).map((d) => indexOf(d.old));
	const gone = about.filter((d) => 'new' in d && !put.some((i) => i.identifier === d.new.identifier));
	return put.concat(gone.map((d) => ({ ...indexOf(d.new), referenced_type: '', referenced_id: '' })));
}

function actionsOf(couch, diffs, updated) {
	const properties = propertiesOf(couch, diffs);
	const indices = indicesOf(couch, diffs);
	const isLost = lost(diffs);
	const actions = [];
	if (isLost)
		actions.push({ action: 'create', known: names(couch) });
	if (updated || isLost || Object.keys(properties).length || indices.length || diffs.some((d) => KNOWN.has(d.path[0])))
		actions.push(updateOf(couch, diffs, properties));
	if (couch.closed === true && (isLost || diffs.some((d) => d.path[0] === 'closed')))
		actions.push({ action: 'close' });
	if (indices.length)
		actions.push({ action: 'index', indices });
	return actions;
}

function patchBlock(couch, diffs, before, updated) {
	const date = [couch.modified_on, couch['@date_modified'], before.modified_on].map((d) => d && blockDate(d)).find(Boolean);
	return {
		caseId: couch._id, formId: PATCH_FORM, position: 0, receivedOn: '2999-01-01T00:00:00.000000Z', syncLog: null,
		date: date || '2999-01-01T00:00:00.000000Z', user: text(couch.user_id) || text(couch['@user_id']) || '', actions: actionsOf(couch, diffs, updated),
	};
}

/* ---- what is left then ---- */

const mayStay = (d) => UNPATCHABLE.has(d.path[0]) || (d.path[0] === 'closed' && d.old !== true && d.new === true) ||
	(!('old' in d) && d.new === '');

function remainder(d) {
	if (d.type === 'complex')
		return 'rename';
	if (d.path[0].startsWith('@'))
		return 'attribute';
	if (d.path[0] === 'indices')
		return 'empty index reference';
	return 'empty value';
}

/*
 * Why the case is refused, or null. blocks: those that SQL has, in the order of its transactions; touching: forms of them without
 * actions.
 */
function whyRefused(domain, couch, diffs, blocks, touching) {
	const plan = lost(diffs) ? lostRefusal(couch) : diffs.map(refusal).find(Boolean);
	if (plan)
		return plan;
	const before = sqlCase(fold(couch._id, blocks, SQL), domain, couch);
	const left = (updated) => {
		const after = fold(couch._id, blocks.concat(patchBlock(couch, diffs, before, updated)), SQL);
		return compare(couch.doc_type, couch, sqlCase(after, domain, couch), touching).filter((d) => !mayStay(d));
	};
	/* an update, which says whose case it is and where, may help where no difference asks for one */
	return left(false).length && left(true).length ? remainder(left(false)[0]) : null;
}

module.exports = { whyRefused };
