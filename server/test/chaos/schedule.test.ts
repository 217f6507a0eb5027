import { describe, expect, it } from 'vitest';
import { scheduleOf } from '../../chaos/schedule.ts';
import { parts, payloads, workloadOf } from '../../chaos/workload.ts';

const options = { seed: 7, kills: 200, wipes: 2, rollbacks: 20, gapMs: 1_000 };
const can = { killPostgres: true };
const count = (kinds: readonly string[], kind: string) => kinds.filter((each) => each === kind).length;

describe('the schedule of a chaos run', () => {
  it('is the same for the same seed, and another one for another', () => {
    expect(scheduleOf(options, can)).toEqual(scheduleOf(options, can));
    expect(scheduleOf({ ...options, seed: 8 }, can)).not.toEqual(scheduleOf(options, can));
  });

  it('holds as many kills, wipes and rollbacks as were asked for, and cuts beside them', () => {
    const kinds = scheduleOf(options, can).map(({ kind }) => kind as string);
    const cuts = ['cut postgres', 'cut nats', 'lose replies'].reduce(
      (sum, cut) => sum + count(kinds, cut),
      0,
    );
    expect(count(kinds, 'wipe nats')).toBe(2);
    expect(count(kinds, 'roll nats back')).toBe(20);
    expect(cuts).toBe(50);
    expect(kinds).toHaveLength(200 + 2 + 20 + 50);
  });

  it('begins with one of each kind, so that a short run has many', () => {
    const { length } = new Set(
      scheduleOf({ ...options, kills: 8, wipes: 0, rollbacks: 0 }, can).map(({ kind }) => kind),
    )
      .keys()
      .toArray();
    expect(length).toBe(10);
  });

  it('stops processes for longer than a lease', () => {
    const stops = scheduleOf(options, can).filter(({ kind }) => kind === 'stop machine');
    expect(stops.length).toBeGreaterThan(4);
    for (const { downMs } of stops) expect(downMs).toBeGreaterThan(15_000);
  });

  it('leaves a Postgres alone that is not its own', () => {
    const kinds = scheduleOf(options, { killPostgres: false }).map(({ kind }) => kind);
    expect(kinds).not.toContain('kill postgres');
  });
});

describe('the workload of a chaos run', () => {
  it.each([1, 40, 400, 30_000])('has each of %i jobs once', (jobs) => {
    const numbers = workloadOf(3, jobs).flatMap((batch) =>
      parts(batch).flatMap(([first, size]) => payloads(first, size).map(({ n }) => n)),
    );
    expect(numbers).toEqual(payloads(0, jobs).map(({ n }) => n));
  });

  it('is the same for the same seed', () => {
    expect(workloadOf(3, 1_000)).toEqual(workloadOf(3, 1_000));
  });

  it('has all guarantees also in a short run', () => {
    expect(new Set(workloadOf(3, 400).map(({ provider }) => provider)).size).toBe(5);
  });
});
