import type { Counts } from './api.ts';
import type { Receipt } from './ledger.ts';
import { count } from './words.ts';

/** A job as the log has it. */
export interface LoggedJob {
  readonly id: string;
  /** What the receiver's book knows it by. */
  readonly key: string;
  readonly state: string;
  readonly attempts: number;
  readonly possibleDuplicate: boolean;
}

/** A batch from both sides: what the log says, and what the receiver noted. */
export interface Delivery {
  /** What one of its jobs is called, such as `email`. */
  readonly noun: string;
  /** Nothing may arrive twice, whatever the log says. */
  readonly atMostOnce: boolean;
  /** Jobs that were handed in. */
  readonly submitted: number;
  readonly counts: Counts;
  readonly jobs: readonly LoggedJob[];
  readonly receipts: readonly Receipt[];
}

/** Something that must hold, with what speaks against it. */
export interface Check {
  readonly text: string;
  readonly problems: readonly string[];
}

/** The comparison, and whether all of it holds. */
export interface Verdict {
  readonly checks: readonly Check[];
  readonly holds: boolean;
}

/** A job with what its receiver noted about it. */
interface Compared extends LoggedJob {
  /** How often the receiver was called. */
  readonly calls: number;
  /** How often it took what it was given. */
  readonly arrivals: number;
}

/** Compares the log with the receivers' books, job by job. */
export function verdict(deliveries: readonly Delivery[]): Verdict {
  const checks = deliveries.flatMap(checksOf);
  return { checks, holds: checks.every(({ problems }) => problems.length === 0) };
}

function checksOf(delivery: Delivery): readonly Check[] {
  const jobs = compare(delivery);
  const inState = (...states: string[]): Compared[] => jobs.filter(({ state }) => states.includes(state));
  return [
    counted(delivery),
    succeeded(delivery, inState('succeeded')),
    failed(delivery, inState('failed', 'cancelled')),
    unknown(delivery, inState('unknown')),
    repeats(delivery, jobs),
    strangers(delivery),
  ];
}

function compare({ jobs, receipts }: Delivery): readonly Compared[] {
  const calls = new Map<string, { calls: number; arrivals: number }>();
  for (const { key, taken } of receipts) {
    const seen = calls.get(key) ?? { calls: 0, arrivals: 0 };
    calls.set(key, { calls: seen.calls + 1, arrivals: seen.arrivals + (taken ? 1 : 0) });
  }
  return jobs.map((job) => ({ ...job, ...(calls.get(job.key) ?? { calls: 0, arrivals: 0 }) }));
}

const SETTLED = ['succeeded', 'failed', 'unknown', 'cancelled'] as const;

function counted({ noun, submitted, counts, jobs }: Delivery): Check {
  const problems: string[] = [];
  const expect = (what: string, found: number, expected: number): void => {
    if (found !== expected) problems.push(`${what}: ${found}, not ${expected}`);
  };
  expect('jobs in the batch', counts.total, submitted);
  expect('different jobs in the log', new Set(jobs.map(({ id }) => id)).size, submitted);
  expect('different addressees in the log', new Set(jobs.map(({ key }) => key)).size, submitted);
  let sum = 0;
  for (const state of SETTLED) {
    sum += counts[state];
    expect(`${state} in the log`, jobs.filter((job) => job.state === state).length, counts[state]);
  }
  expect('jobs with an outcome', sum, submitted);
  const parts = SETTLED.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${state}`);
  return { text: `${count(submitted, noun)} = ${parts.join(' + ')}, none is missing`, problems };
}

function succeeded({ noun, atMostOnce }: Delivery, jobs: readonly Compared[]): Check {
  const problems = jobs.flatMap((job) => {
    if (job.arrivals === 0) return [`${job.id} succeeded, but its ${noun} never arrived`];
    const mayRepeat = !atMostOnce && job.possibleDuplicate;
    return job.arrivals > 1 && !mayRepeat ? [`${job.id} arrived ${job.arrivals} times`] : [];
  });
  const twice = jobs.filter(({ arrivals }) => arrivals > 1).length;
  const besides = twice === 0 ? '' : `, but for ${twice} that came again: the log marks them as possible duplicates`;
  return { text: `${jobs.length} succeeded: each arrived, and once${besides}`, problems };
}

function failed(_delivery: Delivery, jobs: readonly Compared[]): Check {
  const arrived = jobs.filter(({ arrivals }) => arrivals > 0);
  return {
    text: `${jobs.length} failed: none of them arrived`,
    problems: arrived.map(({ id, state }) => `${id} is ${state} in the log, but it arrived`),
  };
}

function unknown(_delivery: Delivery, jobs: readonly Compared[]): Check {
  const there = jobs.filter(({ arrivals }) => arrivals > 0).length;
  const often = jobs.filter(({ arrivals }) => arrivals > 1);
  const detail = jobs.length === 0 ? '' : `: ${there} arrived, ${jobs.length - there} did not, none arrived twice`;
  return {
    text: `${jobs.length} unknown${detail}`,
    problems: often.map(({ id, arrivals }) => `${id} is unknown, and arrived ${arrivals} times`),
  };
}

function repeats({ noun }: Delivery, jobs: readonly Compared[]): Check {
  const called = jobs.filter(({ calls }) => calls > 1);
  const hidden = called.filter(({ calls, attempts }) => calls > attempts);
  return {
    text: `${count(called.length, noun)} tried more than once: the log has an attempt for each call`,
    problems: hidden.map(
      ({ id, calls, attempts }) => `${id} was called ${calls} times, the log has ${count(attempts, 'attempt')}`,
    ),
  };
}

function strangers({ jobs, receipts }: Delivery): Check {
  const known = new Set(jobs.map(({ key }) => key));
  const problems = receipts.flatMap(({ key }) => (known.has(key) ? [] : [`${key} is not in the log`]));
  return { text: `${count(receipts.length, 'call')} reached the receiver, and each belongs to a job`, problems };
}
