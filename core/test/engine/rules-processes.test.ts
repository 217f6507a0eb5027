import { afterEach, describe, expect, it, vi } from 'vitest';
import { monotonicMs } from '../../chaos/ledger.ts';
import { ledgerBatch, oneBatchEach } from '../../chaos/load.ts';
import type { RunnerProcess } from '../../chaos/runner-process.ts';
import { until } from '../helpers/engine-world.ts';
import { dropFirst, FAULT_TUNING, type FaultWorld, faultWorld } from '../helpers/fault-world.ts';

// Processes that start, leases that run out: on a loaded machine that takes its time.
vi.setConfig({ testTimeout: 180_000 });

let world: FaultWorld;
afterEach(() => world.close());

const JOBS = 20;
const DAY_MS = 86_400_000;

const callsBy = (runner: RunnerProcess) =>
  world.receiver.ledger.filter(({ engine }) => engine === runner.child.pid).length;

const lateEvents = async (): Promise<number> =>
  (await world.pool.query(`SELECT count(*)::int AS n FROM batchsender.job_events WHERE kind = 'late'`))
    .rows[0].n;

async function submitEach(jobs: number) {
  const engine = world.engine();
  for (const batch of oneBatchEach(jobs)) await engine.submit(batch);
  return engine;
}

describe('a runner that stands still for longer than its lease', () => {
  it('E8, E12: and wakes: it starts no call, and what its calls brought is recorded as late', async () => {
    // Calls are answered after the others have taken over.
    world = await faultWorld({ workMs: 1_500 });
    const other = await submitEach(JOBS);
    const sleeper = world.runner({ plugin: { concurrency: 4, timeoutMs: 60_000 } });
    await until('calls in flight', () => world.receiver.working === 5 * 4);
    sleeper.child.kill('SIGSTOP');
    const stoppedMs = monotonicMs();
    // The sleeper leads the housekeeping too, and is replaced there when its term is over.
    await other.start();
    const verdict = await world.verdict();
    expect(verdict).toMatchObject({ jobs: 5 * JOBS, stuck: 0, failed: 0, problems: [] });
    expect(await lateEvents()).toBe(0);
    sleeper.child.kill('SIGCONT');
    await until('late results', async () => (await lateEvents()) > 0);
    // A call that went through after all is no longer in doubt.
    await until('the late successes', async () => {
      const { rows } = await world.pool.query('SELECT sum(unknown)::int AS n FROM batchsender.batches');
      return rows[0].n < verdict.unknown;
    });
    expect(await sleeper.end('SIGTERM')).toBe(0);
    const calls = world.receiver.ledger.filter(({ engine }) => engine === sleeper.child.pid);
    expect(calls.filter(({ startedMs }) => startedMs > stoppedMs)).toEqual([]);
    expect(await world.verdict()).toMatchObject({ jobs: 5 * JOBS, stuck: 0, failed: 0, problems: [] });
  });

  it('E8: between a fence and its call: the call is not started', async () => {
    world = await faultWorld({});
    const other = world.engine();
    await other.submit(ledgerBatch('once', JOBS));
    const stallMs = 5 * (FAULT_TUNING.leaseMs ?? 0);
    const sleeper = world.runner({}, `after-attempted:1:stall=${stallMs}`);
    await until('a fence', async () => {
      const { rows } = await world.pool
        .query(`SELECT 1 FROM batchsender.job_events WHERE kind = 'attempted'`)
        .catch(() => ({ rows: [] }));
      return rows.length > 0;
    });
    await world.pool.query('DELETE FROM batchsender.leadership');
    await other.start();
    const { unknown } = await world.verdict();
    // Fenced, and perhaps called: nobody can know.
    expect(unknown).toBeGreaterThan(0);
    await until('its end of sleep', () => sleeper.messages.some(({ ready }) => ready), 60_000);
    expect(await sleeper.end('SIGTERM')).toBe(0);
    expect(callsBy(sleeper)).toBe(0);
    expect(await world.verdict()).toMatchObject({ jobs: JOBS, stuck: 0, unknown, problems: [] });
  });
});

describe('a wall clock that jumps by a day at each look', () => {
  it('changes nothing: durations are of the monotonic clock, times of the database', async () => {
    world = await faultWorld({ fate: dropFirst() });
    const runner = world.runner({ clockJumpMs: DAY_MS });
    await runner.ready();
    const startedAt = performance.now();
    for (const batch of oneBatchEach(JOBS)) expect(await runner.order({ submit: batch })).toBeDefined();
    const later = { ...ledgerBatch('keyed', JOBS), scheduledAt: new Date(Date.now() + 1_500) };
    expect(await runner.order({ submit: later })).toBeDefined();
    const verdict = await world.verdict();
    expect(verdict).toMatchObject({ jobs: 6 * JOBS, stuck: 0, failed: 0, problems: [] });
    // What is scheduled waits for the database's clock, and retries for theirs: neither a day nor nothing.
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
    expect(verdict.unknown).toBe(JOBS);
    // No lease was lost, and no heartbeat was too old.
    const { rows } = await world.pool.query('SELECT sum(deaths)::int AS deaths FROM batchsender.chunks');
    expect(rows).toEqual([{ deaths: 0 }]);
    const { rows: wrong } = await world.pool.query(
      'SELECT 1 FROM batchsender.job_events WHERE abs(extract(epoch FROM now() - at)) > 3600',
    );
    expect(wrong).toEqual([]);
    expect(await runner.end('SIGTERM')).toBe(0);
  });
});

describe('a process that is asked to end while calls are under way', () => {
  it('ends within its grace period where calls do not fit it; those in flight are marked', async () => {
    world = await faultWorld({ workMs: 1_500 });
    const other = await submitEach(JOBS);
    const leaver = world.runner({ graceMs: 100 });
    await until('calls in flight', () => world.receiver.working >= 2 * JOBS);
    expect(await leaver.end('SIGTERM')).toBe(0);
    await other.start();
    const verdict = await world.verdict();
    expect(verdict).toMatchObject({ jobs: 5 * JOBS, stuck: 0, failed: 0, problems: [] });
    expect(verdict.repeated + verdict.unknown).toBeLessThanOrEqual(callsBy(leaver));
  });
});

describe('a migration to the next release', () => {
  it('E24: while runners of this one work: they go on, and lose nothing', async () => {
    world = await faultWorld({ workMs: 5 });
    const engine = await submitEach(10 * JOBS);
    await engine.start();
    await until('calls', () => world.receiver.ledger.length > JOBS);
    for (const [version, sql] of NEXT_RELEASE.entries()) await migrateOnce(version, sql);
    expect(world.receiver.ledger.length).toBeLessThan(50 * JOBS);
    expect(await world.verdict()).toMatchObject({ jobs: 50 * JOBS, unknown: 0, repeated: 0, problems: [] });
    expect(world.log).toEqual([]);
    // And one that starts now leaves the newer schema alone.
    const late = world.engine();
    await late.start();
    await late.submit(ledgerBatch('once', JOBS));
    expect(await world.verdict()).toMatchObject({ jobs: 51 * JOBS, problems: [] });
  });
});

/** What a release may do to a schema that the one before it still works on. */
const NEXT_RELEASE = [
  'ALTER TABLE batchsender.chunks ADD COLUMN next_release int NOT NULL DEFAULT 7',
  'ALTER TABLE batchsender.batches ADD COLUMN next_release jsonb',
  'ALTER TABLE batchsender.job_event_rows ADD COLUMN next_release text',
  'CREATE INDEX next_release_index ON batchsender.chunks (next_release)',
  'CREATE TABLE batchsender.next_release_table (id int PRIMARY KEY)',
];

/** As `migrate` does it: it gives way after the lock timeout rather than hold up everybody, and is tried again. */
async function migrateOnce(version: number, sql: string): Promise<void> {
  const migration = `BEGIN; SET LOCAL lock_timeout = '200ms'; ${sql};
    INSERT INTO batchsender.migrations (version) VALUES (${9_000 + version}); COMMIT`;
  await until(`migration ${version}`, async () => {
    const client = await world.pool.connect();
    try {
      await client.query(migration);
      return true;
    } catch (error) {
      await client.query('ROLLBACK');
      if ((error as { code?: string }).code !== '55P03') throw error;
      return false;
    } finally {
      client.release();
    }
  });
}
