import type { JobSummary } from '../api.ts';
import { deliveryOf, type Receipts } from './delivery.ts';
import { type Folded, foldTimeline, type TimelineEvent } from './timeline.ts';

/** A chunk that a runner holds: the attempt that its jobs are on, and which jobs they are. */
export interface HeldChunk {
  readonly attempt: number;
  readonly first_seq: number | null;
  readonly end_seq: number | null;
  readonly seqs: readonly number[] | null;
}

/** A job as lists show it: folded from its events, and running if a held chunk has it. */
export function summarize(
  batchId: string,
  seq: number,
  timeline: readonly TimelineEvent[],
  held: readonly HeldChunk[],
  receipts: Receipts,
): JobSummary & Pick<Folded, 'settledAt'> {
  const { outcome, attempts, ref, code, message, possibleDuplicate, at, settledAt } = foldTimeline(timeline);
  return {
    id: `${batchId}.${seq}`,
    batchId,
    seq,
    state: outcome ?? (isRunning(seq, timeline, held) ? 'running' : 'waiting'),
    attempts,
    ref,
    code,
    message,
    possibleDuplicate,
    delivery: deliveryOf(timeline, receipts),
    at,
    settledAt,
  };
}

const isRunning = (seq: number, timeline: readonly TimelineEvent[], held: readonly HeldChunk[]): boolean =>
  held.some((chunk) => holds(chunk, seq) && !closedIn(timeline, chunk.attempt));

const holds = (chunk: HeldChunk, seq: number): boolean =>
  chunk.seqs === null
    ? seq >= (chunk.first_seq ?? 0) && seq < (chunk.end_seq ?? 0)
    : chunk.seqs.includes(seq);

const closedIn = (timeline: readonly TimelineEvent[], attempt: number): boolean =>
  timeline.some(
    (event) => event.attempt === attempt && (event.kind === 'retried' || event.kind === 'postponed'),
  );
