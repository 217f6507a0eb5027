import type { JobState } from '../api.ts';

/** An event as it is read back. */
export interface TimelineEvent {
  readonly kind: string;
  readonly attempt: number;
  readonly at: Date;
  readonly data: Record<string, unknown> | null;
}

/** What the events of one job add up to, in the order of their ids. */
export interface Folded {
  /** The settled state, or undefined while the job waits or runs. */
  readonly outcome: Exclude<JobState, 'waiting' | 'running'> | undefined;
  readonly attempts: number;
  readonly ref: string | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly possibleDuplicate: boolean;
  readonly at: Date | null;
  /** Time of the outcome that holds. */
  readonly settledAt: Date | null;
  /** The last event is a fence: a call is or was under way. */
  readonly inFlight: boolean;
}

const EXPLAINING = new Set([
  'succeeded',
  'failed',
  'unknown',
  'cancelled',
  'retried',
  'postponed',
  'resolved',
  'reopened',
]);

/** Events that may hold the id that a provider gave the job; that of a receipt is another thing's. */
const OF_CALLS = new Set([...EXPLAINING, 'attempted', 'late']);

const saidOfCall = ({ kind, data }: TimelineEvent): TimelineEvent['data'] =>
  OF_CALLS.has(kind) ? data : null;

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** The state of a job is its latest outcome in the log. Its order is the events' id, never their time. */
export function foldTimeline(events: readonly TimelineEvent[]): Folded {
  let outcome: Folded['outcome'];
  let explaining: TimelineEvent | undefined;
  let ref: string | null = null;
  let attempts = 0;
  let possibleDuplicate = false;
  let settledAt: Date | null = null;
  for (const event of events) {
    attempts = Math.max(attempts, event.kind === 'reopened' ? 0 : event.attempt);
    const said = saidOfCall(event);
    if (said?.['possibleDuplicate'] === true) possibleDuplicate = true;
    ref = text(said?.['ref']) ?? ref;
    const next = outcomeOf(event);
    if (next !== undefined || event.kind === 'reopened') {
      outcome = next;
      settledAt = next === undefined ? null : event.at;
    }
    if (EXPLAINING.has(event.kind)) explaining = event;
  }
  const last = events.at(-1);
  return {
    outcome,
    attempts,
    ref,
    code: text(explaining?.data?.['code']),
    message: text(explaining?.data?.['message']),
    possibleDuplicate,
    at: last?.at ?? null,
    settledAt,
    inFlight: last?.kind === 'attempted',
  };
}

function outcomeOf(event: TimelineEvent): Folded['outcome'] {
  switch (event.kind) {
    case 'succeeded':
    case 'failed':
    case 'unknown':
    case 'cancelled':
      return event.kind;
    case 'resolved':
      return event.data?.['outcome'] === 'failed' ? 'failed' : 'succeeded';
    default:
      return undefined;
  }
}
