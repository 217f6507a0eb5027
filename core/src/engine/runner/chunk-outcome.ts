import type { FullRetryPolicy } from '../decisions/backoff.ts';
import { endOfChunk, type Rest } from '../decisions/close.ts';
import { type Again, againData, eventData } from '../decisions/follow-up.ts';
import type { Settlement } from '../decisions/settle.ts';
import type { ChunkEnd, ChunkLease, NewEvent } from '../store.ts';
import { type Hide, hideIn, hideInMessage } from '../vault/hide-secrets.ts';
import type { PlannedCall } from './call-queue.ts';
import type { ChunkWork, SettledJob } from './chunk-load.ts';

/** Longest wait before an open fence is looked at again, whatever the provider asks for: 30 days. */
const MAX_WAIT_MS = 2_592_000_000;

/** What a chunk's results add up to: the jobs to be tried again, and those that are looked at again. */
export class ChunkOutcome {
  readonly again: Again[] = [];
  /** Jobs whose fence stays open, by the second in which they are looked at again. */
  readonly #open = new Map<number, number[]>();
  readonly #hide: Hide | undefined;

  /** `hide` takes the connection's secrets out of what is written. */
  constructor(hide?: Hide) {
    this.#hide = hide;
  }

  /** Answers of a provider as they may be written: cut texts hold no half of a secret, which nobody would find. */
  withoutSecrets<R extends object>(answers: readonly (R | undefined)[]): readonly (R | undefined)[] {
    const hide = this.#hide;
    return hide === undefined ? answers : answers.map((answer) => answer && hideInMessage(answer, hide));
  }

  /** Takes what was settled by loading the chunk. Answers the events of it. */
  begin(work: ChunkWork): NewEvent[] {
    this.again.push(...work.again);
    return this.settle(work.settled);
  }

  /** Takes jobs that are settled without a call. Answers the events of it. */
  settle(jobs: readonly SettledJob[]): NewEvent[] {
    const events: NewEvent[] = [];
    for (const { seq, settlement } of jobs) this.record(seq, settlement, events);
    return events;
  }

  /** Takes a settlement, and adds its event, if anything is new, to a list. */
  record(seq: number, settlement: Settlement, events: NewEvent[]): void {
    if (settlement.kind === 'open') {
      const waitMs = Math.min(settlement.checkAfterMs, MAX_WAIT_MS) || 0;
      append(this.#open, Math.ceil(waitMs / 1_000), [seq]);
      const { data } = settlement;
      if (data !== null)
        events.push({ seq, kind: 'attempted', data: JSON.stringify(hideIn(data, this.#hide)) });
      return;
    }
    const { kind, data, afterMs, uncertain } = settlement;
    if (kind !== 'retried' && kind !== 'postponed') {
      events.push({ seq, kind, data: eventData(hideIn(data, this.#hide)) });
      return;
    }
    const again: Again = { seq, spent: kind === 'retried', afterMs, uncertain: uncertain === true };
    this.again.push(again);
    events.push({ seq, kind, data: againData(hideIn(data, this.#hide), again) });
  }

  /** How the chunk is left, with the calls that did not start. */
  end(
    notStarted: readonly PlannedCall[],
    dueInMs: (call: PlannedCall) => number,
    lease: ChunkLease,
    policy: FullRetryPolicy,
    random: () => number,
  ): ChunkEnd {
    const bySecond = new Map([...this.#open].map(([second, seqs]) => [second, [...seqs]]));
    for (const call of notStarted) {
      append(
        bySecond,
        Math.ceil(dueInMs(call) / 1_000),
        call.jobs.map(({ job }) => job.seq),
      );
    }
    const rest = [...bySecond].map(
      ([second, seqs]): Rest => ({ seqs: seqs.sort((a, b) => a - b), dueInMs: second * 1_000 }),
    );
    const { attempt, spent, uncertain } = lease;
    return endOfChunk(rest, this.again, { attempt, spent, uncertain, policy, random });
  }
}

function append(lists: Map<number, number[]>, key: number, seqs: readonly number[]): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [...seqs]);
  else for (const seq of seqs) list.push(seq);
}

/** When something of a chunk that was left falls due, from now; undefined if nothing does. */
export function nextDueMs(end: ChunkEnd): number | undefined {
  if (end.kind === 'giveBack') return end.dueInMs;
  if (end.kind === 'keep' || end.chunks.length === 0) return undefined;
  return Math.min(...end.chunks.map((chunk) => chunk.dueInMs));
}
