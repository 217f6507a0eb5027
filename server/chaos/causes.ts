import type { AttemptTimes, Evidence } from './evidence.ts';
import { leavesDoubt } from './fates.ts';
import type { Blow } from './faults.ts';
import { type LedgerLine, TIMEOUT_MS } from './ledger.ts';

/** Why nobody knew what had become of a call: a kill, the provider's doing, a wire, or nothing that is known. */
export type Cause = 'kill' | 'provider' | 'wire' | 'none';

/** Answers from the ledger, the log and the faults why a call had no result. */
export interface Causes {
  /** Of a call that the ledger has; `untilMs` is when somebody acted on its loss. */
  ofCall(call: LedgerLine, untilMs: number): Cause;
  /** Of a fence without a call in the ledger. */
  ofFence(fromMs: number, untilMs: number): Cause;
  /** When an attempt of a job was fenced and closed. */
  times(jobId: string, attempt: number): AttemptTimes | undefined;
  /** Calls, by job and attempt, that were in flight while a fault struck what carried them: fenced or called, and not closed. */
  readonly inFlight: number;
  /** Calls, by job, that the provider left without a clear answer. */
  readonly unanswered: number;
}

/** Clocks of one machine, read by several processes; a line of the ledger may wait for its turn. */
const SLACK_MS = 250;

export function causesOf({ blows, ledger, times }: Pick<Evidence, 'blows' | 'ledger' | 'times'>): Causes {
  const byAttempt = new Map(times.map((row) => [`${row.batch_id}.${row.seq} ${row.attempt}`, row]));
  const kills = blows.filter(({ pids }) => pids.length > 0);
  const wires = blows.filter(({ wire }) => wire);
  const overlap = (list: readonly Blow[], fromMs: number, untilMs: number): Blow[] =>
    list.filter((blow) => blow.atMs <= untilMs + SLACK_MS && blow.untilMs >= fromMs - SLACK_MS);
  const struck = (fromMs: number, untilMs: number, pid?: number): Cause => {
    const hits = overlap(kills, fromMs, untilMs);
    if (hits.some(({ pids }) => pid === undefined || pids.includes(pid))) return 'kill';
    return overlap(wires, fromMs, untilMs).length > 0 ? 'wire' : 'none';
  };
  const ofCall = (call: LedgerLine, untilMs: number): Cause => {
    if (leavesDoubt(call.fate) || untilMs - call.atMs >= TIMEOUT_MS * 0.9) return 'provider';
    return struck(call.atMs, untilMs, call.engine);
  };
  return {
    ofCall,
    ofFence: (fromMs, untilMs) => struck(fromMs, untilMs),
    times: (jobId, attempt) => byAttempt.get(`${jobId} ${attempt}`),
    inFlight: countInFlight(ledger, byAttempt, struck),
    unanswered: ledger
      .filter(({ fate }) => leavesDoubt(fate))
      .reduce((sum, { jobs }) => sum + jobs.length, 0),
  };
}

function countInFlight(
  ledger: readonly LedgerLine[],
  byAttempt: ReadonlyMap<string, AttemptTimes>,
  struck: (fromMs: number, untilMs: number, pid?: number) => Cause,
): number {
  const hit = new Set<string>();
  for (const { jobs, attempt, atMs, engine } of ledger) {
    for (const { id } of jobs) {
      const name = `${id} ${attempt}`;
      const closed = byAttempt.get(name)?.closed_ms ?? Number.POSITIVE_INFINITY;
      if (struck(atMs, closed, engine) !== 'none') hit.add(name);
    }
  }
  for (const [name, { fenced_ms: fenced, closed_ms: closed }] of byAttempt) {
    if (fenced !== null && struck(fenced, closed ?? Number.POSITIVE_INFINITY) !== 'none') hit.add(name);
  }
  return hit.size;
}
