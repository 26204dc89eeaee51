'use strict';
/*
 * What a migration of these feed rows must find. Works from the documents alone (it knows nothing of what the generator planted) and
 * shares nothing with the C program. `now` is the comparison without explaining; `later` adds rebuild, sorting, missing forms and reasons.
 */

const { blocksOf } = require('./blocks.js');
const { compare, record } = require('./compare.js');
const { whyRefused } = require('./patch.js');
const { COUCH, SQL, fold, inOrder, sqlCase, couchCase } = require('./fold.js');

const FORM_KINDS = ['XFormInstance', 'XFormArchived', 'XFormDeprecated', 'XFormDuplicate', 'XFormError', 'SubmissionErrorLog',
	'HQSubmission', 'XFormInstance-Deleted'];
const CASE_KINDS = ['CommCareCase', 'CommCareCase-Deleted'];

function isProcessed(form) {
	return ['XFormInstance', 'HQSubmission'].includes(form.doc_type) && !form.problem && form.initial_processing_complete !== false;
}

function push(map, key, value) {
	if (!map.has(key))
		map.set(key, []);
	map.get(key).push(value);
}

/* Sorts the rows of the feed into what the comparison needs. */
function load(rows, domain) {
	const world = {
		domain, forms: new Map(), cases: new Map(), blocks: new Map(), foreignCases: new Map(), tombstones: new Set(),
		docs: new Map(), skipped: 0, deleted: 0, read: rows.length,
	};
	for (const { id, deleted, doc } of rows) {
		if (deleted) {
			world.deleted++;
			world.tombstones.add(id);
		} else if (id.startsWith('_design/') || doc.domain !== domain) {
			world.skipped++;
			if (CASE_KINDS.includes(doc.doc_type))
				world.foreignCases.set(id, doc);
		} else {
			keep(world, doc);
		}
	}
	return world;
}

function keep(world, doc) {
	world.docs.set(doc.doc_type, (world.docs.get(doc.doc_type) || 0) + 1);
	if (CASE_KINDS.includes(doc.doc_type))
		world.cases.set(doc._id, doc);
	if (!FORM_KINDS.includes(doc.doc_type))
		return;
	world.forms.set(doc._id, doc);
	if (isProcessed(doc))
		blocksOf(doc).forEach((block) => push(world.blocks, block.caseId, block));
}

/* ---- forms ---- */

function sqlForm(doc) {
	const out = { ...doc, state: 1, backend_id: 'sql' };
	const user = ((doc.form || {}).meta || {}).userID;
	if (doc.doc_type === 'HQSubmission')
		out.doc_type = 'XFormInstance';
	if (user !== undefined || 'user_id' in doc)
		out.user_id = user === undefined ? null : user;
	if (doc.initial_processing_complete === null)
		out.initial_processing_complete = true;
	if (Array.isArray(doc.history))
		out.history = doc.history.map(({ doc_type, ...rest }) => rest);
	return out;
}

function formDiffs(world, out) {
	for (const doc of world.forms.values()) {
		if (doc.doc_type !== 'SubmissionErrorLog')
			out.push({ kind: doc.doc_type, id: doc._id, diffs: compare(doc.doc_type, doc, sqlForm(doc)) });
	}
}

/* ---- cases ---- */

/* forms all of whose blocks for this case are without actions */
function touchForms(blocks) {
	const acting = new Set(blocks.filter((b) => b.actions.length).map((b) => b.formId));
	return [...new Set(blocks.map((b) => b.formId))].filter((id) => !acting.has(id));
}

function compareCase(couch, sql, blocks) {
	return compare(couch.doc_type, couch, sql, touchForms(blocks));
}

const found = (couch, diffs, more) => ({ kind: couch.doc_type, id: couch._id, diffs, ...more });

/* one Couch case of the domain, without explaining */
function caseNow(world, couch) {
	const blocks = inOrder(world.blocks.get(couch._id) || []);
	if (blocks.length === 0 && couch.doc_type === 'CommCareCase-Deleted')
		return found(couch, []);
	if (blocks.length === 0)
		return found(couch, [record('missing', ['*'], '*', undefined)], { missing: true });
	return found(couch, compareCase(couch, sqlCase(fold(couch._id, blocks, SQL), world.domain, couch), blocks), { blocks });
}

/* cases that only the forms know, or whose document is of another domain */
function caseWithoutCouch(world, id) {
	if (world.foreignCases.has(id))
		return { kind: 'CommCareCase', id, diffs: [record('diff', ['domain'], world.foreignCases.get(id).domain, world.domain)] };
	if (world.tombstones.has(id))
		return { kind: 'CommCareCase', id, diffs: [] };
	return { kind: 'CommCareCase', id, diffs: [record('missing', ['*'], undefined, 'present')] };
}

/* ---- explaining ---- */

const withReason = (diffs, reason) => diffs.map((d) => ({ ...d, reason }));

/* the forms that the actions of a Couch case name, each once, in order */
const actionForms = (couch) => [...new Set((couch.actions || []).map((a) => a.xform_id).filter(Boolean))];

function missingForms(world, couch, blocks) {
	const inSql = new Set(blocks.map((b) => b.formId));
	const ids = actionForms(couch).filter((id) => !inSql.has(id));
	if (ids.every((id) => world.forms.has(id)))
		return [];
	const states = {};
	ids.forEach((id) => {
		states[id] = world.forms.has(id) ? 'present' : 'missing';
	});
	return [record('missing-forms', ['xform_ids'], states, { ...states })];
}

function rebuiltCouch(world, couch, blocks) {
	const out = couchCase(fold(couch._id, blocks, COUCH), world.domain);
	for (const key of ['opened_by', 'opened_on', '-deletion_id', '-deletion_date']) {
		if (key in couch)
			out[key] = couch[key];
		else
			delete out[key];
	}
	out.doc_type = couch.doc_type;
	return out;
}

/* The blocks in the order of the Couch actions, or null when the two sides name other forms or the same order. */
function sortedLikeCouch(couch, blocks) {
	const wanted = actionForms(couch);
	const have = [...new Set(blocks.map((b) => b.formId))];
	const same = wanted.length === have.length && wanted.every((id) => have.includes(id));
	if (!same || wanted.every((id, i) => id === have[i]))
		return null;
	return wanted.flatMap((id) => blocks.filter((b) => b.formId === id));
}

function explainMissing(world, couch) {
	const diff = [record('missing', ['*'], '*', undefined)];
	const ids = [...new Set((couch.xform_ids || []).concat(actionForms(couch)))];
	const forms = ids.map((id) => world.forms.get(id));
	if (ids.length && forms.every((f) => f && f.doc_type === 'XFormInstance-Deleted'))
		return { changes: withReason(diff, 'deleted forms') };
	const references = (f) => !f || blocksOf(f).some((b) => b.caseId === couch._id);
	if (!forms.some(references))
		return { changes: withReason(diff, 'orphaned case') };
	return { diffs: diff };
}

function explainCase(world, couch, now) {
	if (now.missing)
		return explainMissing(world, couch);
	const forms = missingForms(world, couch, now.blocks);
	if (forms.length)
		return { diffs: now.diffs.concat(forms) };
	const rebuilt = rebuiltCouch(world, couch, now.blocks);
	const plain = sqlCase(fold(couch._id, now.blocks, SQL), world.domain, couch);
	if (compareCase(rebuilt, plain, now.blocks).length === 0)
		return { changes: withReason(now.diffs, 'rebuild case') };
	const order = sortedLikeCouch(couch, now.blocks);
	if (order === null)
		return { diffs: now.diffs };
	const sorted = sqlCase(fold(couch._id, order, SQL), world.domain, couch);
	const left = compareCase(couch, sorted, now.blocks);
	if (left.length && compareCase(rebuilt, sorted, now.blocks).length)
		return { diffs: now.diffs };
	return { changes: withReason(left, 'rebuild case'), order };
}

/* ---- which documents a patch pass refuses: all others end without differences ---- */

function judge(world, { kind, id, diffs, order }, refused) {
	const couch = world.cases.get(id);
	const blocks = order || inOrder(world.blocks.get(id) || []);
	const reason = kind !== 'CommCareCase' ? 'kind' : couch ? whyRefused(world.domain, couch, diffs, blocks, touchForms(blocks))
		: diffs[0].path[0] === 'domain' ? 'domain' : 'no Couch case';
	if (reason)
		refused.push({ kind, id, reason });
}

/* ---- the two answers ---- */

function count(kinds, kind, column) {
	if (!kinds.has(kind))
		kinds.set(kind, { kind, docs: 0, diffs: 0, missing: 0, changes: 0 });
	kinds.get(kind)[column]++;
}

const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const anyPosition = (d) => ({ ...d, path: d.path.map((p) => (typeof p === 'number' ? '[*]' : p)) });

function listed(documents) {
	return documents.filter((f) => f.diffs.length)
		.map(({ kind, id, diffs, order }) => ({ kind, id, diffs: diffs.map(anyPosition), order }))
		.sort((a, b) => byBytes(a.kind, b.kind) || byBytes(a.id, b.id));
}

function kindsOf(world, diffs, changes, missing) {
	const kinds = new Map();
	for (const [kind, docs] of world.docs)
		kinds.set(kind, { kind, docs, diffs: 0, missing: 0, changes: 0 });
	diffs.forEach((f) => count(kinds, f.kind, 'diffs'));
	changes.forEach((f) => count(kinds, f.kind, 'changes'));
	missing.forEach((f) => count(kinds, f.kind, 'missing'));
	return [...kinds.values()].sort((a, b) => byBytes(a.kind, b.kind));
}

function expectation(rows, domain) {
	const world = load(rows, domain);
	const fixed = [];
	formDiffs(world, fixed);
	for (const id of world.blocks.keys()) {
		if (!world.cases.has(id))
			fixed.push(caseWithoutCouch(world, id));
	}
	const cases = [...world.cases.values()].map((couch) => ({ couch, now: caseNow(world, couch) }));
	const missing = cases.filter((c) => c.now.missing).map((c) => c.now);
	const nowDiffs = listed(fixed.concat(cases.map((c) => c.now)));
	const explained = cases.filter((c) => c.now.diffs.length)
		.map(({ couch, now }) => ({ kind: couch.doc_type, id: couch._id, ...explainCase(world, couch, now) }));
	const laterDiffs = listed(fixed.concat(explained.filter((e) => e.diffs)));
	const changes = listed(explained.filter((e) => e.changes).map((e) => ({ ...e, diffs: e.changes })));
	const refused = [];
	laterDiffs.concat(changes).forEach((f) => judge(world, f, refused));
	changes.forEach((f) => delete f.order);
	const counters = {
		read: world.read, written: world.read - world.skipped - world.deleted, unchanged: 0, deleted: world.deleted,
		skipped: world.skipped, rejected: 0,
	};
	return {
		now: { ...counters, kinds: kindsOf(world, nowDiffs, [], missing), diffs: nowDiffs },
		later: { ...counters, kinds: kindsOf(world, laterDiffs, changes, missing), diffs: laterDiffs, changes, refused },
	};
}

module.exports = { expectation, isProcessed, FORM_KINDS };
