import type { JobResult, Resolution } from '../../plugin/index.ts';
import type { FullRetryPolicy } from '../decisions/backoff.ts';
import {
  type LostCall,
  type SettleContext,
  type Settlement,
  settle,
  settleLost,
} from '../decisions/settle.ts';
import { coversCall, judgeWholeCall, type WholeCall } from '../decisions/whole-call.ts';
import type { ChunkLease, NewEvent } from '../store.ts';
import { suppressedEnd } from '../suppression/suppressed.ts';
import type { PlannedCall } from './call-queue.ts';
import { contextOf } from './chunk-load.ts';
import type { ChunkOutcome } from './chunk-outcome.ts';
import { type PreparedJob, undecided } from './prepare.ts';
import { resolutionSettlement } from './resolution.ts';
import { isResolution, isResult, matchResults } from './results.ts';

/** What a chunk knows when it judges the answers of its calls. */
export interface Judge {
  readonly lease: ChunkLease;
  readonly policy: FullRetryPolicy;
  readonly outcome: ChunkOutcome;
}

/** What the end of a call leads to. */
export interface Landed {
  readonly events: readonly NewEvent[];
  /** Jobs that the provider never saw, to be called now. */
  readonly repeats: readonly PlannedCall[];
  /** The endpoint works: its circuit stays closed. */
  readonly working: boolean;
}

const NO_CALLS: readonly PlannedCall[] = [];

type Results = readonly (JobResult | undefined)[];

const MISSING: JobResult = {
  status: 'unknown',
  code: 'missing_result',
  message: 'The provider gave no result for this job',
};

/** The results of a call by its jobs, and what broke the contract (E22). */
export function readAnswer(
  call: PlannedCall,
  answer: unknown,
  single: boolean,
): { results: Results; violation?: string } {
  if (single) {
    if (isResult(answer)) return { results: [answer] };
    return { results: [undefined], violation: 'process() answered no valid result' };
  }
  const { results, violation } = matchResults(jobIds(call), answer, isResult);
  return violation === undefined ? { results } : { results, violation: `processBatch(): ${violation}` };
}

/** `note` is the last one of the call. */
export function landResults(judge: Judge, call: PlannedCall, answers: Results, note?: unknown): Landed {
  const events: NewEvent[] = [];
  const results = judge.outcome.withoutSecrets(answers);
  const whole = coversCall(call.guarantee) ? wholeCall(judge, call, results) : undefined;
  let working = false;
  for (let i = 0; i < call.jobs.length; i++) {
    const prepared = call.jobs[i] as PreparedJob;
    const result = whole?.results[i] ?? results[i] ?? MISSING;
    if (result.status !== 'retry' && result.status !== 'unknown') working = true;
    const settlement = withNote(whole?.same ?? settle(result, madeContext(judge, prepared)), note);
    judge.outcome.record(prepared.job.seq, settlement, events);
  }
  return { events, repeats: NO_CALLS, working };
}

function wholeCall(judge: Judge, call: PlannedCall, results: Results): WholeCall {
  const all = call.jobs.map((_job, index) => results[index] ?? MISSING);
  return judgeWholeCall(all, madeContext(judge, call.jobs[0] as PreparedJob));
}

export function landLost(judge: Judge, call: PlannedCall, lost: LostCall): Landed {
  if (call.kind === 'resolve') return { ...landResolutions(judge, call, []), working: false };
  const events: NewEvent[] = [];
  const [shown = lost] = judge.outcome.withoutSecrets([lost]);
  for (const prepared of call.jobs) {
    judge.outcome.record(prepared.job.seq, settleLost(shown, madeContext(judge, prepared)), events);
  }
  return { events, repeats: NO_CALLS, working: false };
}

/** The resolutions of a call by its jobs, and what broke the contract. */
export function readResolutions(
  call: PlannedCall,
  answer: unknown,
): ReturnType<typeof matchResults<Resolution>> {
  return matchResults<Resolution>(jobIds(call), answer, isResolution);
}

export function landResolutions(
  judge: Judge,
  call: PlannedCall,
  given: readonly (Resolution | undefined)[],
): Landed {
  const answers = judge.outcome.withoutSecrets(given);
  const events: NewEvent[] = [];
  const repeats: PlannedCall[] = [];
  for (const [index, prepared] of call.jobs.entries()) {
    const fence = call.fences?.[index];
    // A question is about jobs of several guarantees and endpoints; each is called again by its own.
    const own = call.again?.[index] ?? call;
    const decision = resolutionSettlement(
      answers[index],
      contextOf(judge.lease, judge.policy, prepared),
      fence,
    );
    const { suppressed } = prepared;
    if (decision === 'call' && suppressed !== undefined) {
      const settlement = suppressedEnd(suppressed, undecided(judge.lease, prepared.guarantee));
      judge.outcome.record(prepared.job.seq, settlement, events);
    } else if (decision === 'call') repeats.push(own);
    else judge.outcome.record(prepared.job.seq, withNote(decision, fence?.note), events);
  }
  return { events, repeats, working: true };
}

/** A pending job keeps the note of its call: `resolve` is told both. */
function withNote(settlement: Settlement, note: unknown): Settlement {
  if (note === undefined || settlement.kind !== 'open' || settlement.data === null) return settlement;
  return { ...settlement, data: { ...settlement.data, note } };
}

const jobIds = (call: PlannedCall): string[] => call.jobs.map(({ job }) => job.id);

/** The call was just made. */
const madeContext = (judge: Judge, prepared: PreparedJob): SettleContext =>
  contextOf(judge.lease, judge.policy, prepared, 1);
