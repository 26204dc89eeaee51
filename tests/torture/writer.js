// writer: a live application, as far as the source can tell. Creates, edits, archives, unarchives, deletes and undeletes forms and cases of a
// domain for some seconds, and until it has tried so many edits, through every crash of the server. Prints how many it tried.
// usage: node writer.js URL DOMAIN SEED SECONDS EDITS
// Only documents that are as they were at the start are deleted: a deleted document's row keeps what was last seen of it (decision 21), and
// the end must not depend on what a reader saw on the way. For the same reason a form is archived or unarchived once: a case whose one form
// was archived, was not for a while and is again has a row, emptied, for who saw it in between, and none for who did not.
'use strict';
const http = require('http');
const [url, domain, seedText, seconds, edits] = process.argv.slice(2);
let seed = Number(seedText) >>> 0;

function random(n) { // 0..n-1; a linear congruential generator (Numerical Recipes)
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 4294967296) * n);
}

function once(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url + path, { method, headers: { 'Content-Type': 'application/json' } }, answer => {
      let text = '';
      answer.on('data', part => (text += part));
      answer.on('end', () => {
        try { resolve({ status: answer.statusCode, body: JSON.parse(text) }); } catch (e) { reject(e); }
      });
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const pause = ms => new Promise(done => setTimeout(done, ms));

async function ask(method, path, body) { // until the server answers
  for (;;) {
    try { return await once(method, path, body); } catch (e) { await pause(50); }
  }
}

// Puts what change() makes of the document as it is (null when it is not there); repeats when somebody, or our own lost answer, was faster.
async function edit(id, change) {
  for (;;) {
    const held = await ask('GET', '/' + encodeURIComponent(id));
    const doc = change(held.status === 200 ? held.body : null);
    if (!doc) return;
    const answer = await ask('PUT', '/' + encodeURIComponent(id), doc);
    if (answer.status !== 409) return;
  }
}

function touched(id, doc) {
  edited.add(id);
  return doc;
}

function gone(id, doc) {
  const { _rev, ...rest } = doc;
  deleted.set(id, rest);
  return { _id: id, _rev, _deleted: true };
}

const now = n => new Date(Date.UTC(2020, 0, 1) + n * 61000).toISOString().replace(/(\.\d{3})Z/, '$1000Z');

function block(caseId, n) {
  const b = { '@case_id': caseId, '@date_modified': now(n), '@user_id': 'u' + (n % 5), '@xmlns': 'http://commcarehq.org/case/transaction/v2' };
  b.update = { ['p' + random(4)]: String(random(1000)), case_name: 'name ' + random(50) };
  if (random(6) === 0) b.index = { parent: { '@case_type': 'household', '#text': random(3) ? 'h-' + random(9) : '' } };
  if (random(12) === 0) b.close = '';
  return b;
}

function form(id, caseId, n) {
  return { _id: id, doc_type: 'XFormInstance', domain, xmlns: 'http://example.org/torture', received_on: now(n),
    form: { '#type': 'data', case: block(caseId, n), meta: { userID: 'u' + (n % 5), instanceID: id } } };
}

const edited = new Set();
const deleted = new Map(); // id -> what it was: undeleting brings the same document back
const turned = new Set(); // archived or unarchived
const isFirst = id => !turned.has(id) && turned.add(id);
const isForm = doc => doc && /^XForm(Instance|Archived)$/.test(doc.doc_type);

async function step(n, ids) {
  const old = ids[random(ids.length)];
  const caseId = 'torture-case-' + random(20);
  switch (random(8)) {
  case 0: case 1: case 2: return edit('torture-' + seedText + '-' + n, doc => (doc ? null : form('torture-' + seedText + '-' + n, caseId, n)));
  case 3: return edit(old, doc => (isForm(doc) && isFirst(old) ? touched(old, { ...doc, doc_type: doc.doc_type === 'XFormInstance' ? 'XFormArchived' : 'XFormInstance', edited: n }) : null));
  case 4: return edit(old, doc => (doc && doc.form && doc.form.case && !Array.isArray(doc.form.case) && !doc.form.case.case_id
    ? touched(old, { ...doc, form: { ...doc.form, case: { ...doc.form.case, update: { changed: String(n) } } } }) : null));
  case 5: return edit(old, doc => (doc && doc.domain === domain && !edited.has(old) ? gone(old, doc) : null));
  case 6: return edit(old, doc => (!doc && deleted.has(old) ? touched(old, deleted.get(old)) : null));
  default: return edit(caseId, doc => ({ ...(doc || { _id: caseId, doc_type: 'CommCareCase', domain, type: 't', actions: [], xform_ids: [] }),
    domain, name: 'edited ' + n, village: 'v' + random(5) }));
  }
}

(async () => {
  const all = await ask('GET', '/_all_docs');
  const ids = all.body.rows.map(r => r.id).filter(id => !id.startsWith('_'));
  const until = Date.now() + Number(seconds) * 1000;
  let n = 0;
  while (Date.now() < until || n < Number(edits)) {
    await step(n++, ids);
    await pause(random(20));
  }
  console.log(n);
})();
