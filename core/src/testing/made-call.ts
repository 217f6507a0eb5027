import { lostCall } from '../engine/runner/lost.ts';
import { isResult, matchResults } from '../engine/runner/results.ts';
import type { Job, JobResult, Session } from '../plugin/index.ts';
import type { CallEnd } from './check-lost.ts';
import type { FakeCall } from './fake-call.ts';

/** A call that was made, and how it ended. */
export interface MadeCall {
  readonly jobs: readonly Job[];
  readonly call: FakeCall;
  /** What the provider answered; undefined if it threw. */
  readonly answer: unknown;
  /** What the engine would report about the answer. */
  readonly violation: string | undefined;
  /** By job, in the order of the jobs. */
  readonly ends: readonly CallEnd[];
  /** What the event log would keep. */
  readonly kept: readonly unknown[];
}

type Parts = Pick<MadeCall, 'jobs' | 'call'>;

/** The engine's rule: the job's id for one job, else an id of the call. */
export function keyOf(jobs: readonly Job[]): string {
  const [first] = jobs as [Job];
  return jobs.length === 1 ? first.id : `${first.id}-1`;
}

/** Calls the provider as the engine does; may throw what the provider throws. */
export function invoke(session: Session, { jobs, call }: Parts): unknown {
  return session.process !== undefined
    ? session.process(jobs[0] as Job, call)
    : session.processBatch(jobs, call);
}

/** A call that ended in an error, which holds for all of its jobs. */
export function threw(parts: Parts, error: unknown): MadeCall {
  const reason = parts.call.signal.aborted ? (parts.call.signal.reason as Error) : undefined;
  const lost = lostCall(error, reason);
  const end = { kind: 'error' as const, error, notSent: lost.notSent, code: lost.code };
  const kept = [lost.code, lost.message, parts.call.notes];
  return { ...parts, answer: undefined, violation: undefined, ends: parts.jobs.map(() => end), kept };
}

/** A call that was answered; the answer is read as the engine reads it. */
export function answered(parts: Parts, answer: unknown, session: Session): MadeCall {
  const ids = parts.jobs.map((job) => job.id);
  const single = { results: [isResult(answer) ? answer : undefined], violation: undefined };
  const { results, violation } = session.process === undefined ? matchResults(ids, answer, isResult) : single;
  const ends = parts.jobs.map((_job, index) => ({ kind: 'result' as const, result: results[index] }));
  return { ...parts, answer, violation, ends, kept: [results.map(withoutId), parts.call.notes] };
}

function withoutId(result: JobResult | undefined): object | undefined {
  if (result === undefined) return undefined;
  const { jobId: _jobId, ...rest } = result as JobResult & { jobId?: string };
  return rest;
}
