'use strict';
/* The expectation's own rules, checked against cases worked out by hand. Exits 1 and says what is wrong. */

const assert = require('assert');
const zlib = require('zlib');
const { jsonDiff, compare } = require('./compare.js');
const { COUCH, SQL, couchCase, fold, inOrder, sqlCase } = require('./fold.js');
const { whyRefused } = require('./patch.js');
const { blocksOf } = require('./blocks.js');
const { blockDate, isDateTime } = require('./dates.js');
const { expectation } = require('./expect.js');
const { gzip } = require('./gzip.js');
const { Rng } = require('./prng.js');

const V2 = 'http://commcarehq.org/case/transaction/v2';

function form(id, received, blocks, more) {
	return {
		_id: id, doc_type: 'XFormInstance', domain: 'd', received_on: received,
		form: { case: blocks.map((b) => ({ '@case_id': 'c', '@date_modified': received, '@user_id': 'u', '@xmlns': V2, ...b })), meta: { userID: 'u' } },
		...more,
	};
}

const rowOf = (doc) => ({ seq: '1', id: doc._id, changes: [], doc });
const foldForms = (forms, dialect) => fold('c', inOrder(forms.flatMap(blocksOf)), dialect);

const tests = {
	'json_diff reports kinds of difference by type'() {
		const diffs = jsonDiff({ a: '1', b: null, c: { d: 1 }, l: [1, 2], t: true }, { a: '2', c: '1', l: [1], t: 1 });
		assert.deepStrictEqual(diffs.map((d) => `${d.type} ${d.path.join('/')}`),
			['diff a', 'missing b', 'type c', 'missing l/1', 'type t']);
	},
	'rules drop noise and keep signal'() {
		const couch = { _rev: '1-a', owner_id: '', name: '', age: '3', opened_on: '2016-01-01T00:00:00Z', actions: [{}] };
		const sql = { id: 1, owner_id: 'u', name: null, age: '4', opened_on: '2011-01-01T00:00:00.5Z', actions: [] };
		assert.deepStrictEqual(compare('CommCareCase', couch, sql), [{ type: 'diff', path: ['age'], old: '3', new: '4' }]);
	},
	'a rename applies only where Couch lacks the new name'() {
		const at = (couch) => compare('CommCareCase', couch, { user_id: 'w' }).map((d) => `${d.type} ${d.path}`);
		assert.deepStrictEqual(at({ '@user_id': 'w' }), []);
		assert.deepStrictEqual(at({ '@user_id': 'v', user_id: null }), ['complex @user_id,user_id']);
		assert.deepStrictEqual(at({ '@user_id': 'w', user_id: 'w' }), ['missing @user_id']);
	},
	'a patch is refused when something would be left that a form should have made go'() {
		const block = { caseId: 'c', formId: 'f', position: 0, receivedOn: '2016-01-01T00:00:00Z', date: '2016-01-01T00:00:00Z', user: 'u',
			actions: [{ action: 'create', known: { name: 'N', type: 't', owner_id: 'u' } }] };
		const couch = { ...couchCase(fold('c', [block], COUCH), 'd'), modified_on: '2016-01-01T00:00:00Z' };
		const why = (more) => {
			const doc = { ...couch, ...more };
			return whyRefused('d', doc, compare('CommCareCase', doc, sqlCase(fold('c', [block], SQL), 'd', doc)), [block], []);
		};
		assert.strictEqual(why({ name: 'Other', colour: 'red', closed: true, owner_id: 'w' }), null);
		assert.strictEqual(why({ name: '' }), null);
		assert.strictEqual(why({ name: null }), null);
		assert.strictEqual(why({ location_id: 'l' }), null);
		assert.strictEqual(why({ type: '' }), 'empty value');
		assert.strictEqual(why({ '@user_id': 'u' }), 'attribute');
		assert.strictEqual(why({ user_id: '', '@user_id': 'v' }), null);
		assert.strictEqual(why({ external_id: '', hq_user_id: 'v' }), null);
		assert.strictEqual(why({ age: 3 }), 'property is not text');
		assert.strictEqual(why({ opened_by: 'somebody' }), null);
	},
	'form ids compare as sets and touching forms are not missed in Couch'() {
		const sql = { xform_ids: ['b', 'a', 't'] };
		assert.deepStrictEqual(compare('CommCareCase', { xform_ids: ['a', 'b'] }, sql, ['t']), []);
		assert.deepStrictEqual(compare('CommCareCase', { xform_ids: ['a', 'x'] }, sql, ['t']),
			[{ type: 'set_mismatch', path: ['xform_ids', '[*]'], old: 'x', new: 'b' }]);
	},
	'two Couch indices compare by identifier, one by position'() {
		const index = (identifier) => ({ identifier, referenced_id: identifier });
		assert.deepStrictEqual(compare('CommCareCase', { indices: [index('p'), index('h')] }, { indices: [index('h'), index('p')] }), []);
		assert.strictEqual(compare('CommCareCase', { indices: [index('p')] }, { indices: [index('h'), index('p')] }).length, 3);
	},
	'forms apply in order of the received instant, whatever order they come in'() {
		const one = form('z', '2016-01-01T00:00:01Z', [{ update: { p: '1' } }]);
		const two = form('a', '2016-01-01T00:00:01.000001Z', [{ update: { p: '2' } }]);
		assert.strictEqual(foldForms([two, one], SQL).properties.p, '2');
		const tie = form('a', '2016-01-01T00:00:01.000000Z', [{ update: { p: '2' } }]);
		assert.strictEqual(foldForms([tie, one], SQL).properties.p, '1');
	},
	'the two dialects differ for empty values and empty references'() {
		const forms = [
			form('1', '2016-01-01T00:00:01Z', [{ create: { case_name: 'N', stray: 'x' }, index: { p: { '@case_type': 't', '#text': 'r' } } }]),
			form('2', '2016-01-01T00:00:02Z', [{ update: { case_name: '', hq_user_id: 'w' }, index: { p: { '@case_type': 't', '#text': '' } } }]),
		];
		const [couch, sql] = [foldForms(forms, COUCH), foldForms(forms, SQL)];
		assert.deepStrictEqual([couch.known.name, sql.known.name], ['', 'N']);
		assert.deepStrictEqual([couch.indices.length, sql.indices.length], [1, 0]);
		assert.deepStrictEqual([couch.known.external_id, sql.known.external_id], [undefined, 'w']);
		assert.ok(!('stray' in sql.properties));
	},
	'a touch adds the form and changes nothing else'() {
		const forms = [form('1', '2016-01-01T00:00:01Z', [{ update: { p: '1' } }]), form('2', '2016-01-01T00:00:02Z', [{ '@user_id': 'v' }])];
		const c = foldForms(forms, SQL);
		assert.deepStrictEqual([c.formIds, c.known.user_id, c.modified_on], [['1', '2'], 'u', '2016-01-01T00:00:01.000000Z']);
	},
	'malformed block dates are repaired'() {
		assert.strictEqual(blockDate('2015-08-014'), '2015-08-14T00:00:00.000000Z');
		assert.strictEqual(blockDate('08-14-2015'), '2015-08-14T00:00:00.000000Z');
		assert.strictEqual(blockDate('08/14/15 10:11:12'), '2015-08-14T10:11:12.000000Z');
		assert.ok(!isDateTime('2016-02-30T00:00:00Z') && !isDateTime('2016-02-20 00:00:00Z') && isDateTime('0001-01-01T00:00:00.1Z'));
	},
	'blocks are found anywhere but in device reports, and archived forms do not count'() {
		const doc = form('1', '2016-01-01T00:00:01Z', []);
		doc.form = { g: [{ case: { case_id: 'old', date_modified: '2016-01-01', update: { p: '1' } } }], meta: { userID: 'm' },
			r: { '@xmlns': 'http://code.javarosa.org/devicereport', case: { '@case_id': 'no' } } };
		assert.deepStrictEqual(blocksOf(doc).map((b) => [b.caseId, b.user]), [['old', 'm']]);
		const found = expectation([rowOf({ ...doc, doc_type: 'XFormArchived' })], 'd');
		assert.deepStrictEqual(found.now.diffs, []);
		assert.deepStrictEqual(expectation([rowOf(doc)], 'd').now.diffs[0].diffs, [{ type: 'missing', path: ['*'], new: 'present' }]);
	},
	'our gzip is read back by zlib'() {
		const rng = new Rng(5);
		for (const size of [0, 1, 300, 70000]) {
			const data = Buffer.from(Array.from({ length: size }, () => (rng.chance(700) ? 97 : rng.int(256))));
			assert.ok(zlib.gunzipSync(gzip(data)).equals(data));
		}
	},
	'the generator of random numbers keeps its sequence'() {
		const rng = new Rng(1);
		assert.deepStrictEqual([rng.u32(), rng.u32(), rng.u32()], [393288148, 2174103013, 3814759091]);
	},
};

for (const [name, test] of Object.entries(tests)) {
	try {
		test();
	} catch (e) {
		process.stdout.write(`${name}: ${e.message}\n`);
		process.exitCode = 1;
	}
}
