import { fakeCall } from '@batchsender/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrmPayload } from '../../src/payload.ts';
import type { SalesforceCredentials } from '../../src/salesforce/credentials.ts';
import { salesforceProvider } from '../../src/salesforce/salesforce-provider.ts';
import { type Salesforce, salesforceVendor } from '../helpers/salesforce.ts';
import { openSender, type Sender } from '../helpers/session.ts';

let salesforce: Salesforce;
let sender: Sender;
const provider = salesforceProvider();

const open = (credentials: Partial<SalesforceCredentials> = {}) =>
  openSender(provider, { accessToken: salesforce.token, instanceUrl: salesforce.url, ...credentials });

beforeEach(async () => {
  salesforce = await salesforceVendor();
  sender = await open();
});

afterEach(() => salesforce.close());

const contact = (n: number, more: Partial<CrmPayload> = {}): CrmPayload => ({
  operation: 'create',
  object: 'Contact',
  record: { Number__c: `C-${n}`, Email: `person${n}@example.com` },
  ...more,
});

const upsert = (n: number, more: Partial<CrmPayload> = {}) =>
  contact(n, { operation: 'upsert', externalIdField: 'Number__c', ...more });

const many = (count: number, make: (n: number) => CrmPayload) =>
  Array.from({ length: count }, (_none, n) => make(n));

const paths = () => salesforce.requests.map(({ method, url }) => `${method} ${url.pathname}`);

describe('small groups', () => {
  it('creates 200 a request by sObject Collections', async () => {
    const results = await sender.send(many(450, contact));
    expect(results.map(({ status }) => status)).toEqual(Array(450).fill('succeeded'));
    expect(paths()).toEqual(Array(3).fill('POST /services/data/v62.0/composite/sobjects'));
    expect(results.map((result) => (result as { ref: string }).ref)).toEqual(
      salesforce.ledger.map(({ id }) => id),
    );
  });

  it('upserts by an external id, and says which ones are new', async () => {
    await sender.send([upsert(1)]);
    expect(await sender.send([upsert(1), upsert(2)])).toMatchObject([
      { status: 'succeeded', data: { created: false } },
      { status: 'succeeded', data: { created: true } },
    ]);
    expect(salesforce.records.size).toBe(2);
    expect(paths()[0]).toBe('PATCH /services/data/v62.0/composite/sobjects/Contact/Number__c');
  });

  it('updates and deletes by id; what is gone already is gone', async () => {
    const [made] = await sender.send([contact(1)]);
    const id = (made as { ref: string }).ref;
    const update: CrmPayload = {
      operation: 'update',
      object: 'Contact',
      id,
      record: { Title: 'Countess', Fax: null },
    };
    expect(await sender.send([update])).toMatchObject([{ status: 'succeeded', ref: id }]);
    expect(salesforce.records.get(id)).toMatchObject({ Title: 'Countess', Fax: null });
    const gone: CrmPayload = { operation: 'delete', object: 'Contact', id };
    expect(await sender.send([gone])).toMatchObject([{ status: 'succeeded', ref: id }]);
    expect(await sender.send([gone])).toMatchObject([{ status: 'succeeded', data: { alreadyGone: true } }]);
  });

  it('fails one record without the others, with code and field and without the value', async () => {
    salesforce.problem = ({ Number__c: number }) =>
      number === 'C-3'
        ? {
            statusCode: 'INVALID_EMAIL_ADDRESS',
            message: 'Email: invalid email address: person3@example.com',
            fields: ['Email'],
          }
        : undefined;
    const results = await sender.send(many(5, contact));
    expect(results.map(({ status }) => status)).toEqual([
      'succeeded',
      'succeeded',
      'succeeded',
      'failed',
      'succeeded',
    ]);
    expect(results[3]).toMatchObject({
      code: 'invalid_email_address',
      message: 'Email: invalid email address: …',
      data: { field: 'Email' },
    });
  });

  it('tries a locked row again', async () => {
    salesforce.problem = () => ({ statusCode: 'UNABLE_TO_LOCK_ROW', message: 'unable to lock', fields: [] });
    expect(await sender.send([upsert(1)])).toMatchObject([
      { status: 'retry', code: 'unable_to_lock_row', afterMs: 5_000 },
    ]);
  });

  it('fails those that have an unknown field, and writes the others', async () => {
    salesforce.fields = new Set(['Number__c', 'Email']);
    const odd = (n: number) => contact(n, { record: { Number__c: `C-${n}`, Nick__c: 'x' } });
    const results = await sender.send(many(10, (n) => (n === 4 ? odd(n) : contact(n))));
    expect(results[4]).toMatchObject({ status: 'failed', code: 'invalid_field', data: { field: 'Nick__c' } });
    expect(results.filter(({ status }) => status === 'succeeded')).toHaveLength(9);
    expect(salesforce.requests).toHaveLength(2);
  });

  it('fails what Salesforce cannot be given without a request', async () => {
    const results = await sender.send([
      { operation: 'update', object: 'Contact', externalIdField: 'Number__c', record: { Number__c: 'C-1' } },
      contact(1, { record: { attributes: { type: 'User' }, Email: 'a@b.example' } }),
    ]);
    expect(results).toMatchObject([{ code: 'id_required' }, { code: 'invalid_field_name' }]);
    expect(salesforce.requests).toHaveLength(0);
  });

  it('fails an object that does not exist in one request', async () => {
    const results = await sender.send(many(50, (n) => contact(n, { object: 'Nothing__c' })));
    expect(results).toMatchObject(Array(50).fill({ status: 'failed', code: 'not_found' }));
    expect(salesforce.requests).toHaveLength(1);
  });

  it('notes a create before it is sent, and leaves a lost one undecided', async () => {
    salesforce.mood = 'drop';
    const call = fakeCall();
    expect(await sender.send([contact(1)], call)).toMatchObject([
      { status: 'retry', possibleDuplicate: true },
    ]);
    expect(call.notes).toEqual([{ collections: true }]);
    const [job] = many(1, contact).map((payload) => ({
      id: 'b.0',
      batchId: 'b',
      seq: 0,
      payload,
      attempt: 1,
      possibleDuplicate: true,
      ageMs: 2_000,
    }));
    if (job === undefined) throw new Error('no job');
    expect(
      await sender.session.resolve?.([{ ...job, note: { collections: true } }], fakeCall()),
    ).toMatchObject([{ status: 'undecided' }]);
    expect(await sender.session.resolve?.([job], fakeCall())).toMatchObject([
      { status: 'retry', code: 'not_sent' },
    ]);
  });
});

describe('calls that Salesforce refuses', () => {
  it('waits for the daily limit, and shorter for the concurrent one', async () => {
    salesforce.mood = 'throttle';
    expect(await sender.send([upsert(1)])).toMatchObject([
      { status: 'throttled', code: 'daily_limit', afterMs: 900_000 },
    ]);
    salesforce.limit = 'ConcurrentPerOrgLongTxn Limit exceeded.';
    expect(await sender.send([upsert(1)])).toMatchObject([{ status: 'throttled', code: 'concurrent_limit' }]);
  });

  it('blocks for an expired and a missing token', async () => {
    salesforce.mood = 'auth';
    expect(await sender.send([upsert(1)])).toMatchObject([{ status: 'blocked', code: 'token_expired' }]);
    const nothing = await openSender<SalesforceCredentials>(provider, { instanceUrl: salesforce.url });
    expect(await nothing.send([upsert(1)])).toMatchObject([{ status: 'blocked', code: 'not_connected' }]);
  });

  it('sends no further request once one was refused', async () => {
    salesforce.next.push('fine', 'auth');
    const results = await sender.send(many(600, upsert));
    expect(results.slice(0, 200).every(({ status }) => status === 'succeeded')).toBe(true);
    expect(results.slice(200).every(({ status }) => status === 'blocked')).toBe(true);
    expect(salesforce.requests).toHaveLength(2);
  });

  it('leaves a lost answer, nonsense and a 500 to the guarantee', async () => {
    for (const mood of ['drop', 'garbage', 'broken'] as const) {
      salesforce.mood = mood;
      expect(await sender.send([upsert(1)])).toMatchObject([{ status: 'retry', possibleDuplicate: true }]);
    }
  });

  it('ends with the signal', async () => {
    salesforce.mood = 'hang';
    const call = fakeCall();
    const results = sender.send([upsert(1)], call);
    setTimeout(() => call.abort(), 50);
    expect(await results).toMatchObject([{ status: 'retry', code: 'timeout', possibleDuplicate: true }]);
  });
});

describe('client credentials', () => {
  const ask = () =>
    openSender<SalesforceCredentials>(provider, {
      consumerKey: salesforce.client.id,
      consumerSecret: salesforce.client.secret,
      instanceUrl: salesforce.url,
    });

  it('asks for a token once, and for another one when it has expired', async () => {
    const own = await ask();
    await own.send([upsert(1)]);
    await own.send([upsert(2)]);
    expect(paths().filter((path) => path.includes('token'))).toHaveLength(1);
    salesforce.mood = 'auth';
    // A token that is refused at once would be refused again.
    expect(await own.send([upsert(3)])).toMatchObject([{ status: 'blocked', code: 'auth_failed' }]);
    salesforce.mood = 'fine';
    expect(await own.send([upsert(3)])).toMatchObject([{ status: 'succeeded' }]);
    expect(paths().filter((path) => path.includes('token'))).toHaveLength(2);
  });

  it('blocks if they are wrong', async () => {
    const own = await openSender<SalesforceCredentials>(provider, {
      consumerKey: 'another',
      consumerSecret: 'another-secret',
      instanceUrl: salesforce.url,
    });
    expect(await own.send([upsert(1)])).toMatchObject([{ status: 'blocked', code: 'invalid_client' }]);
  });
});

describe('health', () => {
  it('tells whether the token works, and when the day is used up', async () => {
    const { signal } = new AbortController();
    expect(await sender.session.health?.(signal)).toBeUndefined();
    salesforce.remaining = 0;
    expect(await sender.session.health?.(signal)).toMatchObject({ code: 'daily_limit' });
    salesforce.mood = 'auth';
    expect(await sender.session.health?.(signal)).toMatchObject({ code: 'token_expired' });
  });
});
