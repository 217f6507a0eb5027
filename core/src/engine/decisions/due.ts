import type { AttemptEvent, ChunkJobs } from '../store.ts';
import { closesAttempt } from './tallies.ts';

/** A job whose attempt has an open fence (E3). */
export interface OpenFence {
  readonly seq: number;
  /** Key of the call that it was fenced for, if the call's key covers more than the job. */
  readonly callKey?: string;
  readonly pending: boolean;
  readonly ref?: string;
  readonly note?: unknown;
  readonly ageMs: number;
  readonly fences: number;
}

export interface Due {
  /** To be called: nothing of this attempt is open. */
  readonly fresh: readonly number[];
  readonly fenced: readonly OpenFence[];
}

/** Which jobs of a leased chunk are due, from the last events of its attempt (E3). */
export function dueJobs(jobs: ChunkJobs, events: readonly AttemptEvent[]): Due {
  if (events.length === 0) return { fresh: seqsOf(jobs), fenced: [] };
  const last = new Map(events.map((event) => [event.seq, event]));
  const fresh: number[] = [];
  const fenced: OpenFence[] = [];
  for (const seq of seqsOf(jobs)) {
    const event = last.get(seq);
    if (event === undefined || event.kind === 'released') fresh.push(seq);
    else if (event.kind === 'attempted') fenced.push(openFence(event));
    else if (!closesAttempt(event.kind)) fresh.push(seq);
  }
  return { fresh, fenced };
}

/** The positions that a chunk holds, in order. */
export function seqsOf(jobs: ChunkJobs): readonly number[] {
  if (jobs.seqs !== undefined) return jobs.seqs;
  const { first, end } = jobs;
  return Array.from({ length: end - first }, (_none, index) => first + index);
}

function openFence(event: AttemptEvent): OpenFence {
  const data = event.data ?? {};
  const call = data['call'];
  const ref = data['ref'];
  return {
    seq: event.seq,
    pending: data['pending'] === true,
    ageMs: event.ageMs,
    fences: event.fences,
    ...(typeof call === 'string' ? { callKey: call } : {}),
    ...(typeof ref === 'string' ? { ref } : {}),
    ...(data['note'] === undefined ? {} : { note: data['note'] }),
  };
}
