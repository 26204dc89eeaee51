#!/usr/bin/env node
'use strict';
/*
 * Feeds of values that JavaScript itself could not keep, so every document is raw text:  node tests/gen/odd.js --out DIR
 * writes odd.ndjson, attachments.ndjson, conflicts.ndjson, expected.json and README.md (fixtures/odd holds them).
 */

const fs = require('fs');
const path = require('path');
const { Rng } = require('./prng.js');

const rng = new Rng(2718);
const DOMAIN = 'odd';
const V2 = 'http://commcarehq.org/case/transaction/v2';

/* ---- raw text of documents ---- */

const head = (id, type = 'XFormInstance') => `"_id":${JSON.stringify(id)},"_rev":"REV","doc_type":"${type}","domain":"${DOMAIN}"`;
const received = '"received_on":"2016-04-05T06:07:08.000001Z","xmlns":"http://example.org/odd"';
const META = '"meta":{"userID":"u-1","instanceID":"i"}';

/* a form whose body has these members (raw text) */
const form = (id, body, more = '') => `{${head(id)},${received}${more},"form":{"#type":"data",${body}${body ? ',' : ''}${META}}}`;
const plain = (id, members) => `{${head(id, 'Oddity')}${members ? ',' : ''}${members}}`;

/* a case and the form that made it; update: raw members, the same in both unless told */
function pair(id, update, { name = '"Odd"', create = '', later = update } = {}) {
	const block = `{"@case_id":${JSON.stringify(id)},"@date_modified":"2016-04-05T06:00:00.000000Z","@user_id":"u-1","@xmlns":"${V2}",` +
		`"create":{"case_name":${name},"case_type":"odd","owner_id":"u-1"${create}},"update":{${update}}}`;
	const couch = `{${head(id, 'CommCareCase')},"type":"odd","name":${name},"external_id":"","owner_id":"u-1","user_id":"u-1","opened_by":"u-1",` +
		'"closed_by":"","opened_on":"2016-04-05T06:00:00.000000Z","modified_on":"2016-04-05T06:00:00.000000Z","closed":false,"closed_on":null,' +
		`"server_modified_on":"2016-04-05T06:07:08.000001Z","xform_ids":["${id}-form"],"indices":[],"case_attachments":{},` +
		`"actions":[{"doc_type":"CommCareCaseAction","action_type":"create","xform_id":"${id}-form","server_date":"2016-04-05T06:07:08.000001Z"}],${later}}`;
	return [[`${id}-form`, form(`${id}-form`, `"case":${block}`)], [id, couch]];
}

const nested = (open, close, n, inner) => open.repeat(n) + inner + close.repeat(n);

/* ---- the lines: [what, outcome, id, document text, row options] ---- */

const lines = [];
const add = (outcome, what, id, doc, row = {}) => lines.push({ outcome, what, id, doc, ...row });
const stored = (what, id, doc, row) => add('stored', what, id, doc, row);
const reject = (what, id, doc, row) => add('reject', what, id, doc, row);
const both = (what, docs) => docs.forEach(([id, doc], i) => stored(i ? `${what}: the case` : `${what}: its form`, id, doc));

function numbers() {
	stored('30-digit integers, and one of 40 digits', 'num-integers', form('num-integers', '"n":[123456789012345678901234567890,-123456789012345678901234567890,1234567890123456789012345678901234567890]'));
	stored('beyond doubles: 1e400, 1e-400', 'num-1e400', form('num-1e400', '"n":[1e400,-1E+400,1e-400]'));
	stored('beyond numeric: 1e200000, 1e-20000', 'num-1e200000', form('num-1e200000', '"n":{"big":1e200000,"small":1e-20000},"beside":"kept"'));
	stored('trailing zeros and other spellings: 1.10, 3.0, -0, 0e0', 'num-spelling', form('num-spelling', '"n":[1.10,3.0,3e0,-0,-0.0,0e0,1E5,100e-2]'));
	stored('2^53 + 1', 'num-2-53', form('num-2-53', '"n":[9007199254740993,9007199254740992]'));
	stored('1e400 outside `form`, among the other fields', 'num-extra', form('num-extra', '', ',"weight":1e400,"big":123456789012345678901234567890'));
	stored('numbers in a plain document', 'num-document', plain('num-document', '"n":[1e400,1e200000,1.10,123456789012345678901234567890]'));
}

function strings() {
	stored('U+0000 in a form value', 'nul-value', form('nul-value', '"q":"a\\u0000b","r":"\\u0000"'));
	stored('U+0000 in a form key', 'nul-key', form('nul-key', '"q\\u0000":"v","\\u0000":{"x\\u0000y":"z"}'));
	stored('U+0000 in a field beside `form`', 'nul-extra', form('nul-extra', '', ',"submit_ip":"10.\\u0000","app_id":"\\u0000"'));
	stored('U+0000 in a plain document', 'nul-document', plain('nul-document', '"a\\u0000":"b\\u0000"'));
	stored('the text \\u0000 itself: an escaped backslash, no U+0000', 'nul-not', form('nul-not', '"q":"\\\\u0000","r":"\\\\\\\\u0000"'));
	both('U+0000 in a case property, its name, and the case name', pair('nul-case', '"village":"a\\u0000b","ke\\u0000y":"v"', { name: '"N\\u0000"' }));
	stored('astral characters, raw and as escape pairs', 'astral', form('astral', '"raw":"😀𝒳","escaped":"\\ud83d\\ude00\\ud835\\udcb3","😀":"\\uD83D\\uDE00"'));
	stored('unpaired surrogates, high, low, reversed, before text', 'surrogates', form('surrogates', '"h":"\\ud800","l":"\\udc00","r":"\\udc00\\ud800","t":"\\ud800x","hh":"\\ud800\\ud800\\udc00"'));
	stored('an unpaired surrogate in a key', 'surrogate-key', form('surrogate-key', '"k\\ud800":"v"'));
	stored('an unpaired surrogate in a plain document', 'surrogate-document', plain('surrogate-document', '"s":"\\udfff"'));
	both('unpaired surrogates in a case', pair('surrogate-case', '"village":"\\ud800","s\\udc00":"v"', { name: '"\\udbff"' }));
	stored('escapes of every kind', 'escapes', form('escapes', '"e":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u001f\\u007f\\u00e9"'));
	stored('noncharacters, U+FEFF, U+2028, U+10FFFF', 'noncharacters', form('noncharacters', '"n":"\\ufffe\\uffff\\ufeff\\u2028\\udbff\\udfff","raw":"\ufeff\u2028\u{10ffff}"'));
	stored('a value of 20,000 characters', 'long-value', form('long-value', `"long":"${'é'.repeat(20000)}"`));
}

function keys() {
	stored('empty keys', 'key-empty', form('key-empty', '"":{"":{"":"deep"}},"list":[{"":null}]'));
	stored('keys with / @ # . ~ % $ and blanks', 'key-signs', form('key-signs', '"a/b":"1","@a":"2","#b":"3","c.d":"4","~0~1":"5","%2F":"6","$ref":"7"," ":"8","[*]":"9","*":"10"'));
	stored('keys that languages stumble over', 'key-names', form('key-names', '"__proto__":{"x":"1"},"constructor":"2","toString":"3","0":"4","-1":"5"'));
	stored('a key of 3,000 characters', 'key-long', form('key-long', `"${'k'.repeat(3000)}":"v"`));
	stored('duplicate keys: the last wins', 'key-duplicate', form('key-duplicate', '"a":"first","b":{"x":"1","x":"2"},"a":"last"'));
	stored('duplicate keys, spelled differently', 'key-duplicate-escape', form('key-duplicate-escape', '"a":"first","\\u0061":"last"'));
	stored('doc_type twice: the last wins', 'key-duplicate-type', `{${head('key-duplicate-type', 'XFormError')},"doc_type":"XFormInstance",${received},"form":{}}`, { kind: 'XFormInstance' });
	stored('fields named like columns', 'key-columns', form('key-columns', '"body":"x"', ',"body":"1","extra":{"raw":"2"},"raw":"3","form_id":"4","couch_rev":"5"'));
	both('properties with odd names', pair('key-case', '"a.b":"1","a/b":"2","日本":"3","a b":"4","Ünï":"5"'));
}

function depth() {
	stored('200 levels of lists', 'depth-lists', form('depth-lists', `"d":${nested('[', ']', 200, '"x"')}`));
	stored('200 levels of objects', 'depth-objects', form('depth-objects', `"d":${nested('{"k":', '}', 200, 'null')}`));
	reject('20,000 levels: deeper than allowed', 'depth-20000', form('depth-20000', `"d":${nested('[', ']', 20000, '')}`));
}

function dates() {
	const dated = (id, text) => `{${head(id)},"received_on":${text},"server_modified_on":${text},"form":{"when":${text},${META}}}`;
	const values = {
		'date-year-1': '"0001-01-01T00:00:00Z"', 'date-year-9999': '"9999-12-31T23:59:59.999999Z"', 'date-year-0': '"0000-01-01T00:00:00Z"',
		'date-leap-day': '"2016-02-29T00:00:00.1Z"', 'date-no-leap-day': '"2015-02-29T00:00:00Z"', 'date-leap-second': '"2016-12-31T23:59:60Z"',
		'date-offset': '"2016-04-05T06:07:08+02:00"', 'date-seven-digits': '"2016-04-05T06:07:08.1234567Z"', 'date-lower-case': '"2016-04-05t06:07:08z"',
		'date-only': '"2016-04-05"', 'date-text': '"yesterday"', 'date-empty': '""', 'date-null': 'null', 'date-number': '1459836428',
		'date-doubled-zone': '"2016-04-05T06:07:08+00:00Z"', 'date-before-christ': '"-0044-03-15T12:00:00Z"',
	};
	for (const [id, text] of Object.entries(values))
		stored(`received_on, server_modified_on and an answer are ${text}`, id, dated(id, text));
}

function shapes() {
	stored('a form without `form`', 'shape-no-form', `{${head('shape-no-form')},${received}}`);
	for (const [id, value] of [['null', 'null'], ['text', '"<data/>"'], ['list', '[{"case":{}}]'], ['number', '7'], ['empty', '{}']])
		stored(`\`form\` is ${value}`, `shape-form-${id}`, `{${head(`shape-form-${id}`)},${received},"form":${value}}`);
	stored('nothing but the names', 'shape-bare', plain('shape-bare', ''));
	stored('no doc_type', 'shape-no-type', `{"_id":"shape-no-type","_rev":"REV","domain":"${DOMAIN}","x":1}`, { kind: 'document' });
	stored('doc_type is a number', 'shape-type-number', `{"_id":"shape-type-number","_rev":"REV","domain":"${DOMAIN}","doc_type":5}`, { kind: 'document' });
	stored('history and blobs of odd shapes', 'shape-history', form('shape-history', '', ',"history":["x",{},null,{"user":5,"date":"never"}],"external_blobs":{"":{},"a/b":{"content_length":"many"}}'));
	stored('empty lists and objects', 'shape-empties', plain('shape-empties', '"a":[],"b":{},"c":[[],{},[{}]],"d":""'));
	stored('white space everywhere', 'shape-blanks', ` {\t"_id" : "shape-blanks" , "_rev":"REV","doc_type":"Oddity","domain":"${DOMAIN}" , "list" : [ 1 , 2 ] } `);
	add('skipped', 'domain is a list: not this domain', 'shape-domain-list', `{"_id":"shape-domain-list","_rev":"REV","doc_type":"Oddity","domain":["${DOMAIN}"]}`);
	add('skipped', 'domain is null', 'shape-domain-null', '{"_id":"shape-domain-null","_rev":"REV","doc_type":"Oddity","domain":null}');
	add('skipped', 'a design document that names the domain', '_design/odd', `{"_id":"_design/odd","_rev":"REV","doc_type":"Oddity","domain":"${DOMAIN}"}`);
	add('deleted', 'a tombstone without a document', 'shape-tombstone', null, { deleted: true });
	add('deleted', 'a tombstone with a body', 'shape-tombstone-body', `{${head('shape-tombstone-body')},"_deleted":true,"n":1e400}`, { deleted: true });
}

function ids() {
	const odd = ['id/with/slashes', 'id with blanks ', '%2F..%00', '../../etc/passwd', 'quote"back\\slash', 'line\nbreak', 'é日本😀', '-leading', `long-${'x'.repeat(600)}`, 'a,b:c;d', '@17'];
	odd.forEach((id) => stored('an id of odd characters', id, plain(id, '"x":"1"')));
	stored('the id escaped in the row, raw in the document', 'café', plain('café', '"x":"1"'), { rawId: '"caf\\u00e9"' });
	reject('U+0000 in the id', 'id\u0000nul', plain('id\u0000nul', '"x":"1"'));
	reject('an unpaired surrogate in the id', 'id\ud800', plain('id\ud800', '"x":"1"'));
}

function sequences() {
	[['17', 'a number'], ['[99,"x"]', 'a list'], ['null', 'null'], ['"a \\"b\\" c"', 'text with quotes']].forEach(([seq, what], i) =>
		stored(`the sequence is ${what}`, `seq-${i}`, plain(`seq-${i}`, ''), { seq }));
}

function broken() {
	const bad = (what, id, members) => reject(what, id, plain(id, members));
	bad('not JSON: a cut literal', 'bad-literal', '"a":tru');
	bad('not JSON: a leading zero', 'bad-zero', '"a":01');
	bad('not JSON: NaN', 'bad-nan', '"a":NaN');
	bad('not JSON: .5', 'bad-point', '"a":.5');
	bad('not JSON: a trailing comma', 'bad-comma', '"a":1,');
	bad('not JSON: a missing colon', 'bad-colon', '"a" 1');
	bad('not JSON: single quotes', 'bad-quotes', '"a":\'x\'');
	bad('not JSON: an unknown escape', 'bad-escape', '"a":"\\x41"');
	bad('not JSON: a short \\u escape', 'bad-escape-u', '"a":"\\u12"');
	bad('not JSON: a control character in a string', 'bad-control', '"a":"tab\there"');
	bad('bytes that are not UTF-8', 'bad-utf8', '"a":"BYTE_FF"');
	bad('UTF-8 of a surrogate', 'bad-utf8-surrogate', '"a":"BYTES_SURROGATE"');
	bad('overlong UTF-8', 'bad-utf8-overlong', '"a":"BYTES_OVERLONG"');
	reject('a document without _id', 'no-id', `{"_rev":"REV","doc_type":"Oddity","domain":"${DOMAIN}"}`);
	reject('_id is a number', 'id-number', `{"_id":5,"_rev":"REV","doc_type":"Oddity","domain":"${DOMAIN}"}`);
	reject('_id is not the id of the row', 'id-of-row', plain('id-of-document', '"x":"1"'));
	reject('the document is a list', 'doc-list', '[1]');
	reject('the document is text', 'doc-text', '"text"');
	reject('the document is null', 'doc-null', 'null');
	reject('the row has no document', 'doc-absent', null);
	reject('a row that is none: no id, no document', null, null, { raw: '{"foo":"bar"}' });
}

function blocks() {
	const bad = (what, id, block) => reject(what, id, form(id, `"case":${block}`));
	const start = `"@case_id":"never","@xmlns":"${V2}"`;
	bad('a case block of an unknown namespace', 'block-namespace', '{"@case_id":"never","@xmlns":"http://example.org/case/v9","update":{"a":"1"}}');
	bad('a case block whose date is none', 'block-date', `{${start},"@date_modified":"yesterday","update":{"a":"1"}}`);
	bad('an index without a type', 'block-index', `{${start},"@date_modified":"2016-04-05","index":{"parent":"h-1"}}`);
	stored('a case block without an id is none', 'block-no-id', form('block-no-id', `"case":{"@xmlns":"${V2}","update":{"a":"1"}}`));
	stored('blocks that are text, numbers, empty lists are none', 'block-shapes', form('block-shapes', '"a":{"case":"x"},"b":{"case":5},"c":{"case":[]},"d":{"case":["y",{}]}'));
}

/* ---- rows and files ---- */

const rev = () => `${rng.range(1, 5)}-${rng.hex(32)}`;

function rowText(line, n) {
	if (line.raw)
		return line.raw;
	const r = rev();
	const seq = line.seq || `"${n}-g1AAAA"`;
	const doc = line.doc === null ? '' : `,"doc":${line.doc.replace('"REV"', `"${r}"`)}`;
	return `{"seq":${seq},"id":${line.rawId || JSON.stringify(line.id)},"changes":[{"rev":"${r}"}]${line.deleted ? ',"deleted":true' : ''}${doc}}`;
}

/* text -> bytes, with the byte sequences that no text has */
function bytesOf(text) {
	const special = { BYTE_FF: [0x61, 0xff], BYTES_SURROGATE: [0xed, 0xa0, 0x80], BYTES_OVERLONG: [0xc0, 0xaf] };
	const parts = text.split(/(BYTE_FF|BYTES_SURROGATE|BYTES_OVERLONG)/);
	return Buffer.concat(parts.map((p) => (p in special ? Buffer.from(special[p]) : Buffer.from(p))));
}

const endLine = (n) => `{"last_seq":"${n}-g1AAAA","pending":0}\n`;

function oddFeed() {
	[numbers, strings, keys, depth, dates, shapes, ids, sequences, broken, blocks].forEach((f) => f());
	const rows = lines.map((line, i) => `${rowText(line, i + 1)}\n`);
	rows.splice(5, 0, '\n', '\r\n'); /* heartbeats */
	return bytesOf(rows.join('') + endLine(lines.length));
}

function simpleFeed(docs) {
	const rows = docs.map((doc, i) => JSON.stringify({ seq: `${i + 1}-g1AAAA`, id: doc._id, changes: [{ rev: doc._rev }], doc }));
	return `${rows.join('\n')}\n${endLine(docs.length)}`;
}

const formDocument = (id, more) => ({
	_id: id, _rev: rev(), doc_type: 'XFormInstance', domain: DOMAIN, xmlns: 'http://example.org/odd', received_on: '2016-04-05T06:07:08.000001Z',
	form: { '#type': 'data', q: 'a', meta: { userID: 'u-1', instanceID: id } }, ...more,
});

/* stubs as _changes gives them, inline data as _changes?attachments=true does */
function attachmentsFeed() {
	const stub = (type, length, digest) => ({ content_type: type, revpos: 1, digest: `md5-${digest}`, length, stub: true });
	return simpleFeed([
		formDocument('att-stubs', { _attachments: { 'form.xml': stub('text/xml', 21, 'R5DZ7D3Pw1LCTtXZ33fjjQ=='), 'p.jpg': stub('image/jpeg', 3120, '7mkg+nM0HN26sZkLN8KVSA==') } }),
		formDocument('att-names', { _attachments: { 'a b/ü.txt': stub('text/plain', 11, '7mkg+nM0HN26sZkLN8KVSA=='), 'empty.bin': stub('application/octet-stream', 0, '1B2M2Y8AsgTpgAmY7PhCfg==') } }),
		formDocument('att-inline', { _attachments: { 'form.xml': { content_type: 'text/xml', revpos: 1, digest: 'md5-XrY7u+Ae7tCTyyK7j1rNww==', data: 'aGVsbG8gd29ybGQ=' } } }),
		formDocument('att-blobs-and-stub', {
			external_blobs: { 'form.xml': { doc_type: 'BlobMeta', id: 'abc', content_type: 'text/xml', content_length: 812 } },
			_attachments: { 'p.jpg': stub('image/jpeg', 3120, '7mkg+nM0HN26sZkLN8KVSA==') },
		}),
		{ _id: 'att-document', _rev: rev(), doc_type: 'Oddity', domain: DOMAIN, _attachments: { 'logo.png': stub('image/png', 70, 'fO30BMm9cI8nvIDEPFGTRw==') } },
	]);
}

function conflictsFeed() {
	const losing = (n) => Array.from({ length: n }, () => rev());
	return simpleFeed([
		formDocument('conf-one', { _conflicts: losing(1) }),
		formDocument('conf-three', { _conflicts: losing(3) }),
		formDocument('conf-none', { _conflicts: [] }),
		{ _id: 'conf-document', _rev: rev(), doc_type: 'Oddity', domain: DOMAIN, value: 1.5, _conflicts: losing(2) },
		{ _id: 'conf-elsewhere', _rev: rev(), doc_type: 'Oddity', domain: 'elsewhere', _conflicts: losing(1) },
	]);
}

const outcomes = (name) => lines.filter((l) => l.outcome === name);

function expected() {
	return {
		domain: DOMAIN, read: lines.length, written: outcomes('stored').length, unchanged: 0, deleted: outcomes('deleted').length,
		skipped: outcomes('skipped').length, rejected: outcomes('reject').length, diffs: [],
		stored: outcomes('stored').map((l) => l.id), rejects: outcomes('reject').map((l) => l.id),
		attachments: { read: 5, written: 5, attachments: 7 }, conflicts: { read: 5, written: 4, skipped: 1, conflicts: 6 },
	};
}

const cell = (text) => text.replace(/\|/g, '\\|');
const idCell = (id) => (id === null ? '(none)' : `\`${cell(JSON.stringify(id).slice(1, -1)).slice(0, 60)}\``);

function readme() {
	const table = lines.map((l, i) => `| ${i + 1} | ${idCell(l.id)} | ${cell(l.what)} | ${l.outcome} |`);
	return `# Odd documents

Written by \`node tests/gen/odd.js --out fixtures/odd\` as raw text; the domain is \`${DOMAIN}\`, the form is a continuous feed.

- \`odd.ndjson\`: one odd thing a line (table below). *stored*: in SQL, reads back equal, no differences; *reject*: kept whole with a reason, the run
  goes on; *skipped* and *deleted* as the counters of the pass say. Two heartbeats (blank lines) stand between the lines.
- \`attachments.ndjson\`: documents with \`_attachments\` (stubs, and inline data); the documents are stored and compare clean, and seven attachments
  (on five documents) are counted as not brought over.
- \`conflicts.ndjson\`: documents with \`_conflicts\`: winners stored and clean, six losing revisions of this domain not brought over.
- \`expected.json\`: the counters and ids.

| line | id | what | outcome |
|---|---|---|---|
${table.join('\n')}
`;
}

function main() {
	const at = process.argv.indexOf('--out');
	if (at < 0 || at + 1 >= process.argv.length) {
		process.stderr.write('usage: odd.js --out DIR\n');
		process.exit(2);
	}
	const out = process.argv[at + 1];
	fs.mkdirSync(out, { recursive: true });
	const write = (name, data) => fs.writeFileSync(path.join(out, name), data);
	write('odd.ndjson', oddFeed());
	write('attachments.ndjson', attachmentsFeed());
	write('conflicts.ndjson', conflictsFeed());
	write('expected.json', `${JSON.stringify(expected(), null, 1)}\n`);
	write('README.md', readme());
}

main();
