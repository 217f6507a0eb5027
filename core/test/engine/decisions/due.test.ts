import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueJobs, seqsOf } from '../../../src/engine/decisions/due.ts';
import { closesAttempt } from '../../../src/engine/decisions/tallies.ts';
import type { AttemptEvent, ChunkJobs, EventKind } from '../../../src/engine/store.ts';

const KINDS: EventKind[] = [
  'attempted',
  'succeeded',
  'failed',
  'unknown',
  'cancelled',
  'retried',
  'postponed',
  'released',
  'reopened',
  'resolved',
];

const event = (seq: number, kind: EventKind, data: AttemptEvent['data'] = null): AttemptEvent => ({
  seq,
  kind,
  data,
  ageMs: 5,
  fences: kind === 'attempted' ? 1 : 0,
  late: null,
});

const chunks: fc.Arbitrary<ChunkJobs> = fc.oneof(
  fc.tuple(fc.nat(1_000), fc.nat(50)).map(([first, size]) => ({ first, end: first + size })),
  fc.uniqueArray(fc.nat(1_000), { maxLength: 50 }).map((seqs) => ({ seqs: seqs.sort((a, b) => a - b) })),
);

describe('the positions of a chunk', () => {
  it('are its list, or its range without the end', () => {
    expect([...seqsOf({ seqs: [3, 9] })]).toEqual([3, 9]);
    expect([...seqsOf({ first: 4, end: 7 })]).toEqual([4, 5, 6]);
  });
});

describe('a job of a leased chunk', () => {
  it('E3: is due exactly if its attempt is not closed', () => {
    const histories = fc.dictionary(fc.nat(1_000).map(String), fc.constantFrom(...KINDS));
    fc.assert(
      fc.property(chunks, histories, (jobs, kinds) => {
        const events = Object.entries(kinds).map(([seq, kind]) => event(Number(seq), kind));
        const { fresh, fenced } = dueJobs(jobs, events);
        const due = [...fresh, ...fenced.map(({ seq }) => seq)].sort((a, b) => a - b);
        const open = [...seqsOf(jobs)].filter((seq) => {
          const kind = kinds[String(seq)];
          return kind === undefined || !closesAttempt(kind);
        });
        expect(due).toEqual(open);
      }),
    );
  });

  it('E3: has an open fence exactly if its last event is attempted', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...KINDS), { maxLength: 30 }), (kinds) => {
        const events = kinds.map((kind, seq) => event(seq, kind));
        const { fenced } = dueJobs({ first: 0, end: kinds.length }, events);
        const attempted = kinds.flatMap((kind, seq) => (kind === 'attempted' ? [seq] : []));
        expect(fenced.map(({ seq }) => seq)).toEqual(attempted);
      }),
    );
  });

  it('E7: is fresh again once its fence was released', () => {
    expect(dueJobs({ seqs: [1] }, [event(1, 'released')])).toEqual({ fresh: [1], fenced: [] });
  });

  it('E3: brings what its fence knows: the call, the note, the reference', () => {
    const data = { call: 'k', note: { bulk: 7 }, ref: 'r', pending: true };
    const { fenced } = dueJobs({ seqs: [1, 2] }, [event(1, 'attempted', data), event(2, 'attempted')]);
    expect(fenced).toEqual([
      { seq: 1, callKey: 'k', note: { bulk: 7 }, ref: 'r', pending: true, ageMs: 5, fences: 1 },
      { seq: 2, pending: false, ageMs: 5, fences: 1 },
    ]);
  });
});
