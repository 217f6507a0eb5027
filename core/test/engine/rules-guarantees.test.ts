import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LedgerCall, LedgerProvider } from '../../chaos/ledger.ts';
import type { CallFate } from '../../chaos/ledger-receiver.ts';
import { ledgerBatch } from '../../chaos/load.ts';
import { dropFirst, type FaultWorld, faultWorld } from '../helpers/fault-world.ts';

// Processes that start, leases that run out: on a loaded machine that takes its time.
vi.setConfig({ testTimeout: 180_000 });

let world: FaultWorld;
afterEach(() => world.close());

const JOBS = 5;

interface Expected {
  /** How each job ends. */
  readonly state: 'succeeded' | 'unknown';
  /** How often each job was called: what the receiver saw. */
  readonly calls: number;
  /** The log flags the job as a possible duplicate. */
  readonly flagged: boolean;
}

const UNKNOWN: Expected = { state: 'unknown', calls: 1, flagged: false };
const ONCE: Expected = { state: 'succeeded', calls: 1, flagged: false };
const TWICE: Expected = { state: 'succeeded', calls: 2, flagged: false };

/** How every job of the batch ended, and what is wrong. */
async function seen(): Promise<Expected[]> {
  expect(await world.verdict()).toMatchObject({ jobs: JOBS, stuck: 0, failed: 0, problems: [] });
  const engine = world.engine();
  const { items } = await engine.listBatches();
  const jobs = (await engine.listJobs(items[0]?.id ?? '')).items;
  const { ledger } = world.receiver;
  return jobs.map(({ id, state, possibleDuplicate }) => ({
    state: state as Expected['state'],
    calls: ledger.filter(({ jobId }) => jobId === id).length,
    flagged: possibleDuplicate,
  }));
}

const all = (expected: Expected): Expected[] => Array.from({ length: JOBS }, () => expected);

describe('a provider that takes a call and never answers it', () => {
  it.each<[LedgerProvider, Expected]>([
    ['once', UNKNOWN],
    ['least', { ...TWICE, flagged: true }],
    ['keyed', TWICE],
    ['keyedcall', TWICE],
    ['asked', ONCE],
  ])('%s: %j', async (provider, expected) => {
    world = await faultWorld({ fate: dropFirst() });
    const engine = world.engine();
    await engine.start();
    await engine.submit(ledgerBatch(provider, JOBS));
    expect(await seen()).toEqual(all(expected));
    // A repeat has the key of its first call; with a key for the call, also exactly its jobs.
    const keys = new Set(world.receiver.ledger.map(({ key, members }) => `${key} ${members.join()}`));
    if (provider === 'keyed') expect(keys.size).toBe(JOBS);
    if (provider === 'keyedcall') expect(keys.size).toBe(1);
  });

  it('asked: a call that never arrived is absent, and made again after the time to settle', async () => {
    world = await faultWorld({ fate: loseFirst() });
    const engine = world.engine();
    await engine.start();
    await engine.submit(ledgerBatch('asked', JOBS));
    expect(await seen()).toEqual(all(ONCE));
    const { rows } = await world.pool.query(
      `SELECT seq, min(at) AS first, max(at) AS last, count(*)::int AS fences
       FROM batchsender.job_events WHERE kind = 'attempted' GROUP BY seq`,
    );
    for (const { first, last, fences } of rows) {
      expect(fences).toBe(2);
      expect(last - first).toBeGreaterThanOrEqual(200);
    }
  });
});

/** The first call with each key does not arrive. */
function loseFirst(): (call: LedgerCall) => CallFate {
  const drop = dropFirst();
  return (call) => (drop(call) === 'drop' ? 'lose' : 'answer');
}

describe('a process that is killed around its first call', () => {
  it.each<[LedgerProvider, string, Expected]>([
    ['once', 'before-call:1:kill', { ...UNKNOWN, calls: 0 }],
    ['once', 'after-call:1:kill', UNKNOWN],
    ['least', 'before-call:1:kill', { ...ONCE, flagged: true }],
    ['least', 'after-call:1:kill', { ...TWICE, flagged: true }],
    ['keyed', 'before-call:1:kill', ONCE],
    ['keyed', 'after-call:1:kill', TWICE],
    ['keyedcall', 'before-call:1:kill', ONCE],
    ['keyedcall', 'after-call:1:kill', TWICE],
    ['asked', 'before-call:1:kill', ONCE],
    ['asked', 'after-call:1:kill', ONCE],
  ])('%s, %s: the job of that call ends as %j', async (provider, failpoint, expected) => {
    world = await faultWorld({});
    const other = world.engine();
    await other.submit(ledgerBatch(provider, JOBS));
    expect(await world.runner({ plugin: { concurrency: 1 } }, failpoint).ended).toBe('SIGKILL');
    await world.pool.query('DELETE FROM batchsender.leadership');
    await other.start();
    const outcomes = await seen();
    expect(outcomes).toContainEqual(expected);
    if (provider === 'once') expect(outcomes.filter(({ state }) => state === 'unknown')).toHaveLength(1);
  });
});
