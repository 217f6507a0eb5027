import fc from 'fast-check';
import { v7 } from 'uuid';
import { describe, expect, it } from 'vitest';
import { monthPartitions, uuidFloor } from '../../src/postgres/partitions.ts';

/** Up to here a time fits the 48 bits of a UUIDv7 and a year has four digits. */
const times = fc.date({ min: new Date(0), max: new Date('9990-12-31'), noInvalidDate: true });
const months = fc.integer({ min: 0, max: 30 });

describe('the partitions of the coming months', () => {
  it('follow each other without a gap, and begin with the month of now', () => {
    fc.assert(
      fc.property(times, months, (now, ahead) => {
        const made = monthPartitions(now, ahead);
        expect(made).toHaveLength(ahead + 1);
        expect(made.slice(1).map(({ from }) => from)).toEqual(made.slice(0, -1).map(({ to }) => to));
        expect(new Set(made.map(({ suffix }) => suffix)).size).toBe(made.length);
        expect(made[0]?.suffix).toBe(`y${now.getUTCFullYear()}m${now.toISOString().slice(5, 7)}`);
      }),
    );
  });

  it('hold the UUIDv7 of every moment of their month, and of no other', () => {
    fc.assert(
      fc.property(times, months, times, (now, ahead, moment) => {
        const id = v7({ msecs: moment.getTime() });
        for (const { suffix, from, to } of monthPartitions(now, ahead)) {
          const inside = from <= id && id < to;
          expect(inside).toBe(suffix === `y${moment.getUTCFullYear()}m${moment.toISOString().slice(5, 7)}`);
        }
      }),
    );
  });

  it('keep the last millisecond of a month apart from the first of the next', () => {
    fc.assert(
      fc.property(times, (now) => {
        const [first, second] = monthPartitions(now, 1);
        const start = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
        const last = v7({ msecs: start - 1, random: new Uint8Array(16).fill(255) });
        const next = v7({ msecs: start, random: new Uint8Array(16) });
        expect(last < (first?.to ?? '')).toBe(true);
        expect(next >= (second?.from ?? '')).toBe(true);
        expect(uuidFloor(start)).toBe(second?.from);
      }),
    );
  });
});
