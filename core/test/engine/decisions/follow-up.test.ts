import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Again,
  againData,
  againFromEvents,
  eventData,
  type FollowUpContext,
  followUps,
} from '../../../src/engine/decisions/follow-up.ts';
import { policies } from '../../helpers/arbitraries.ts';

export const agains: fc.Arbitrary<Again[]> = fc.uniqueArray(
  fc.record({
    seq: fc.nat(10_000),
    spent: fc.boolean(),
    afterMs: fc.option(fc.nat(20_000), { nil: undefined }),
    uncertain: fc.boolean(),
  }),
  { selector: (job) => job.seq, maxLength: 60 },
);

export const contexts: fc.Arbitrary<FollowUpContext> = fc
  .record({
    attempt: fc.integer({ min: 1, max: 50 }),
    spent: fc.nat(20),
    uncertain: fc.boolean(),
    policy: policies,
    drawn: fc.double({ min: 0, max: 0.999, noNaN: true }),
  })
  .map(({ drawn, ...rest }) => ({ ...rest, random: () => drawn }));

describe('the follow-up chunks of a chunk that closes', () => {
  it('E4: hold every job once, in order, one attempt higher', () => {
    fc.assert(
      fc.property(agains, contexts, (jobs, context) => {
        const chunks = followUps(jobs, context);
        const held = chunks.flatMap((chunk) => chunk.seqs).sort((a, b) => a - b);
        expect(held).toEqual(jobs.map((job) => job.seq).sort((a, b) => a - b));
        for (const chunk of chunks) {
          expect(chunk.attempt).toBe(context.attempt + 1);
          expect(chunk.split).toBe(false);
          expect(chunk.seqs).toEqual([...chunk.seqs].sort((a, b) => a - b));
        }
      }),
    );
  });

  it('E4: make nobody due before the time that the provider asked for', () => {
    fc.assert(
      fc.property(agains, contexts, (jobs, context) => {
        const byJob = new Map(jobs.map((job) => [job.seq, job]));
        for (const chunk of followUps(jobs, context)) {
          for (const seq of chunk.seqs) {
            expect(chunk.dueInMs).toBeGreaterThanOrEqual(byJob.get(seq)?.afterMs ?? 0);
          }
        }
      }),
    );
  });

  it('E4: are grouped by due second, by budget spent and by doubt', () => {
    fc.assert(
      fc.property(agains, contexts, (jobs, context) => {
        const chunks = followUps(jobs, context);
        const keys = chunks.map((c) => `${Math.ceil(c.dueInMs / 1_000)}|${c.spent}|${c.uncertain}`);
        expect(new Set(keys).size).toBe(chunks.length);
        const byJob = new Map(jobs.map((job) => [job.seq, job]));
        for (const chunk of chunks) {
          for (const seq of chunk.seqs) {
            const job = byJob.get(seq) as Again;
            expect(chunk.spent).toBe(context.spent + (job.spent ? 1 : 0));
            expect(chunk.uncertain).toBe(context.uncertain || job.uncertain);
          }
        }
      }),
    );
  });

  it('E4: draw the backoff once, and only for jobs that spent an attempt', () => {
    let draws = 0;
    const context: FollowUpContext = {
      attempt: 1,
      spent: 2,
      uncertain: false,
      policy: { maxAttempts: 5, baseMs: 1_000, capMs: 60_000, maxAgeMs: 1_000_000 },
      random: () => {
        draws += 1;
        return 0.5;
      },
    };
    const job = { afterMs: undefined, uncertain: false };
    const chunks = followUps(
      [
        { seq: 1, spent: true, ...job },
        { seq: 2, spent: true, ...job },
        { seq: 3, spent: false, ...job },
        { seq: 4, spent: true, ...job, afterMs: 9_000 },
      ],
      context,
    );
    expect(draws).toBe(1);
    expect(chunks.map(({ seqs, dueInMs, spent }) => ({ seqs, dueInMs, spent }))).toEqual([
      { seqs: [1, 2], dueInMs: 2_000, spent: 3 },
      { seqs: [3], dueInMs: 0, spent: 2 },
      { seqs: [4], dueInMs: 9_000, spent: 3 },
    ]);
  });
});

describe('what the log keeps of a job to be tried again', () => {
  it('E4: is enough for a later lease to make the same follow-up', () => {
    fc.assert(
      fc.property(agains, (jobs) => {
        const events = jobs.map((job) => {
          const text = againData({ code: 'x', message: 'm'.repeat(job.seq) }, job);
          const data = text === null ? null : (JSON.parse(text) as Record<string, unknown>);
          const kind = job.spent ? ('retried' as const) : ('postponed' as const);
          return { seq: job.seq, kind, data, ageMs: 0, fences: 0, late: null };
        });
        expect(againFromEvents(events)).toEqual(jobs);
      }),
    );
  });

  it('E4: counts the time that has passed against the wait', () => {
    const event = { seq: 1, kind: 'postponed' as const, data: { afterMs: 5_000 }, fences: 0, late: null };
    expect(againFromEvents([{ ...event, ageMs: 2_000 }])[0]?.afterMs).toBe(3_000);
    expect(againFromEvents([{ ...event, ageMs: 9_000 }])[0]?.afterMs).toBe(0);
  });
});

describe("an event's data", () => {
  it('is null where there is nothing to say', () => expect(eventData(null)).toBeNull());

  it('is cut to code and reference beyond 4 kB', () => {
    const text = eventData({ code: 'c', ref: 'r', possibleDuplicate: true, body: 'x'.repeat(5_000) });
    expect(JSON.parse(text ?? '')).toEqual({ code: 'c', ref: 'r', possibleDuplicate: true, truncated: true });
  });

  it('E22: is cut likewise where a plugin answers what is no JSON', () => {
    const circle: Record<string, unknown> = { code: 'c' };
    circle['self'] = circle;
    expect(JSON.parse(eventData(circle) ?? '')).toEqual({ code: 'c', truncated: true });
    expect(JSON.parse(eventData({ ref: 'r', n: 1n }) ?? '')).toEqual({ ref: 'r', truncated: true });
    expect(JSON.parse(eventData({ code: 1n }) ?? '')).toEqual({ truncated: true });
  });
});
