#!/usr/bin/env node
'use strict';
/*
 * The same database at another moment.
 *
 *   node tests/gen/earlier.js --seed N [--shuffle | --twice] FEED OUT
 *
 * FEED is a recorded `_changes` answer (plain or gzip), OUT another one. With --shuffle OUT holds the same rows in another order, with --twice
 * each of them twice, in another order too. Without either OUT is an earlier state: some documents are not there yet, some have an older revision that says something else (a form that was archived
 * later, came at another time, spoke of another case or said something else; a case with another name or history), so that a migration of OUT
 * followed by one of FEED has to take back what it found first. Documents that FEED says were deleted stay deleted.
 */

const fs = require('fs');
const zlib = require('zlib');
const { Rng } = require('./prng.js');

function usage(message) {
	process.stderr.write(`earlier.js: ${message}\nusage: earlier.js --seed N [--shuffle | --twice] FEED OUT\n`);
	process.exit(2);
}

function options(argv) {
	const o = { files: [], shuffle: false, twice: false };
	for (let i = 0; i < argv.length; i++) {
		if (argv[i] === '--shuffle')
			o.shuffle = true;
		else if (argv[i] === '--twice')
			o.twice = true;
		else if (argv[i] === '--seed' && /^\d{1,10}$/.test(argv[i + 1] || ''))
			o.seed = Number(argv[++i]);
		else if (argv[i].startsWith('--'))
			usage(`cannot read option ${argv[i]}`);
		else
			o.files.push(argv[i]);
	}
	if (o.seed === undefined || o.files.length !== 2)
		usage('--seed and two files are needed');
	return o;
}

function readFeed(file) {
	const bytes = fs.readFileSync(file);
	return JSON.parse(bytes[0] === 0x1f ? zlib.gunzipSync(bytes) : bytes);
}

function eachBlock(node, visit) {
	if (Array.isArray(node)) {
		node.forEach((item) => eachBlock(item, visit));
		return;
	}
	for (const [key, value] of Object.entries(node !== null && typeof node === 'object' ? node : {})) {
		if (key === 'case')
			(Array.isArray(value) ? value : [value]).forEach(visit);
		else
			eachBlock(value, visit);
	}
}

/* ids that the later state gives to another domain were cases of this one */
const isForeignCase = (doc, domain) => isCase(doc) && doc.domain !== undefined && doc.domain !== domain;

const isForm = (doc) => /^XForm|^HQSubmission$/.test(doc.doc_type || '');
const isCase = (doc) => /^CommCareCase/.test(doc.doc_type || '');

const FORM_EDITS = [
	(doc) => {
		doc.doc_type = doc.doc_type === 'XFormInstance' ? 'XFormArchived' : 'XFormInstance';
	},
	(doc, rng) => {
		doc.received_on = `20${rng.range(10, 29)}-0${rng.range(1, 9)}-11T10:11:12.${rng.range(100000, 999999)}Z`;
	},
	(doc, rng) => eachBlock(doc.form, (block) => {
		if (block['@case_id'] && rng.chance(700))
			block['@case_id'] = rng.hex(32);
	}),
	(doc) => eachBlock(doc.form, (block) => {
		block.update = { village: 'Elsewhere', case_name: 'Somebody' };
	}),
	(doc) => {
		doc.initial_processing_complete = false;
	},
];

const CASE_EDITS = [
	(doc) => {
		doc.name = 'Somebody else';
	},
	(doc) => doc.actions.reverse(),
	(doc) => {
		doc.actions = [];
		doc.xform_ids = [];
	},
	(doc) => {
		doc.doc_type = 'CommCareCase-Deleted';
	},
	(doc) => {
		doc.domain = 'elsewhere';
	},
];

/* The row as it was, or null when it was not there yet. */
function before(row, rng, domain) {
	if (row.deleted || !row.doc || row.id.startsWith('_design/') || rng.chance(500))
		return row;
	if (rng.chance(400))
		return null;
	const edits = isForm(row.doc) ? FORM_EDITS : isCase(row.doc) ? CASE_EDITS : [];
	if (edits.length === 0)
		return row;
	const doc = JSON.parse(JSON.stringify(row.doc));
	if (isForeignCase(doc, domain))
		doc.domain = domain;
	else
		rng.pick(edits)(doc, rng);
	doc._rev = '0-earlier';
	return { ...row, doc, changes: [{ rev: doc._rev }] };
}

const o = options(process.argv.slice(2));
const rng = new Rng(o.seed + 1000003); /* not the ids that the domain of this seed uses */
const feed = readFeed(o.files[0]);
const { domain } = feed.results.find((row) => row.doc && row.doc.doc_type === 'XFormArchived').doc;
const again = o.twice ? feed.results : [];
const rows = o.shuffle || o.twice ? feed.results.concat(again) : feed.results.map((row) => before(row, rng, domain)).filter((row) => row !== null);
rng.shuffle(rows);
fs.writeFileSync(o.files[1], JSON.stringify({ ...feed, results: rows }));
