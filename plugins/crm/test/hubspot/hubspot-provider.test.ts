import { fakeCall } from '@batchsender/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HubspotCredentials } from '../../src/hubspot/credentials.ts';
import { hubspot as provider } from '../../src/hubspot/hubspot-provider.ts';
import type { CrmPayload } from '../../src/payload.ts';
import { type Hubspot, hubspotVendor } from '../helpers/hubspot.ts';
import { openSender, type Sender } from '../helpers/session.ts';

let hubspot: Hubspot;
let sender: Sender;

const open = (credentials: Partial<HubspotCredentials> = {}) =>
  openSender(provider, { accessToken: hubspot.token, baseUrl: hubspot.url, ...credentials });

beforeEach(async () => {
  hubspot = await hubspotVendor();
  sender = await open();
});

afterEach(() => hubspot.close());

const contact = (name: string, more: Partial<CrmPayload> = {}): CrmPayload => ({
  operation: 'create',
  object: 'contacts',
  record: { email: `${name}@example.com`, firstname: name },
  ...more,
});

const upsert = (name: string, more: Partial<CrmPayload> = {}) =>
  contact(name, { operation: 'upsert', externalIdField: 'email', ...more });

const names = (count: number) => Array.from({ length: count }, (_none, n) => `person${n}`);

describe('records that HubSpot takes', () => {
  it('creates a hundred in one request, each with the id of its job', async () => {
    const results = await sender.send(names(100).map((name) => contact(name)));
    expect(hubspot.requests).toHaveLength(1);
    expect(results.map((result) => result.status)).toEqual(Array(100).fill('succeeded'));
    for (const result of results) {
      const write = hubspot.ledger.find(({ traceId }) => traceId === result.jobId);
      expect(result).toMatchObject({ ref: write?.id });
    }
  });

  it('upserts by a property, and says which ones are new', async () => {
    await sender.send([upsert('Ada')]);
    const results = await sender.send([upsert('Ada'), upsert('Grace')]);
    expect(results).toMatchObject([
      { status: 'succeeded', ref: '1000', data: { created: false } },
      { status: 'succeeded', data: { created: true } },
    ]);
    expect(hubspot.records.size).toBe(2);
  });

  it('updates and archives by id', async () => {
    const [made] = await sender.send([contact('Ada')]);
    const id = (made as { ref: string }).ref;
    const update: CrmPayload = {
      operation: 'update',
      object: 'contacts',
      id,
      record: { jobtitle: 'Countess' },
    };
    expect(await sender.send([update])).toMatchObject([{ status: 'succeeded', ref: id }]);
    expect(hubspot.records.get(id)?.properties).toMatchObject({ firstname: 'Ada', jobtitle: 'Countess' });
    expect(await sender.send([{ operation: 'delete', object: 'contacts', id }])).toMatchObject([
      { status: 'succeeded', ref: id },
    ]);
    expect(hubspot.records.size).toBe(0);
  });

  it('writes numbers, truth values and lists as HubSpot takes them, and null as an empty text', async () => {
    const record = { email: 'a@b.example', age: 36, active: true, tags: ['a', 'b'], fax: null };
    await sender.send([contact('Ada', { record })]);
    expect([...hubspot.records.values()][0]?.properties).toEqual({
      email: 'a@b.example',
      age: '36',
      active: 'true',
      tags: 'a;b',
      fax: '',
    });
  });

  it('tells results apart without trace ids, in another order', async () => {
    hubspot.traceless = true;
    hubspot.mangle = (body) => ({ ...body, results: (body['results'] as object[]).toReversed() });
    const made = await sender.send(names(5).map((name) => contact(name)));
    const again = await sender.send(names(5).map((name) => upsert(name.toUpperCase())));
    expect(again).toMatchObject(
      made.map((result) => ({ status: 'succeeded', ref: (result as { ref: string }).ref })),
    );
    const update = made.map(
      (result): CrmPayload => ({
        operation: 'update',
        object: 'contacts',
        id: (result as { ref: string }).ref,
        record: { firstname: 'x' },
      }),
    );
    expect(await sender.send(update)).toMatchObject(
      update.map(({ id }) => ({ status: 'succeeded', ref: id })),
    );
  });
});

describe('records that HubSpot refuses', () => {
  it('maps a 207 record by record, with code and field and without the value', async () => {
    hubspot.refused = ({ firstname }) => firstname === 'person3';
    const results = await sender.send(names(6).map((name) => contact(name)));
    expect(hubspot.requests).toHaveLength(1);
    expect(results.map((result) => result.status)).toEqual(
      names(6).map((name) => (name === 'person3' ? 'failed' : 'succeeded')),
    );
    expect(results[3]).toMatchObject({ code: 'invalid_email', data: { field: 'email' } });
    expect(JSON.stringify(results[3])).not.toMatch(/person3@|person3\b/);
  });

  it('finds the bad one in a request that was refused as a whole, and writes the others once', async () => {
    hubspot.refused = ({ firstname }) => firstname === 'person77';
    const results = await sender.send(names(100).map((name) => upsert(name)));
    expect(results.filter((result) => result.status === 'succeeded')).toHaveLength(99);
    expect(results[77]).toMatchObject({ status: 'failed', code: 'invalid_email' });
    expect(hubspot.ledger).toHaveLength(99);
    expect(hubspot.requests.length).toBeLessThanOrEqual(15);
  });

  it('fails those that carry an unknown property in one more request', async () => {
    hubspot.properties = new Set(['email', 'firstname']);
    const results = await sender.send(
      names(100).map((name, n) =>
        upsert(name, n % 2 === 0 ? {} : { record: { email: `${name}@x.example`, nick: 'n' } }),
      ),
    );
    expect(hubspot.requests).toHaveLength(2);
    expect(results[1]).toMatchObject({
      status: 'failed',
      code: 'property_doesnt_exist',
      message: 'Property "nick" does not exist',
      data: { field: 'nick' },
    });
    expect(results.filter((result) => result.status === 'succeeded')).toHaveLength(50);
  });

  it('fails an update of a record that does not exist', async () => {
    const update: CrmPayload = {
      operation: 'update',
      object: 'contacts',
      id: '7',
      record: { firstname: 'x' },
    };
    expect(await sender.send([update])).toMatchObject([{ status: 'failed', code: 'object_not_found' }]);
  });

  it('fails an object that does not exist in one request', async () => {
    const results = await sender.send(names(50).map((name) => upsert(name, { object: 'nothing' })));
    expect(results).toMatchObject(Array(50).fill({ status: 'failed', code: 'invalid_object' }));
    expect(hubspot.requests).toHaveLength(1);
  });

  it('fails what it cannot say in HubSpot without a request', async () => {
    const results = await sender.send([
      contact('Ada', { record: { address: { city: 'London' } } }),
      contact('Grace'),
    ]);
    expect(results).toMatchObject([
      { status: 'failed', code: 'invalid_value', data: { field: 'address' } },
      { status: 'succeeded' },
    ]);
    const byName: CrmPayload = {
      operation: 'delete',
      object: 'contacts',
      externalIdField: 'email',
      record: { email: 'a@b.example' },
    };
    expect(await sender.send([byName])).toMatchObject([{ status: 'failed', code: 'id_required' }]);
    expect(hubspot.requests).toHaveLength(1);
  });

  it('leaves a record without a result unknown, never succeeded', async () => {
    hubspot.mangle = (body) => ({ ...body, results: (body['results'] as object[]).slice(1) });
    expect(await sender.send([contact('Ada'), contact('Grace')])).toMatchObject([
      { status: 'unknown', code: 'missing_result' },
      { status: 'succeeded' },
    ]);
  });
});

describe('calls that HubSpot refuses', () => {
  it('waits as long as a rolling limit asks, and longer for the daily one', async () => {
    hubspot.mood = 'throttle';
    expect(await sender.send([contact('Ada'), contact('Grace')])).toMatchObject(
      Array(2).fill({ status: 'throttled', afterMs: 3_000, scope: 'connection', code: 'rate_limited' }),
    );
    hubspot.limit = { policyName: 'DAILY' };
    expect(await sender.send([contact('Ada')])).toMatchObject([{ status: 'throttled', code: 'daily_limit' }]);
  });

  it('blocks the connection for a wrong, an expired and a missing token', async () => {
    const wrong = await open({ accessToken: 'pat-eu1-wrong' });
    expect(await wrong.send([contact('Ada')])).toMatchObject([{ status: 'blocked', code: 'auth_failed' }]);
    hubspot.mood = 'auth';
    expect(await sender.send([contact('Ada')])).toMatchObject([{ status: 'blocked', code: 'token_expired' }]);
    const session = await openSender<HubspotCredentials>(provider, { baseUrl: hubspot.url });
    expect(await session.send([contact('Ada')])).toMatchObject([
      { status: 'blocked', code: 'not_connected' },
    ]);
  });

  it('sends no more of a call once HubSpot asks for patience', async () => {
    hubspot.refused = ({ firstname }) => firstname === 'person0';
    hubspot.next.push('fine', 'throttle');
    const results = await sender.send(names(4).map((name) => upsert(name)));
    expect(results.map((result) => result.status)).toEqual(Array(4).fill('throttled'));
    expect(hubspot.requests).toHaveLength(2);
  });

  it('leaves a lost answer, nonsense and a 502 to the guarantee', async () => {
    for (const mood of ['drop', 'garbage', 'broken'] as const) {
      hubspot.mood = mood;
      expect(await sender.send([contact('Ada')])).toMatchObject([
        { status: 'retry', possibleDuplicate: true },
      ]);
    }
  });

  it('ends with the signal', async () => {
    hubspot.mood = 'hang';
    const call = fakeCall();
    const results = sender.send([contact('Ada')], call);
    setTimeout(() => call.abort(), 50);
    expect(await results).toMatchObject([{ status: 'retry', code: 'timeout', possibleDuplicate: true }]);
  });

  it('promises more of an upsert than of a create', () => {
    const guarantee = provider.guarantee as (credentials: object, payload: CrmPayload) => { kind: string };
    expect(guarantee({}, contact('Ada')).kind).toBe('at-most-once');
    expect(guarantee({}, upsert('Ada')).kind).toBe('keyed');
  });
});

describe('health', () => {
  it('tells whether the token works', async () => {
    const { signal } = new AbortController();
    expect(await sender.session.health?.(signal)).toBeUndefined();
    hubspot.token = 'another';
    expect(await sender.session.health?.(signal)).toMatchObject({ code: 'auth_failed' });
  });
});
