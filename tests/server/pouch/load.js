'use strict';
// node load.js FEED URL/DB: makes the database and puts the documents of a recorded feed (normal or continuous form, plain or gzip) in,
// with the revisions they have. Losing revisions are left out: a feed shows only their names.

const fs = require('fs');
const http = require('http');
const zlib = require('zlib');

const BATCH = 500;
const [feed, url] = process.argv.slice(2);

function send(method, where, body) {
	return new Promise((resolve, reject) => {
		const request = http.request(where, { method, headers: { 'Content-Type': 'application/json' } }, (answer) => {
			const parts = [];
			answer.on('data', (part) => parts.push(part));
			answer.on('end', () => {
				const text = Buffer.concat(parts).toString();
				if (answer.statusCode >= 300) {
					reject(new Error(`${method} ${where}: ${answer.statusCode} ${text}`));
				} else {
					resolve(text);
				}
			});
		});
		request.on('error', reject);
		request.end(body);
	});
}

function documents() {
	const bytes = fs.readFileSync(feed);
	const text = (bytes[0] === 0x1f ? zlib.gunzipSync(bytes) : bytes).toString();
	const rows = text.startsWith('{"results"')
		? JSON.parse(text).results
		: text.split('\n').filter((line) => line.trim()).map((line) => JSON.parse(line));
	return rows.filter((row) => row.doc).map((row) => {
		const { _conflicts, _deleted_conflicts, ...doc } = row.doc;
		return doc;
	});
}

async function main() {
	const docs = documents();
	await send('PUT', url);
	for (let i = 0; i < docs.length; i += BATCH) {
		const answer = await send('POST', `${url}/_bulk_docs`, JSON.stringify({ new_edits: false, docs: docs.slice(i, i + BATCH) }));
		const failed = JSON.parse(answer).filter((one) => one.error);
		if (failed.length) {
			throw new Error(`not taken: ${JSON.stringify(failed[0])} and ${failed.length - 1} more`);
		}
	}
	console.log(`${docs.length} documents`);
}

main().catch((error) => {
	console.error(error.message);
	process.exit(1);
});
