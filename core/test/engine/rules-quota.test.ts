import { describe, expect, it } from 'vitest';
import { succeeded } from '../../src/plugin/index.ts';
import { ended, sleep, testWorld, until } from '../helpers/engine-world.ts';
import { type Fake, type FakeCall, fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

/** The most that any window of this length saw. */
function mostInWindow(calls: readonly FakeCall[], windowMs: number, cost = (_call: FakeCall) => 1): number {
  const sorted = [...calls].sort((a, b) => a.startedAt - b.startedAt);
  let most = 0;
  let sum = 0;
  let from = 0;
  for (const call of sorted) {
    sum += cost(call);
    while (call.startedAt - (sorted[from] as FakeCall).startedAt >= windowMs) {
      sum -= cost(sorted[from] as FakeCall);
      from += 1;
    }
    most = Math.max(most, sum);
  }
  return most;
}

async function onThreeEngines(mail: Fake, jobs: number, chunkSize = 20): Promise<void> {
  const engines = await Promise.all(
    [1, 2, 3].map(() => world.started({ plugins: [mail], tuning: { chunkSize } })),
  );
  const [engine] = engines as [(typeof engines)[0]];
  const { id } = await engine.submit({ type: 'mail', jobs: numbered(jobs) });
  expect((await ended(engine, id)).counts).toMatchObject({ succeeded: jobs });
  expect([...mail.timesCalled().values()].every((times) => times === 1)).toBe(true);
}

describe('a rate limit', () => {
  it('E16: holds in any window over three engines together, and is used', async () => {
    const mail = fake({ provider: { concurrency: 60, rates: [{ per: 'call', max: 40, windowMs: 1_000 }] } });
    const from = performance.now();
    await onThreeEngines(mail, 130);
    expect(mostInWindow(mail.calls, 1_000)).toBeLessThanOrEqual(40);
    // 130 calls need three windows and a bit; a loaded machine may take longer.
    expect(performance.now() - from).toBeLessThan(35_000);
  });

  it('E16: counts jobs where it is one of jobs, and both where there are two', async () => {
    const mail = fake({
      provider: {
        batchSize: 5,
        concurrency: 30,
        guarantee: { kind: 'at-most-once' },
        rates: [
          { per: 'job', max: 60, windowMs: 1_000 },
          { per: 'call', max: 10, windowMs: 800 },
        ],
      },
      processBatch: (jobs) => jobs.map(() => succeeded()),
    });
    await onThreeEngines(mail, 130);
    expect(mostInWindow(mail.calls, 1_000, (call) => call.jobs.length)).toBeLessThanOrEqual(60);
    expect(mostInWindow(mail.calls, 800)).toBeLessThanOrEqual(10);
  });

  it('E16: holds for each of its keys, and one key does not hold up the others', async () => {
    const mail = fake({
      provider: {
        batchSize: 4,
        rates: [{ per: 'job', max: 8, windowMs: 500, key: (payload) => payload.to ?? '' }],
      },
      processBatch: (jobs) => jobs.map(() => succeeded()),
    });
    const engine = await world.started({ plugins: [mail] });
    const jobs = numbered(60).map(({ n = 0 }) => ({ n, to: n % 6 === 5 ? 'rare' : 'frequent' }));
    const { id } = await engine.submit({ type: 'mail', jobs });
    await ended(engine, id);
    // A call is counted for one key, so that its jobs must share it.
    for (const call of mail.calls) expect(new Set(call.jobs.map((job) => job.payload.to)).size).toBe(1);
    for (const to of ['rare', 'frequent']) {
      const cost = (call: FakeCall) => call.jobs.filter((job) => job.payload.to === to).length;
      expect(mostInWindow(mail.calls, 500, cost)).toBeLessThanOrEqual(8);
    }
    const lastRare = Math.max(
      ...mail.calls.filter((c) => c.jobs[0]?.payload.to === 'rare').map((c) => c.startedAt),
    );
    const lastFrequent = Math.max(
      ...mail.calls.filter((c) => c.jobs[0]?.payload.to === 'frequent').map((c) => c.startedAt),
    );
    expect(lastRare).toBeLessThan(lastFrequent);
  });

  it('E16: lets calls of many sizes through, none of them for ever behind the small ones', async () => {
    const mail = fake({
      provider: {
        batchSize: 10,
        concurrency: 8,
        rates: [{ per: 'job', max: 10, windowMs: 300 }],
        groupKey: (payload) => payload.to ?? '',
      },
      processBatch: (jobs) => jobs.map(() => succeeded()),
    });
    const engine = await world.started({ plugins: [mail] });
    const jobs = numbered(80).map(({ n = 0 }) => ({ n, to: n < 40 ? 'large' : `small${n % 13}` }));
    const { id } = await engine.submit({ type: 'mail', jobs });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 80 });
    expect(mostInWindow(mail.calls, 300, (call) => call.jobs.length)).toBeLessThanOrEqual(10);
  });

  it('E16: does not keep a chunk leased while it waits for its quota', async () => {
    const mail = fake({ provider: { rates: [{ per: 'call', max: 2, windowMs: 1_500 }] } });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(4) });
    await until('two calls', () => mail.calls.length === 2);
    await until('that the rest waits', async () => {
      const { counts } = await engine.getBatch(id);
      return counts.running === 0 && counts.waiting === 2;
    });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 4 });
    expect(mostInWindow(mail.calls, 1_500)).toBeLessThanOrEqual(2);
  });
});

/** Waits until each of so many engines knows how many there are: two heartbeats. */
async function allHaveHeard(engines: number): Promise<void> {
  for (let beat = 0; beat < 2; beat++) {
    const [{ now }] = await world.sql('SELECT clock_timestamp() AS now');
    const seen = 'SELECT count(*)::int AS n, bool_and(seen_at > $1) AS fresh FROM batchsender.runners';
    await until('a heartbeat of all', async () => {
      const [row] = await world.sql(seen, [now]);
      return row.n === engines && row.fresh;
    });
  }
}

describe('a limit of calls at once', () => {
  it('E16: is shared by the engines that live', async () => {
    let running = 0;
    let most = 0;
    const mail = fake({
      provider: { concurrency: 7 },
      process: async () => {
        running += 1;
        most = Math.max(most, running);
        await sleep(10);
        running -= 1;
        return succeeded();
      },
    });
    const engines = await Promise.all(
      [1, 2, 3].map(() => world.started({ plugins: [mail], tuning: { chunkSize: 20 } })),
    );
    const [engine] = engines as [(typeof engines)[0]];
    await allHaveHeard(3);
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(400) });
    await ended(engine, id);
    expect(most).toBeLessThanOrEqual(7);
    expect(most).toBeGreaterThanOrEqual(2);
    await Promise.all(engines.slice(1).map((one) => one.stop()));
    most = 0;
    await allHaveHeard(1);
    const alone = await engine.submit({ type: 'mail', jobs: numbered(200) });
    await ended(engine, alone.id);
    // The one that is left has them all.
    expect(most).toBe(7);
  });
});
