// A tour of a running clinic with fhir-kit-client, as a program that integrates with it would be written.
//
// node tour.mjs BASE TOKEN FOLDER: BASE is the FHIR address of `referral`, FOLDER has the Bundles to send.
// It prints one line for each step, and ends with status 1 where one of them failed.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Client } from 'fhir-kit-client';

const [base, token, folder] = process.argv.slice(2);
const client = new Client({ baseUrl: base, bearerToken: token });
const type = 'ServiceRequest';
const known = {};
let failed = 0;

const read = (name) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const resources = (bundle, wanted) => (bundle.entry ?? []).map((entry) => entry.resource)
  .filter((resource) => resource.resourceType === wanted);
const search = (searchParams, options) => client.search({ resourceType: type, searchParams, options });
const statusOf = (answer) => Client.httpFor(answer).response.status;

async function refused(promise, status) {
  try {
    await promise;
  } catch (error) {
    assert.equal(error.response?.status, status, String(error));
    return error.response.data;
  }
  throw new Error(`this is not refused with ${status}`);
}

async function sent(identifier) {
  const [body] = resources(read('bare.json'), type);
  body.identifier[0].value = identifier;
  return client.create({ resourceType: type, body });
}

const steps = {
  async capabilities() {
    assert.equal((await client.capabilityStatement()).fhirVersion, '4.3.0');
  },
  async transaction() {
    const answer = await client.transaction({ body: read('first.json') });
    const { location } = answer.entry.map((entry) => entry.response).find((one) => one.location.includes(type));
    known.id = location.split('/').at(-3);
    known.referral = await client.read({ resourceType: type, id: known.id });
  },
  async 'bundle-by-create'() {
    const answer = await client.create({ resourceType: 'Bundle', body: read('second.json') });
    assert.equal(answer.type, 'transaction-response');
  },
  async 'resolved-references'() {
    const { reference } = known.referral.subject;
    const patient = await client.resolve({ reference, context: known.referral });
    assert.equal(patient.resourceType, 'Patient');
    const found = await search({ subject: `${base}/Patient/${patient.id}` });
    assert.equal(found.total, 1);
    assert.equal((await search({ subject: `https://other.example/fhir/Patient/${patient.id}` })).total, 0);
  },
  async 'conditional-read'() {
    const { meta } = await client.read({ resourceType: type, id: known.id });
    const headers = { 'If-None-Match': `W/"${meta.versionId}"` };
    await refused(client.read({ resourceType: type, id: known.id, options: { headers } }), 304);
    const since = { 'If-Modified-Since': new Date(Date.now() + 60_000).toUTCString() };
    await refused(client.read({ resourceType: type, id: known.id, options: { headers: since } }), 304);
  },
  async include() {
    const found = await search({ _id: known.id, _include: 'ServiceRequest:subject:Patient' });
    assert.equal(resources(found, 'Patient').length, 1);
    const everything = await search({ _id: known.id, _include: '*' });
    assert.equal(resources(everything, 'Patient').length, 1);
  },
  async revinclude() {
    const _revinclude = ['Task:focus', 'Provenance:target', 'Communication:based-on'];
    const found = await search({ _id: known.id, _revinclude });
    assert.ok(resources(found, 'Task').length >= 1);
    assert.ok(resources(found, 'Provenance').length >= 1);
  },
  async 'appointments-elsewhere'() {
    const outcome = await refused(search({ _id: known.id, _revinclude: 'Appointment:based-on' }), 400);
    assert.match(JSON.stringify(outcome), /scheduling\/fhir\/Appointment\?based-on=/);
  },
  async summary() {
    const counted = await search({ _id: known.id, _summary: 'count' });
    assert.deepEqual([counted.total, counted.entry], [1, undefined]);
    const [brief] = resources(await search({ _id: known.id, _summary: 'true' }), type);
    assert.deepEqual(brief.meta.tag.map((tag) => tag.code), ['SUBSETTED']);
    assert.equal(brief.note, undefined);
  },
  async elements() {
    const [found] = resources(await search({ _id: known.id, _elements: 'authoredOn,identifier' }), type);
    assert.deepEqual(Object.keys(found).sort(), [
      'authoredOn', 'id', 'identifier', 'intent', 'meta', 'resourceType', 'status', 'subject',
    ]);
  },
  async total() {
    assert.equal((await search({ _total: 'none' })).total, undefined);
    assert.ok((await search({ _total: 'accurate' })).total >= 2);
    assert.ok((await search({ _total: 'estimate' })).total >= 2);
  },
  async pages() {
    const page = await search({ _count: 1, _sort: '-authored' });
    const next = await client.nextPage({ bundle: page });
    assert.notEqual(next.entry[0].fullUrl, page.entry[0].fullUrl);
  },
  async 'search-by-post'() {
    assert.equal((await search({ _id: known.id }, { postSearch: true })).total, 1);
  },
  async strings() {
    for (const family of ['STRAUSS-E\u0301MOND', 'strauß-émond', 'Strauss-Emond']) {
      assert.equal((await client.search({ resourceType: 'Patient', searchParams: { family } })).total, 1, family);
    }
    const exactly = { 'family:exact': 'strauß-émond' };
    assert.equal((await client.search({ resourceType: 'Patient', searchParams: exactly })).total, 0);
  },
  async tokens() {
    const status = (system) => search({ _id: known.id, status: `${system}|active` });
    assert.equal((await status('http://hl7.org/fhir/request-status')).total, 1);
    assert.equal((await status('http://hl7.org/fhir/task-status')).total, 0);
    assert.equal((await search({ _id: known.id, 'status:not': 'active' })).total, 0);
    assert.equal((await search({ _id: known.id, 'identifier:missing': 'false' })).total, 1);
  },
  async handling() {
    const asked = { _id: known.id, performer: 'Organization/any' };
    const found = await search(asked, { headers: { Prefer: 'handling=lenient' } });
    const notes = found.entry.filter((entry) => entry.search.mode === 'outcome');
    assert.match(JSON.stringify(notes), /performer/);
    await refused(search(asked, { headers: { Prefer: 'handling=strict' } }), 400);
  },
  async history() {
    const page = await client.request(`${type}/${known.id}/_history?_count=1`);
    assert.equal(page.entry.length, 1);
    const first = await client.vread({ resourceType: type, id: known.id, version: '1' });
    assert.equal(first.meta.versionId, '1');
    const later = new Date(Date.now() + 60_000).toISOString();
    const none = await client.request(`${type}/${known.id}/_history?_since=${later}`);
    assert.equal(none.entry, undefined);
  },
  async 'conditional-create'() {
    const [{ system, value }] = known.referral.identifier;
    const headers = { 'If-None-Exist': `identifier=${system}|${value}` };
    const answer = await client.create({ resourceType: type, body: known.referral, options: { headers } });
    assert.deepEqual([statusOf(answer), answer.id], [200, known.id]);
  },
  async prefer() {
    for (const [wanted, kind] of [['minimal', undefined], ['OperationOutcome', 'OperationOutcome'],
      ['representation', type]]) {
      const [body] = resources(read('bare.json'), type);
      body.identifier[0].value = `KIT-${wanted}`;
      const headers = { Prefer: `return=${wanted}` };
      const answer = await client.create({ resourceType: type, body, options: { headers } });
      assert.equal(answer.resourceType, kind);
      assert.match(Client.httpFor(answer).response.headers.get('location'), /_history\/1$/);
    }
  },
  async gzip() {
    const answer = await search({ _id: known.id, _revinclude: 'Task:focus' });
    assert.equal(Client.httpFor(answer).response.headers.get('content-encoding'), 'gzip');
  },
  async xml() {
    const headers = { accept: 'application/fhir+xml' };
    await refused(client.read({ resourceType: type, id: known.id, options: { headers } }), 406);
    await refused(client.request(`${type}/${known.id}?_format=xml`), 406);
    for (const format of ['json', 'application/json', 'application/fhir+json', 'text/json']) {
      await client.request(`${type}/${known.id}?${new URLSearchParams({ _format: format })}`, { options: { headers } });
    }
  },
  async head() {
    const answer = await client.request(`${type}/${known.id}`, { method: 'HEAD' });
    assert.match(Client.httpFor(answer).response.headers.get('etag'), /^W\/"[0-9]+"$/);
  },
  async options() {
    const origin = 'https://app.example';
    const headers = { Origin: origin, 'Access-Control-Request-Method': 'GET' };
    const asked = await fetch(`${base}/${type}`, { method: 'OPTIONS', headers });
    assert.equal(asked.headers.get('access-control-allow-origin'), origin);
    const plain = await fetch(`${base}/${type}`, { method: 'OPTIONS' });
    assert.match(plain.headers.get('allow'), /GET/);
  },
  async 'trailing-slash'() {
    const slash = new Client({ baseUrl: `${base}/`, bearerToken: token });
    assert.equal((await slash.search({ resourceType: type, searchParams: { _id: known.id } })).total, 1);
    assert.equal((await client.request(`${type}/${known.id}/`)).id, known.id);
  },
  async patch() {
    const { id } = await sent('KIT-patch');
    const bare = [{ op: 'replace', path: '/status', value: 'revoked' }];
    const outcome = await refused(client.patch({ resourceType: type, id, jsonPatch: bare }), 422);
    assert.match(JSON.stringify(outcome), /note/);
    const jsonPatch = [...bare, { op: 'add', path: '/note', value: [{ text: 'The patient has moved away.' }] }];
    assert.equal((await client.patch({ resourceType: type, id, jsonPatch })).status, 'revoked');
  },
  async put() {
    const body = await sent('KIT-put');
    body.status = 'revoked';
    body.note = [...(body.note ?? []), { text: 'The patient has moved away.' }];
    assert.equal((await client.update({ resourceType: type, id: body.id, body })).status, 'revoked');
  },
};

for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`ok ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`failed ${name}: ${String(error).replace(/\s+/g, ' ')} ${JSON.stringify(error.response?.data ?? '').slice(0, 300)}`);
  }
}
process.exitCode = failed ? 1 : 0;
