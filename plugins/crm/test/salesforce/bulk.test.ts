import type { IdentifiedResult, Resolution, UnresolvedJob } from '@batchsender/core/plugin';
import { type FakeCall, fakeCall } from '@batchsender/core/testing';
import { parse } from 'csv-parse/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrmPayload } from '../../src/payload.ts';
import { salesforceProvider } from '../../src/salesforce/salesforce-provider.ts';
import { type Salesforce, salesforceVendor } from '../helpers/salesforce.ts';
import { jobsFor, openSender, type Sender } from '../helpers/session.ts';

let salesforce: Salesforce;
let sender: Sender;

beforeEach(async () => {
  salesforce = await salesforceVendor();
  const provider = salesforceProvider({ bulkFrom: 3, checkAfterMs: 1 });
  sender = await openSender(provider, { accessToken: salesforce.token, instanceUrl: salesforce.url });
});

afterEach(() => salesforce.close());

const upsert = (n: number, more: Partial<CrmPayload> = {}): CrmPayload => ({
  operation: 'upsert',
  object: 'Contact',
  externalIdField: 'Number__c',
  record: { Number__c: `C-${n}`, Email: `person${n}@example.com` },
  ...more,
});

const create = (n: number): CrmPayload => ({
  operation: 'create',
  object: 'Contact',
  record: { Email: `person${n}@example.com` },
});

const many = (count: number, make: (n: number) => CrmPayload) =>
  Array.from({ length: count }, (_none, n) => make(n));

/** What `resolve` says of these payloads, in their order. */
async function ask(
  payloads: readonly CrmPayload[],
  known: Partial<Pick<UnresolvedJob, 'ref' | 'note' | 'ageMs'>> = {},
) {
  const jobs = jobsFor(payloads).map((job) => ({ ...job, ageMs: 0, ...known }));
  const answers = (await sender.session.resolve?.(jobs, fakeCall())) as IdentifiedResult<Resolution>[];
  return jobs.map(({ id }) => answers.find(({ jobId }) => jobId === id));
}

/** Sends payloads by a bulk job and asks until it is complete. */
async function through(payloads: readonly CrmPayload[]) {
  const [first] = await sender.send(payloads);
  expect(first).toMatchObject({ status: 'pending' });
  const { ref } = first as { ref: string };
  expect(await ask(payloads, { ref })).toMatchObject(Array(payloads.length).fill({ status: 'pending', ref }));
  return ask(payloads, { ref });
}

const csvOf = (index = 0) => [...salesforce.bulk.jobs.values()][index]?.csv ?? '';

describe('a bulk job', () => {
  it('is noted before a record leaves, and answered as pending', async () => {
    const call = fakeCall();
    const noted: unknown[] = [];
    const watching: FakeCall = {
      ...call,
      async note(data) {
        noted.push({ data, csv: csvOf() });
      },
    };
    const results = await sender.send(many(5, upsert), watching);
    const [id] = [...salesforce.bulk.jobs.keys()];
    expect(results).toMatchObject(Array(5).fill({ status: 'pending', ref: id, checkAfterMs: 1 }));
    expect(noted).toEqual([{ data: { bulkJob: id }, csv: '' }]);
    expect(salesforce.requests.map(({ method }) => method)).toEqual(['POST', 'PUT', 'PATCH']);
  });

  it('writes every record once, and matches results that come in another order', async () => {
    const payloads = many(50, upsert);
    const results = await through(payloads);
    for (const [n, result] of results.entries()) {
      const ref = [...salesforce.records].find(([, record]) => record['Number__c'] === `C-${n}`)?.[0];
      expect(result).toMatchObject({ status: 'succeeded', ref, data: { created: true } });
    }
    expect(salesforce.ledger).toHaveLength(50);
    const again = await through(payloads);
    expect(again[7]).toMatchObject({ status: 'succeeded', data: { created: false } });
    expect(salesforce.records.size).toBe(50);
  });

  it('creates, updates and deletes', async () => {
    const made = await through(many(5, create));
    const ids = made.map((result) => (result as { ref: string }).ref);
    for (const [n, id] of ids.entries()) {
      expect(salesforce.records.get(id)).toMatchObject({ Email: `person${n}@example.com` });
    }
    const update = ids.map(
      (id): CrmPayload => ({ operation: 'update', object: 'Contact', id, record: { Fax: '1' } }),
    );
    expect(await through(update)).toMatchObject(ids.map((ref) => ({ status: 'succeeded', ref })));
    const remove = ids.map((id): CrmPayload => ({ operation: 'delete', object: 'Contact', id }));
    expect(await through(remove)).toMatchObject(ids.map((ref) => ({ status: 'succeeded', ref })));
    expect(csvOf(2)).toBe(`Id\n${ids.join('\n')}\n`);
    expect(salesforce.records.size).toBe(0);
  });

  it('carries commas, quotes, line breaks, other scripts, references and empty fields', async () => {
    const record = {
      Number__c: 'C-0',
      LastName: 'O"Neill, "Jr."\nof;|\t`^ Ελλάς',
      Account: { Number__c: 'A-1' },
      Fax: null,
      Active__c: true,
      Tags__c: ['a', 'b'],
      Age__c: 36,
    };
    const results = await through([upsert(0, { record }), upsert(1), upsert(2)]);
    expect(results).toMatchObject(Array(3).fill({ status: 'succeeded' }));
    expect(parse(csvOf(), { columns: true })[0]).toEqual({
      Number__c: 'C-0',
      LastName: record.LastName,
      'Account.Number__c': 'A-1',
      Fax: '#N/A',
      Active__c: 'true',
      Tags__c: 'a;b',
      Age__c: '36',
      Email: '',
    });
  });

  it('matches by external id where values come back in another form', async () => {
    salesforce.bulk.echo = (row) => ({ ...row, Email: row['Email']?.toUpperCase() ?? '' });
    expect(await through(many(5, upsert))).toMatchObject(Array(5).fill({ status: 'succeeded' }));
    salesforce.bulk.echo = ({ Email: _email, ...row }) => row;
    const made = await through(many(3, create));
    // Nothing tells which row is whose.
    expect(made).toMatchObject(Array(3).fill({ status: 'unknown', code: 'missing_result' }));
  });

  it('fails records one by one, with code and field and without the value', async () => {
    salesforce.problem = ({ Number__c: number }) =>
      number === 'C-2'
        ? {
            statusCode: 'REQUIRED_FIELD_MISSING',
            message: 'Required fields are missing: [LastName] for person2@example.com',
            fields: ['LastName'],
          }
        : undefined;
    const results = await through(many(4, upsert));
    expect(results.map((result) => result?.status)).toEqual([
      'succeeded',
      'succeeded',
      'failed',
      'succeeded',
    ]);
    expect(results[2]).toMatchObject({
      code: 'required_field_missing',
      message: 'Required fields are missing: [LastName] for …',
      data: { field: 'LastName' },
    });
  });

  it('blames an unknown field on those that have it, and tries the others again', async () => {
    salesforce.fields = new Set(['Number__c', 'Email']);
    const odd = upsert(1, { record: { Number__c: 'C-1', Nick__c: 'x' } });
    expect(await through([upsert(0), odd, upsert(2)])).toMatchObject([
      { status: 'retry', code: 'bulk_job_refused' },
      { status: 'failed', code: 'invalid_field', data: { field: 'Nick__c' } },
      { status: 'retry' },
    ]);
  });

  it('counts what was done before it was aborted or failed, and tries the rest again', async () => {
    for (const state of ['Aborted', 'Failed'] as const) {
      salesforce.bulk.stopAfter = { records: 2, state };
      const results = await through(many(4, (n) => upsert(n + (state === 'Failed' ? 10 : 0))));
      expect(results.map((result) => result?.status)).toEqual(['succeeded', 'succeeded', 'retry', 'retry']);
    }
    expect(salesforce.ledger).toHaveLength(4);
  });

  it('that was never closed is aborted, so that nobody can close it, and its records are sent again', async () => {
    // Without the answer to the upload the job is not closed.
    salesforce.next.push('fine', 'drop');
    const call = fakeCall();
    const results = await sender.send(many(3, upsert), call);
    expect(results).toMatchObject(Array(3).fill({ status: 'retry' }));
    expect(results.some((result) => 'possibleDuplicate' in result)).toBe(false);
    const [note] = call.notes;
    if (note === undefined) throw new Error('nothing was noted');
    expect(await ask(many(3, upsert), { note })).toMatchObject(
      Array(3).fill({ status: 'retry', code: 'bulk_job_abandoned' }),
    );
    expect([...salesforce.bulk.jobs.values()].map(({ state }) => state)).toEqual(['Aborted']);
    expect(salesforce.ledger).toEqual([]);
    // The same again, where the process died after it had aborted the job.
    expect(await ask(many(3, upsert), { note })).toMatchObject(
      Array(3).fill({ status: 'retry', code: 'bulk_job_failed' }),
    );
  });

  it('is found again where the answer to its end was lost', async () => {
    salesforce.next.push('fine', 'fine', 'drop');
    const [first] = await sender.send(many(3, upsert));
    expect(first).toMatchObject({ status: 'pending' });
    const { ref } = first as { ref: string };
    await ask(many(3, upsert), { ref });
    expect(await ask(many(3, upsert), { ref })).toMatchObject(Array(3).fill({ status: 'succeeded' }));
    expect(salesforce.bulk.jobs.size).toBe(1);
  });

  it('that was not made leaves nothing behind', async () => {
    for (const mood of ['drop', 'garbage', 'broken'] as const) {
      salesforce.next.push(mood);
      const call = fakeCall();
      const results = await sender.send(many(3, upsert), call).catch((error: unknown) => error);
      if (mood === 'garbage') expect(results).toMatchObject({ code: 'invalid_response' });
      else expect(results).toMatchObject(Array(3).fill({ status: 'retry' }));
      expect(call.notes).toEqual([]);
    }
    salesforce.next.push('throttle');
    expect(await sender.send(many(3, upsert))).toMatchObject(Array(3).fill({ status: 'throttled' }));
    expect(await sender.send(many(3, (n) => upsert(n, { object: 'Nothing__c' })))).toMatchObject(
      Array(3).fill({ status: 'failed', code: 'invalidjob' }),
    );
    expect(salesforce.ledger).toEqual([]);
  });

  it('stays pending while the question is not answered, and blocks for a refused token', async () => {
    const payloads = many(3, upsert);
    const [first] = await sender.send(payloads);
    const { ref } = first as { ref: string };
    for (const mood of ['drop', 'garbage', 'broken'] as const) {
      salesforce.mood = mood;
      expect(await ask(payloads, { ref })).toMatchObject(Array(3).fill({ status: 'pending', ref }));
    }
    salesforce.mood = 'auth';
    expect(await ask(payloads, { ref })).toMatchObject(
      Array(3).fill({ status: 'blocked', code: 'token_expired' }),
    );
    salesforce.mood = 'fine';
    salesforce.bulk.jobs.clear();
    expect(await ask(payloads, { ref })).toMatchObject(Array(3).fill({ status: 'undecided' }));
  });

  it('is asked about less and less often', async () => {
    salesforce.bulk.held = true;
    const payloads = many(3, upsert);
    const [first] = await sender.send(payloads);
    const { ref } = first as { ref: string };
    const waits: number[] = [];
    for (const ageMs of [0, 8_000, 40_000, 3_600_000]) {
      const [answer] = await ask(payloads, { ref, ageMs });
      waits.push((answer as { checkAfterMs: number }).checkAfterMs);
    }
    expect(waits).toEqual([1, 2_000, 10_000, 60_000]);
  });
});
