import type { Engine, EngineOptions } from '@batchsender/core';
import type { Plugin } from '@batchsender/core/plugin';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ended, sleep, testWorld, until } from '../../../core/test/helpers/engine-world.ts';
import { crmPlugin } from '../src/index.ts';
import type { CrmPayload } from '../src/payload.ts';
import { type Hubspot, hubspotVendor } from './helpers/hubspot.ts';
import { type Pipedrive, pipedriveVendor } from './helpers/pipedrive.ts';
import { startRunner } from './helpers/runner.ts';
import { type Salesforce, salesforceVendor } from './helpers/salesforce.ts';

const world = testWorld();
const COUNT = 10_000;

let hubspot: Hubspot;
let salesforce: Salesforce;
let pipedrive: Pipedrive;

beforeEach(async () => {
  [hubspot, salesforce, pipedrive] = await Promise.all([
    hubspotVendor(),
    salesforceVendor(),
    pipedriveVendor(),
  ]);
});

afterEach(() => Promise.all([hubspot.close(), salesforce.close(), pipedrive.close()]));

/** Limits of the vendors are switched off where they would only make the test long. */
const credentialsOf = (provider: string): Record<string, string | number> => {
  switch (provider) {
    case 'hubspot':
      return { accessToken: hubspot.token, baseUrl: hubspot.url, requestsPerTenSeconds: 1_000 };
    case 'salesforce':
      return { accessToken: salesforce.token, instanceUrl: salesforce.url };
    case 'pipedrive':
      return { apiToken: pipedrive.token, baseUrl: pipedrive.url, requestsPerTwoSeconds: 10_000 };
    default:
      return { latencyMs: 0 };
  }
};

const plugin = crmPlugin({ salesforce: { checkAfterMs: 20 } });

const engineOf = (own: Plugin = plugin, options: Partial<EngineOptions> = {}): Engine =>
  world.engine({
    ...options,
    plugins: [{ plugin: own }],
    allowNetworks: ['127.0.0.0/8'],
    retry: { baseMs: 20 },
    credentials: (_type, provider) => credentialsOf(provider),
  });

async function started(own?: Plugin): Promise<Engine> {
  const engine = engineOf(own);
  await engine.start();
  return engine;
}

const people = (count: number) =>
  Array.from({ length: count }, (_none, n) => ({
    record: { Number__c: `C-${n}`, Email: `person${n}@example.com` },
  }));

const UPSERT: Partial<CrmPayload> = { operation: 'upsert', object: 'Contact', externalIdField: 'Number__c' };

/** The refs of all jobs that succeeded. */
async function refsOf(batchId: string): Promise<string[]> {
  const rows = await world.sql(
    "SELECT data->>'ref' AS ref FROM batchsender.job_events WHERE batch_id = $1 AND kind = 'succeeded'",
    [batchId],
  );
  return rows.map((row: { ref: string }) => row.ref);
}

const sorted = (texts: Iterable<unknown>) => [...texts].map(String).toSorted();

describe('ten thousand records, of which some are refused', () => {
  const isBad = (n: number) => n % 500 === 7;
  const bad = Array.from({ length: COUNT }, (_none, n) => n).filter(isBad).length;

  it('through HubSpot', async () => {
    hubspot.refused = ({ number }) => isBad(Number(number));
    const engine = await started();
    const { id } = await engine.submit({
      type: 'crm',
      provider: 'hubspot',
      defaults: { operation: 'create', object: 'contacts' },
      jobs: Array.from({ length: COUNT }, (_none, n) => ({
        record: { number: n, email: `p${n}@example.com` },
      })),
    });
    expect((await ended(engine, id)).counts).toMatchObject({
      succeeded: COUNT - bad,
      failed: bad,
      unknown: 0,
    });
    expect(sorted(await refsOf(id))).toEqual(sorted(hubspot.ledger.map((write) => write.id)));
    const traced = new Set(hubspot.ledger.map(({ traceId }) => traceId));
    expect(traced.size).toBe(COUNT - bad);
    expect(hubspot.requests).toHaveLength(COUNT / 100);
  });

  it('through Salesforce, by one bulk job', async () => {
    salesforce.problem = ({ Number__c: number }) =>
      isBad(Number(String(number).slice(2)))
        ? { statusCode: 'INVALID_EMAIL_ADDRESS', message: 'bad address', fields: ['Email'] }
        : undefined;
    const engine = await started();
    const { id } = await engine.submit({
      type: 'crm',
      provider: 'salesforce',
      defaults: UPSERT,
      jobs: people(COUNT),
    });
    expect((await ended(engine, id)).counts).toMatchObject({
      succeeded: COUNT - bad,
      failed: bad,
      unknown: 0,
    });
    expect(sorted(await refsOf(id))).toEqual(sorted(salesforce.ledger.map((write) => write.id)));
    expect(new Set(salesforce.ledger.map(({ via }) => via))).toEqual(new Set(['bulk']));
    expect(salesforce.bulk.jobs.size).toBe(1);
    expect(await engine.getJob(`${id}.7`)).toMatchObject({ state: 'failed', code: 'invalid_email_address' });
  });

  it('through Pipedrive, one by one', async () => {
    for (let id = 1; id <= COUNT; id++) pipedrive.records.set(id, { id, name: 'before' });
    pipedrive.refused = ({ name }) => isBad(Number(String(name).slice(1)));
    const engine = await started();
    const { id } = await engine.submit({
      type: 'crm',
      provider: 'pipedrive',
      defaults: { operation: 'update', object: 'persons' },
      jobs: Array.from({ length: COUNT }, (_none, n) => ({ id: String(n + 1), record: { name: `p${n}` } })),
    });
    expect((await ended(engine, id)).counts).toMatchObject({
      succeeded: COUNT - bad,
      failed: bad,
      unknown: 0,
    });
    expect(sorted(await refsOf(id))).toEqual(sorted(pipedrive.ledger.map((write) => write.id)));
  }, 120_000);

  it('through the sandbox', async () => {
    const engine = await started();
    const jobs = people(COUNT).map(({ record }, n) => ({
      record: isBad(n) ? { ...record, Email: 'ada+fail@example.com' } : record,
    }));
    const { id } = await engine.submit({ type: 'crm', provider: 'sandbox', defaults: UPSERT, jobs });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: COUNT - bad, failed: bad });
  });
});

it('takes the columns of a spreadsheet as variables of the record', async () => {
  const engine = await started();
  const record = { email: '{{ email }}', firstname: '{{ name }}' };
  const { id } = await engine.submit({
    type: 'crm',
    provider: 'hubspot',
    defaults: { operation: 'upsert', object: 'contacts', externalIdField: 'email', record },
    jobs: [{ variables: { email: 'ada@example.com', name: 'Ada' } }],
  });
  expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 1 });
  expect([...hubspot.records.values()][0]?.properties).toEqual({
    email: 'ada@example.com',
    firstname: 'Ada',
  });
});

describe('Salesforce, when things go wrong', () => {
  const OWN = { bulkFrom: 50, checkAfterMs: 20 };
  const own = crmPlugin({ salesforce: OWN });

  const submit = (engine: Engine, count: number) =>
    engine.submit({ type: 'crm', provider: 'salesforce', defaults: UPSERT, jobs: people(count) });

  /** Lets a runner in a process of its own begin, and kills it when Salesforce has got what `arrived` waits for. */
  async function killedRunner(arrived: () => boolean): Promise<{ second: Engine; id: string }> {
    const tuning = { leaseMs: 2_000, rehintMs: 1_000 };
    const second = engineOf(own, { tuning });
    const { id } = await submit(second, 300);
    const first = startRunner({
      database: world.url,
      credentials: credentialsOf('salesforce'),
      salesforce: OWN,
      tuning,
    });
    try {
      await until('the first runner', arrived);
    } finally {
      await first.kill();
    }
    salesforce.bulk.held = false;
    await sleep(tuning.leaseMs);
    // Who looks for dead runners is dead too, and would be replaced after ten seconds.
    await world.sql('DELETE FROM batchsender.leadership');
    await second.start();
    return { second, id };
  }

  const methods = () => salesforce.requests.map(({ method }) => method);

  it('finds a bulk job again whose runner was killed, and uploads nothing twice', async () => {
    salesforce.bulk.held = true;
    const { second, id } = await killedRunner(() => methods().includes('PATCH'));
    expect((await ended(second, id)).counts).toMatchObject({ succeeded: 300, unknown: 0 });
    expect(salesforce.bulk.jobs.size).toBe(1);
    expect(methods().filter((method) => method === 'PUT')).toHaveLength(1);
    expect(salesforce.ledger).toHaveLength(300);
  });

  it('aborts one whose runner was killed during the upload, and writes each record once', async () => {
    salesforce.next.push('fine', 'hang');
    const { second, id } = await killedRunner(() => methods().includes('PUT'));
    expect((await ended(second, id)).counts).toMatchObject({ succeeded: 300, unknown: 0 });
    const states = [...salesforce.bulk.jobs.values()].map(({ state }) => state);
    expect(states).toEqual(['Aborted', 'JobComplete']);
    expect(salesforce.ledger).toHaveLength(300);
  });

  it('is blocked once by a 401 in the middle, and goes on without repeating anybody', async () => {
    const few = crmPlugin({ salesforce: { batchSize: 100, bulkFrom: 1_000 } });
    salesforce.next.push('fine', 'fine', 'auth');
    salesforce.mood = 'auth';
    const engine = await started(few);
    const { id } = await submit(engine, 1_000);
    const blocked = await until('the block', async () => (await engine.getBatch(id)).blocked);
    expect(blocked).toMatchObject({ code: 'token_expired' });
    expect(salesforce.ledger).toHaveLength(200);
    salesforce.mood = 'fine';
    await engine.connections.unblock('crm.salesforce');
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 1_000, failed: 0, unknown: 0 });
    expect(salesforce.ledger).toHaveLength(1_000);
    expect(salesforce.records.size).toBe(1_000);
  });

  it('is blocked by a 401 while a bulk job is under way, and asks on after the unblocking', async () => {
    salesforce.next.push('fine', 'fine', 'fine');
    salesforce.mood = 'auth';
    const engine = await started(own);
    const { id } = await submit(engine, 300);
    await until('the block', async () => (await engine.getBatch(id)).blocked);
    salesforce.mood = 'fine';
    await engine.connections.unblock('crm.salesforce');
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 300, failed: 0, unknown: 0 });
    expect(methods().filter((method) => method === 'PUT')).toHaveLength(1);
    expect(salesforce.ledger).toHaveLength(300);
  });

  it('fails an unknown field where it is, and not the batch', async () => {
    salesforce.fields = new Set(['Number__c', 'Email']);
    const engine = await started(own);
    const jobs = people(200).map(({ record }, n) => ({
      record: n % 50 === 3 ? { ...record, Nick__c: 'x' } : record,
    }));
    const { id } = await engine.submit({ type: 'crm', provider: 'salesforce', defaults: UPSERT, jobs });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 196, failed: 4, unknown: 0 });
    expect(salesforce.ledger).toHaveLength(196);
    expect(await engine.getJob(`${id}.3`)).toMatchObject({ state: 'failed', code: 'invalid_field' });
  });
});
