import type { Resolution, SingleSession } from '@batchsender/core/plugin';
import { fakeCall, fakeJob, fakeOpenContext } from '@batchsender/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrmPayload } from '../../src/payload.ts';
import { pipedrive as provider } from '../../src/pipedrive/pipedrive-provider.ts';
import { type Pipedrive, pipedriveVendor } from '../helpers/pipedrive.ts';

/** The key of a custom field, such as one for the ids of another system. */
const KEY = 'dcf558aac1ae4e8c4f849ba5e668430d8df9be12';

let pipedrive: Pipedrive;
let session: SingleSession<CrmPayload>;

async function open(apiToken = pipedrive.token) {
  const context = fakeOpenContext();
  return (await provider.open({ apiToken, baseUrl: pipedrive.url }, context)) as SingleSession<CrmPayload>;
}

beforeEach(async () => {
  pipedrive = await pipedriveVendor();
  session = await open();
});

afterEach(() => pipedrive.close());

const person = (more: Partial<CrmPayload> = {}): CrmPayload => ({
  operation: 'create',
  object: 'persons',
  record: { name: 'Ada Lovelace', emails: [{ value: 'ada@example.com', primary: true }], [KEY]: 'P-1' },
  ...more,
});

const upsert = (more: Partial<CrmPayload> = {}) =>
  person({ operation: 'upsert', externalIdField: KEY, ...more });

const send = (payload: CrmPayload, call = fakeCall()) => session.process(fakeJob(payload), call);

const paths = () => pipedrive.requests.map(({ method, url }) => `${method} ${url.pathname}`);

describe('records that Pipedrive takes', () => {
  it('creates, with custom fields in an object of their own', async () => {
    expect(await send(person())).toMatchObject({ status: 'succeeded', ref: '100' });
    expect(pipedrive.requests[0]?.json).toEqual({
      name: 'Ada Lovelace',
      emails: [{ value: 'ada@example.com', primary: true }],
      custom_fields: { [KEY]: 'P-1' },
    });
    expect(paths()).toEqual(['POST /api/v2/persons']);
  });

  it('upserts by a search: a record that is there is updated', async () => {
    const call = fakeCall();
    expect(await send(upsert(), call)).toMatchObject({
      status: 'succeeded',
      ref: '100',
      data: { created: true },
    });
    expect(call.notes).toEqual([{ creating: true }]);
    expect(await send(upsert())).toMatchObject({ status: 'succeeded', ref: '100', data: { created: false } });
    expect(pipedrive.records.size).toBe(1);
  });

  it('updates and deletes by id or by external id', async () => {
    await send(person());
    expect(await send(person({ operation: 'update', id: '100' }))).toMatchObject({
      status: 'succeeded',
      ref: '100',
    });
    const update = upsert({ operation: 'update' });
    expect(await send(update)).toMatchObject({ status: 'succeeded', ref: '100' });
    expect(await send(upsert({ operation: 'delete' }))).toMatchObject({ status: 'succeeded', ref: '100' });
    expect(pipedrive.records.size).toBe(0);
    expect(await send(update)).toMatchObject({ status: 'failed', code: 'not_found' });
    expect(await send(upsert({ operation: 'delete' }))).toMatchObject({ data: { alreadyGone: true } });
    const gone: CrmPayload = { operation: 'delete', object: 'persons', id: '100' };
    expect(await send(gone)).toMatchObject({ status: 'succeeded', data: { alreadyGone: true } });
  });
});

describe('records that Pipedrive refuses', () => {
  it('fails with code and field and without the value', async () => {
    pipedrive.refused = () => true;
    expect(await send(person())).toEqual({
      status: 'failed',
      code: 'err_schema_validation_failed',
      message: 'Validation failed: name: must not be …',
      data: { field: 'name' },
    });
  });

  it('fails an external id that several records have', async () => {
    await send(person());
    await send(person());
    expect(await send(upsert())).toMatchObject({
      status: 'failed',
      code: 'ambiguous_external_id',
      data: { field: KEY },
    });
  });

  it('fails an object that it does not know, and one that cannot be searched', async () => {
    expect(await send(person({ object: 'Contact' }))).toMatchObject({ code: 'object_not_supported' });
    expect(await send(upsert({ object: 'activities' }))).toMatchObject({ code: 'id_required' });
    expect(pipedrive.requests).toHaveLength(0);
  });
});

describe('calls that Pipedrive refuses', () => {
  it('waits for the burst limit as long as it says, and longer for the budget of the day', async () => {
    pipedrive.mood = 'throttle';
    expect(await send(person())).toMatchObject({ status: 'throttled', code: 'rate_limited', afterMs: 2_000 });
    pipedrive.limit = { 'x-daily-ratelimit-token-remaining': '0', 'retry-after': '1' };
    expect(await send(person())).toMatchObject({
      status: 'throttled',
      code: 'daily_limit',
      afterMs: 900_000,
    });
  });

  it('blocks for a wrong token', async () => {
    const wrong = await open('another-token');
    expect(await wrong.process(fakeJob(person()), fakeCall())).toMatchObject({
      status: 'blocked',
      code: 'auth_failed',
    });
  });

  it('leaves a lost answer, nonsense and a 502 to the guarantee', async () => {
    for (const mood of ['drop', 'garbage', 'broken'] as const) {
      pipedrive.mood = mood;
      expect(await send(person())).toMatchObject({ status: 'retry', possibleDuplicate: true });
    }
  });

  it('tries again where the search was lost: nothing was written', async () => {
    for (const mood of ['drop', 'garbage', 'broken'] as const) {
      pipedrive.next.push(mood);
      const call = fakeCall();
      const result = await send(upsert(), call);
      expect(result).toMatchObject({ status: 'retry' });
      expect(result).not.toHaveProperty('possibleDuplicate');
      expect(call.notes).toEqual([]);
    }
  });

  it('ends with the signal', async () => {
    pipedrive.mood = 'hang';
    const call = fakeCall();
    const result = send(person(), call);
    setTimeout(() => call.abort(), 50);
    expect(await result).toMatchObject({ status: 'retry', code: 'timeout', possibleDuplicate: true });
  });
});

describe('an upsert whose answer was lost', () => {
  const ask = (note?: { creating: boolean }): Promise<readonly Resolution[]> => {
    const job = { ...fakeJob(upsert()), ageMs: 60_000, ...(note === undefined ? {} : { note }) };
    return session.resolve?.([job], fakeCall()) ?? Promise.resolve([]);
  };

  it('is found again by its external id, and is absent if it never arrived', async () => {
    expect(await ask({ creating: true })).toEqual([{ status: 'absent' }]);
    pipedrive.next.push('fine', 'drop');
    expect(await send(upsert())).toMatchObject({ status: 'retry', possibleDuplicate: true });
    expect(await ask({ creating: true })).toMatchObject([{ status: 'succeeded', ref: '100' }]);
  });

  it('is sent again at once if it had not come so far', async () => {
    expect(await ask()).toMatchObject([{ status: 'retry', code: 'not_sent' }]);
    expect(pipedrive.requests).toHaveLength(0);
  });
});

describe('health', () => {
  it('tells whether the token works', async () => {
    const { signal } = new AbortController();
    expect(await session.health?.(signal)).toBeUndefined();
    pipedrive.token = 'another';
    expect(await session.health?.(signal)).toMatchObject({ code: 'auth_failed' });
  });
});
