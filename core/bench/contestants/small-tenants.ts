import { createEngine, type Engine } from '@batchsender/core';
import { benchPayloads } from '../harness/payload.ts';
import { closeClients, openClients } from './client.ts';
import type { Contestant, Setting } from './contestant.ts';
import { prepareEngineTables } from './engine-tables.ts';
import { noopPlugin } from './noop-plugin.ts';

const TENANTS = 99;
const JOBS = 20;
/** Between two arrivals: far enough apart that on their own they do not meet. */
const GAP_MS = 15;
/** The large tenant is at full speed by then. */
const WARM_MS = 500;
const LARGE_TENANT = 'large';

type TenantType = 'noop' | 'paced';

/**
 * Small tenants that arrive one after the other, alone or beside a large one that is at work on the
 * same connection. Answers the milliseconds from before each submit to the end of its batch.
 */
export function smallTenants(type: TenantType): Contestant {
  return {
    prepare: (setting) => prepareEngineTables(setting.databaseUrl),
    tenants: async (setting) => {
      const engine = createEngine({ database: setting.databaseUrl, plugins: [noopPlugin(() => undefined)] });
      await engine.migrate();
      const large = setting.jobs > 0 ? await submitLarge(engine, type, setting.jobs) : undefined;
      await engine.start();
      await warmUp(engine, type);
      const submitted = await arrivals(engine, type);
      const times = await completionTimes(setting, submitted);
      if (large !== undefined) await checkAtWork(engine, large);
      await engine.stop({ graceMs: 1_000 });
      return times;
    },
  };
}

async function submitLarge(engine: Engine, type: TenantType, jobs: number): Promise<string> {
  const { id } = await engine.submit({ type, jobs: benchPayloads(jobs) }, { tenantId: LARGE_TENANT });
  return id;
}

/** Some batches that are not counted, so that neither run is measured with cold code. */
async function warmUp(engine: Engine, type: TenantType): Promise<void> {
  for (let index = 0; index < 10; index++) {
    await engine.submit({ type, jobs: benchPayloads(JOBS) }, { tenantId: `warm${index}` });
    await sleep(WARM_MS / 10);
  }
}

/** The batches with the time before they were submitted. */
async function arrivals(engine: Engine, type: TenantType): Promise<Map<string, number>> {
  const submitted = new Map<string, number>();
  const stored: Promise<void>[] = [];
  for (let index = 0; index < TENANTS; index++) {
    const jobs = benchPayloads(JOBS);
    const before = performance.timeOrigin + performance.now();
    const one = engine.submit({ type, jobs }, { tenantId: `small${index}` });
    stored.push(one.then(({ id }) => void submitted.set(id, before)));
    await sleep(GAP_MS);
  }
  await Promise.all(stored);
  return submitted;
}

/** Asks past the engine, and only when all should be done: asking costs those that are measured. */
async function completionTimes(setting: Setting, submitted: ReadonlyMap<string, number>): Promise<number[]> {
  const clients = await openClients(setting, 1);
  const text = `SELECT id, (extract(epoch FROM completed_at) * 1000)::float8 AS at
    FROM batchsender.batches WHERE id = ANY($1) AND completed_at IS NOT NULL`;
  for (;;) {
    const answer = await clients[0]?.query<{ id: string; at: number }>(text, [[...submitted.keys()]]);
    const rows = answer?.rows ?? [];
    if (rows.length < submitted.size) {
      await sleep(50);
      continue;
    }
    await closeClients(clients);
    return rows.map(({ id, at }) => at - (submitted.get(id) ?? Number.NaN));
  }
}

async function checkAtWork(engine: Engine, batchId: string): Promise<void> {
  const { state } = await engine.getBatch(batchId, { tenantId: LARGE_TENANT });
  if (state !== 'running')
    throw new Error('The large tenant ended before the small ones: give it more --jobs');
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
