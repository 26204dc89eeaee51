#!/usr/bin/env node
'use strict';
/* A ticket system as SQL for sqlite3. --users, --tickets, --logs, --seed; --odd N tickets have a status that nobody knows. */

const { Rng } = require('../random.js');
const { options, writer } = require('../output.js');

const o = options({ users: 20, tickets: 500, logs: 2000, odd: 2, seed: 1 });
const rng = new Rng(o.seed);
const out = writer();

const quote = (s) => `'${String(s).replace(/'/g, "''")}'`;
const time = (n) => quote(new Date(Date.UTC(2023, 0, 1) + n * 3600000).toISOString().slice(0, 19).replace('T', ' '));

out(`CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username VARCHAR(50) NOT NULL UNIQUE, password TEXT NOT NULL, role TEXT,
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE tickets (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, description TEXT, status TEXT NOT NULL, priority INTEGER,
	created_by INTEGER NOT NULL REFERENCES users (id), created_at DATETIME);
CREATE TABLE audit_logs (id INTEGER PRIMARY KEY AUTOINCREMENT, action TEXT NOT NULL, user_id INTEGER REFERENCES users (id),
	ticket_id INTEGER REFERENCES tickets (id), timestamp DATETIME);
CREATE INDEX tickets_status ON tickets (status);
BEGIN;
`);
for (let i = 1; i <= o.users; i++)
	out(`INSERT INTO users VALUES (${i}, ${quote(`user-${i}`)}, ${quote(rng.hex(12))}, ${rng.chance(200) ? 'NULL' : quote(rng.pick(['user', 'admin']))}, ${time(i)});\n`);
for (let i = 1; i <= o.tickets; i++) {
	const status = i > o.tickets - o.odd ? 'lost' : rng.pick(['new', 'in progress', 'done']);
	out(`INSERT INTO tickets VALUES (${i}, ${quote(`It's ticket ${i}`)}, ${rng.chance(300) ? 'NULL' : quote(`line\nof "${rng.hex(8)}"\t\\`)}, ${quote(status)}, `
		+ `${rng.range(1, 5)}, ${rng.range(1, o.users)}, ${time(i)});\n`);
}
for (let i = 1; i <= o.logs; i++)
	out(`INSERT INTO audit_logs VALUES (${i}, ${quote(rng.pick(['create', 'update', 'close']))}, ${rng.range(1, o.users)}, ${rng.range(1, o.tickets - o.odd)}, ${time(i)});\n`);
out('COMMIT;\n');
