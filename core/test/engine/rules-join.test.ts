import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/engine/runner/heartbeat.ts';
import { Joining } from '../../src/engine/runner/joining.ts';
import { succeeded } from '../../src/plugin/index.ts';
import { ended, sleep, testWorld, until } from '../helpers/engine-world.ts';
import { fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

const CONCURRENCY = 8;
const nothing = () => undefined;
const silentLogger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Plugins of several engines that count together how many calls there are at once. */
function counting() {
  const counted = { now: 0, most: 0 };
  const plugin = () =>
    fake({
      provider: { concurrency: CONCURRENCY },
      process: async () => {
        counted.now += 1;
        counted.most = Math.max(counted.most, counted.now);
        await sleep(5);
        counted.now -= 1;
        return succeeded();
      },
    });
  return { counted, plugin };
}

describe('a runner that joins', () => {
  it('E16: leaves the calls at once where they were, and has its share of them soon', async () => {
    const { counted, plugin } = counting();
    const [first, second, third] = [plugin(), plugin(), plugin()] as const;
    const tuning = { chunkSize: 50, heartbeatMs: 1_000 };
    const engine = await world.started({ plugins: [first], tuning });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(6_000) });
    await until('calls of the first', () => counted.most === CONCURRENCY && first.calls.length > 200);
    await world.started({ plugins: [second], tuning });
    await world.started({ plugins: [third], tuning });
    const joinedAt = performance.now();
    await until('calls of all', () => [first, second, third].every(({ calls }) => calls.length > 200));
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 6_000 });
    expect(counted.most).toBe(CONCURRENCY);
    // The others were asked for a sign of life: nobody waits for the next heartbeat.
    for (const { calls } of [second, third]) {
      expect((calls[0]?.startedAt ?? 0) - joinedAt).toBeLessThan(5_000);
    }
  });

  it('E16: does not wait for one that died and is still counted', async () => {
    const { counted, plugin } = counting();
    const dead = await world.store();
    await dead.runner.heartbeat('018f0000-0000-7000-8000-000000000001', { mail: 1 }, 15_000, []);
    await dead.runner.heartbeat('018f0000-0000-7000-8000-000000000002', { mail: 1 }, 15_000, []);
    // One of them has been dead for a while, the other one may still answer.
    await world.sql(
      `UPDATE batchsender.runners SET seen_at = now() - interval '5 s' WHERE id::text LIKE '%1'`,
    );
    const engine = await world.started({
      plugins: [plugin()],
      tuning: { heartbeatMs: 200, leaseMs: 15_000 },
    });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(40) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 40 });
    // The shares of the dead ones stay free until their leases end.
    expect(counted.most).toBeLessThanOrEqual(Math.ceil(CONCURRENCY / 3));
  });

  it('E16: works at once where it is alone', async () => {
    const { plugin } = counting();
    const engine = await world.started({
      plugins: [plugin()],
      tuning: { heartbeatMs: 60_000, leaseMs: 300_000 },
    });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(3) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 3 });
  });
});

describe('joining', () => {
  it('is over at once for the only runner', () => {
    const joining = new Joining(1_000);
    expect(joining.answered({ silent: 0, at: 't0' }, 0)).toBe(false);
    expect(joining.isOver).toBe(true);
  });

  it('takes two signs of life of all others, asked for one after the other', async () => {
    const joining = new Joining(1_000);
    expect(joining.question).toEqual({ since: undefined, withinMs: 2_000 });
    expect(joining.answered({ silent: 2, at: 't0' }, 0)).toBe(true);
    expect(joining.question?.since).toBe('t0');
    expect(joining.answered({ silent: 1, at: 't1' }, 50)).toBe(false);
    expect(joining.question?.since).toBe('t0');
    expect(joining.answered({ silent: 0, at: 't2' }, 100)).toBe(true);
    expect([joining.isOver, joining.question?.since]).toEqual([false, 't2']);
    expect(joining.answered({ silent: 1, at: 't3' }, 150)).toBe(false);
    expect(joining.answered({ silent: 0, at: 't4' }, 200)).toBe(false);
    expect([joining.isOver, joining.question]).toEqual([true, undefined]);
    await joining.over;
  });

  it('ends after two heartbeats, whoever is silent', () => {
    const joining = new Joining(1_000);
    expect(joining.answered({ silent: 1, at: 't0' }, 10_000)).toBe(true);
    expect(joining.answered({ silent: 1, at: 't1' }, 12_000)).toBe(false);
    expect(joining.isOver).toBe(false);
    expect(joining.answered({ silent: 1, at: 't2' }, 12_001)).toBe(false);
    expect(joining.isOver).toBe(true);
  });
});

describe('a heartbeat', () => {
  it('E16: joins anew when it was silent for a lease, as after a suspension', async () => {
    let silent = 0;
    let isDown = false;
    const joined: number[] = [];
    const shares: number[] = [];
    let announced = 0;
    const heartbeat: Heartbeat = new Heartbeat({
      beat: async () => {
        if (isDown) throw new Error('no database');
        return {
          chunks: [],
          position: 0,
          runners: 1 + silent,
          silent,
          at: 't',
          blocked: [],
          connections: {},
        };
      },
      announce: async () => {
        announced += 1;
      },
      giveBack: async () => undefined,
      holds: () => false,
      runs: () => new Map(),
      onJoined: () => joined.push(heartbeat.share(4)),
      onShare: () => shares.push(heartbeat.share(4)),
      onConnections: () => undefined,
      intervalMs: 1_000,
      leaseMs: 1_500,
      logger: silentLogger,
    });
    await heartbeat.start();
    expect([joined, announced]).toEqual([[4], 0]);
    isDown = true;
    await sleep(2_000);
    silent = 1;
    isDown = false;
    await until('it joins anew', () => announced === 1);
    expect([heartbeat.hasJoined, heartbeat.share(4), shares.at(-1)]).toEqual([false, 0, 0]);
    // The other one is there, and answers.
    silent = 0;
    await until('it has joined', () => heartbeat.hasJoined);
    await heartbeat.stop();
    expect(joined).toHaveLength(2);
  });
});
