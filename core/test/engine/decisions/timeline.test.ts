import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldTimeline, type TimelineEvent } from '../../../src/engine/decisions/timeline.ts';

let clock = 0;
const event = (kind: string, attempt = 1, data: TimelineEvent['data'] = null): TimelineEvent => ({
  kind,
  attempt,
  at: new Date(clock++),
  data,
});

const OUTCOMES = ['succeeded', 'failed', 'unknown', 'cancelled'];
const kinds = fc.constantFrom(
  ...OUTCOMES,
  'attempted',
  'retried',
  'postponed',
  'released',
  'reopened',
  'late',
);

describe('the events of a job', () => {
  it('add up to a job that waits while there are none', () => {
    expect(foldTimeline([])).toEqual({
      outcome: undefined,
      attempts: 0,
      ref: null,
      code: null,
      message: null,
      possibleDuplicate: false,
      at: null,
      settledAt: null,
      inFlight: false,
    });
  });

  it('have the time of the outcome that holds, beside that of the latest event', () => {
    const [failed, reopened, done, late] = [
      event('failed'),
      event('reopened', 2),
      event('succeeded', 2),
      event('late'),
    ];
    expect(foldTimeline([failed])).toMatchObject({ settledAt: failed.at, at: failed.at });
    expect(foldTimeline([failed, reopened])).toMatchObject({ settledAt: null, at: reopened.at });
    expect(foldTimeline([failed, reopened, done, late])).toMatchObject({ settledAt: done.at, at: late.at });
  });

  it('E1: mean the latest outcome, until it is reopened', () => {
    fc.assert(
      fc.property(fc.array(kinds), (list) => {
        const { outcome } = foldTimeline(list.map((kind) => event(kind)));
        const deciding = list.filter((kind) => OUTCOMES.includes(kind) || kind === 'reopened').at(-1);
        expect(outcome).toBe(deciding === 'reopened' ? undefined : deciding);
      }),
    );
  });

  it('E1: are read in the order of their ids, whatever their times say', () => {
    const late = { ...event('succeeded'), at: new Date(0) };
    expect(foldTimeline([event('unknown'), event('reopened', 2), late]).outcome).toBe('succeeded');
  });

  it('E5: settle an unknown as it was resolved', () => {
    const resolved = (outcome: string) =>
      foldTimeline([event('unknown'), event('resolved', 1, { outcome })]).outcome;
    expect(resolved('succeeded')).toBe('succeeded');
    expect(resolved('failed')).toBe('failed');
  });

  it('E12: do not change the state by a late result alone', () => {
    const events = [
      event('attempted'),
      event('unknown'),
      event('late', 1, { status: 'succeeded', ref: 'r' }),
    ];
    expect(foldTimeline(events)).toMatchObject({ outcome: 'unknown', ref: 'r' });
  });

  it('tell the attempts, the code of the last decision, the reference, and a possible duplicate', () => {
    const events = [
      event('retried', 1, { code: 'http_500', message: 'm' }),
      event('attempted', 2),
      event('retried', 2, { code: 'timeout', possibleDuplicate: true }),
      event('attempted', 3, { pending: true, ref: 'p-1' }),
    ];
    expect(foldTimeline(events)).toMatchObject({
      outcome: undefined,
      attempts: 3,
      code: 'timeout',
      message: null,
      ref: 'p-1',
      possibleDuplicate: true,
      inFlight: true,
    });
    expect(foldTimeline([...events, event('succeeded', 3)])).toMatchObject({ code: null, inFlight: false });
  });

  it('E5: do not count an attempt that a reopened job has not made yet', () => {
    expect(foldTimeline([event('failed', 3), event('reopened', 4)]).attempts).toBe(3);
    expect(foldTimeline([event('failed', 3), event('reopened', 4), event('succeeded', 4)]).attempts).toBe(4);
  });
});
