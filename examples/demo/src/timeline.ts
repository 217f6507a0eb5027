import type { Job, JobEvent, Result } from './api.ts';
import { table } from './table.ts';

/** What the kinds of events mean, in plain words. */
const WORDS: Readonly<Record<string, string>> = {
  attempted: 'noted before the call, so that no crash can hide it',
  retried: 'to be tried again',
  postponed: 'told to wait; this costs no attempt of its budget',
  released: 'not called after all',
  succeeded: 'the receiver has it',
  failed: 'refused for good',
  unknown: 'handed over, and no answer came',
};

/** A job that had to be tried again and made it: of those, one with the fewest attempts. */
export function retriedJob(results: readonly Result[]): Result | undefined {
  return results
    .filter(({ state, attempts }) => state === 'succeeded' && attempts > 1)
    .sort((a, b) => a.attempts - b.attempts)[0];
}

/** The events of a job as a table, with the time since the first of them. */
export function timelineTable({ events }: Job): readonly string[] {
  const start = Date.parse(events[0]?.at ?? '');
  const rows = events.map((event) => [
    `${((Date.parse(event.at) - start) / 1_000).toFixed(2)} s`,
    `attempt ${event.attempt}`,
    event.kind,
    meaningOf(event),
  ]);
  return table(rows, { right: [0] });
}

function meaningOf({ kind, data }: JobEvent): string {
  const message = data?.['message'];
  const words = WORDS[kind] ?? '';
  return typeof message === 'string' ? `${message}: ${words}` : words;
}
