import type { AttemptEvent, NewChunk } from '../store.ts';
import { backoffMs, type FullRetryPolicy } from './backoff.ts';

/** A job whose attempt was closed by `retried` or `postponed`. */
export interface Again {
  readonly seq: number;
  readonly spent: boolean;
  /** Least delay that the provider asked for. */
  readonly afterMs: number | undefined;
  readonly uncertain: boolean;
}

export interface FollowUpContext {
  readonly attempt: number;
  readonly spent: number;
  readonly uncertain: boolean;
  readonly policy: FullRetryPolicy;
  /** In [0, 1); asked once a follow-up chunk. */
  readonly random: () => number;
}

/**
 * Follow-up chunks of a chunk that closes (E4): grouped by due second and by budget spent,
 * one attempt higher. Jobs without a delay of their own share one draw of the backoff.
 */
export function followUps(jobs: readonly Again[], context: FollowUpContext): NewChunk[] {
  if (jobs.length === 0) return [];
  const drawn = backoffMs(context.policy, context.spent + 1, context.random());
  const groups = new Map<
    string,
    { chunk: Omit<NewChunk, 'seqs' | 'dueInMs'>; dueInMs: number; seqs: number[] }
  >();
  for (const job of jobs) {
    const least = job.afterMs ?? 0;
    // The wish of the provider wins where it is longer than the backoff.
    const dueInMs = job.spent ? Math.max(drawn, least) : least;
    const second = Math.ceil(dueInMs / 1_000);
    const spent = context.spent + (job.spent ? 1 : 0);
    const uncertain = context.uncertain || job.uncertain;
    const key = `${second}|${spent}|${uncertain}`;
    let group = groups.get(key);
    if (group === undefined) {
      const chunk = { attempt: context.attempt + 1, spent, uncertain, split: false };
      group = { chunk, dueInMs, seqs: [] };
      groups.set(key, group);
    }
    // Within their second they wait for the last of them: nobody is called before its time.
    group.dueInMs = Math.max(group.dueInMs, dueInMs);
    group.seqs.push(job.seq);
  }
  return [...groups.values()].map(({ chunk, dueInMs, seqs }) => ({
    ...chunk,
    dueInMs,
    seqs: seqs.sort((a, b) => a - b),
  }));
}

const MAX_DATA = 4_096;

/** JSON of an event's data; what is larger than 4 kB, or no JSON at all, is cut to what the engine needs. */
export function eventData(data: Record<string, unknown> | null): string | null {
  if (data === null) return null;
  const text = jsonText(data);
  if (text !== undefined && text.length <= MAX_DATA) return text;
  const { code, ref, possibleDuplicate, afterMs, uncertain } = data;
  return (
    jsonText({ code, ref, possibleDuplicate, afterMs, uncertain, truncated: true }) ?? '{"truncated":true}'
  );
}

/** Undefined for what a careless plugin may answer: a BigInt, a circle. */
function jsonText(data: Record<string, unknown>): string | undefined {
  try {
    return JSON.stringify(data);
  } catch {
    return undefined;
  }
}

/** The data of `retried` and `postponed` hold what a later lease needs to make the follow-up. */
export function againData(data: Record<string, unknown> | null, again: Again): string | null {
  const { afterMs, uncertain } = again;
  if (afterMs === undefined && !uncertain) return eventData(data);
  return eventData({
    ...data,
    ...(afterMs === undefined ? {} : { afterMs }),
    ...(uncertain ? { uncertain } : {}),
  });
}

/** The jobs of a chunk that an earlier lease closed to be tried again. */
export function againFromEvents(events: readonly AttemptEvent[]): Again[] {
  return events.flatMap(({ seq, kind, data, ageMs }): Again[] => {
    if (kind !== 'retried' && kind !== 'postponed') return [];
    const asked = data?.['afterMs'];
    const afterMs = typeof asked === 'number' ? Math.max(0, asked - ageMs) : undefined;
    return [{ seq, spent: kind === 'retried', afterMs, uncertain: data?.['uncertain'] === true }];
  });
}
