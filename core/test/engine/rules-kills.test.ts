import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ledgerBatch, oneBatchEach } from '../../chaos/load.ts';
import { dropRepeatable, type FaultWorld, faultWorld } from '../helpers/fault-world.ts';

// Processes that start, leases that run out: on a loaded machine that takes its time.
vi.setConfig({ testTimeout: 180_000 });

let world: FaultWorld;
beforeEach(async () => {
  world = await faultWorld({ fate: dropRepeatable });
});
afterEach(() => world.close());

const JOBS = 7;

/** A process that kills itself at a failpoint while it works, and another one that finds what it left. */
const AT_WORK = [
  'before-lease:2:kill',
  'after-lease:2:kill',
  'before-attempted:2:kill',
  'during-attempted:2:kill',
  'after-attempted:2:kill',
  'before-call:9:kill',
  'during-call:9:kill',
  'after-call:9:kill',
  'during-flush:2:kill',
  'after-flush:2:kill',
  'before-follow-up:1:kill',
  'during-follow-up:1:kill',
  'after-follow-up:1:kill',
];

describe('E2, E7, E11: a process that is killed at work leaves nothing undone and nothing unmarked', () => {
  it.each(AT_WORK)('%s', async (failpoint) => {
    const other = world.engine();
    for (const batch of oneBatchEach(JOBS)) await other.submit(batch);
    const victim = world.runner({}, failpoint);
    expect(await victim.ended).toBe('SIGKILL');
    // Its leadership would expire after three seconds: a test need not wait for that.
    await world.pool.query('DELETE FROM batchsender.leadership');
    await other.start();
    const verdict = await world.verdict();
    expect(verdict).toMatchObject({ jobs: 5 * JOBS, stuck: 0, failed: 0, problems: [] });
    // Only calls under at-most-once may end without an answer: those in flight, of one chunk at most.
    expect(verdict.unknown).toBeLessThanOrEqual(JOBS);
  });
});

/** A process that kills itself while it takes a batch in. */
const AT_INTAKE = [
  ['before-submit:1:kill', 20],
  ['during-submit:1:kill', 20],
  ['after-submit:1:kill', 20],
  ['before-slice:2:kill', 2_500],
  ['during-slice:2:kill', 2_500],
  ['after-slice:2:kill', 2_500],
  ['before-commit:1:kill', 2_500],
  ['during-commit:1:kill', 2_500],
  ['after-commit:1:kill', 2_500],
] as const;

describe('E13: a process that is killed at intake leaves the whole batch or nothing of it', () => {
  it.each(AT_INTAKE)('%s, %i jobs', async (failpoint, jobs) => {
    const victim = world.runner({ idle: true }, failpoint);
    await victim.ready();
    expect(await victim.order({ submit: ledgerBatch('keyedcall', jobs) })).toBeUndefined();
    expect(await victim.ended).toBe('SIGKILL');
    const { rows } = await world.pool.query('SELECT total FROM batchsender.batches');
    expect([[], [{ total: jobs }]]).toContainEqual(rows);
    if (failpoint.startsWith('before')) expect(rows).toEqual([]);
    if (failpoint.startsWith('after') && !failpoint.includes('slice')) expect(rows).toHaveLength(1);
    await world.engine({ tuning: { chunkSize: 500 } }).start();
    const stored = rows.length * jobs;
    expect(await world.verdict()).toMatchObject({ jobs: stored, succeeded: stored, stuck: 0, problems: [] });
  });

  it.each(['before-seal:1:kill', 'during-seal:1:kill', 'after-seal:1:kill'])('%s', async (failpoint) => {
    const other = world.engine();
    const { id } = await other.submit({ ...ledgerBatch('keyed', 20), sealed: false });
    const victim = world.runner({ idle: true }, failpoint);
    await victim.ready();
    expect(await victim.order({ seal: id })).toBeUndefined();
    expect(await victim.ended).toBe('SIGKILL');
    await other.start();
    // Who has got no answer asks again.
    await other.seal(id).catch((error: { code: string }) => expect(error.code).toBe('batch_state_conflict'));
    expect(await world.verdict()).toMatchObject({ jobs: 20, succeeded: 20, stuck: 0, problems: [] });
  });
});
