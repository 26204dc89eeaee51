'use strict';
// A PouchDB server in memory on a free port of 127.0.0.1: the second kind of source that settle is tried against. Everything is gone when
// it ends. Start with `node --unhandled-rejections=warn`: PouchDB leaves some rejections to themselves, and must live through them.

const path = require('path');
const modules = path.join(process.cwd(), 'node_modules');
const load = (name) => require(require.resolve(name, { paths: [modules] }));

const express = load('express');
const pouchServer = load('express-pouchdb');
const PouchDB = load('pouchdb-core').plugin(load('pouchdb-adapter-memory'));

// Logging would write files, and the administrator's pages are of no use here.
const parts = ['config-infrastructure', 'routes/find', 'routes/uuids'];

const app = express();
app.use('/', pouchServer(PouchDB.defaults({ adapter: 'memory' }), {
	mode: 'minimumForPouchDB',
	inMemoryConfig: true,
	overrideMode: { include: parts, exclude: ['routes/temp-views'] },
}));

const server = app.listen(Number(process.env.PORT || 0), '127.0.0.1', () => {
	console.log(`listening on 127.0.0.1:${server.address().port}`);
});
process.on('SIGTERM', () => process.exit(0));
