import type { Counts } from './api.ts';
import type { Receipt } from './ledger.ts';
import { count, number } from './words.ts';

/** A job as the log has it. */
export interface LoggedJob {
  readonly id: string;
  /** What the receiver's book knows it by. */
  readonly key: string;
  /** What only its calls may carry, such as the number of an order. */
  readonly mark: string;
  readonly state: string;
  readonly attempts: number;
  readonly possibleDuplicate: boolean;
}

/** A batch from both sides: what the log says, and what the receiver noted. */
export interface Delivery {
  /** What one of its jobs is called, such as `email`. */
  readonly noun: 'email' | 'webhook';
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
  readonly noun: Delivery['noun'];
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
  const checks = deliveries.flatMap((delivery) =>
    checksOf(delivery).map((check) => ({ noun: delivery.noun, ...check })),
  );
  return { checks, holds: checks.every(({ problems }) => problems.length === 0) };
}

type Finding = Omit<Check, 'noun'>;

function checksOf(delivery: Delivery): readonly Finding[] {
  const jobs = compare(delivery);
  const inState = (...states: string[]): Compared[] => jobs.filter(({ state }) => states.includes(state));
  return [
    counted(delivery),
    succeeded(delivery, inState('succeeded')),
    failed(inState('failed', 'cancelled')),
    unknown(inState('unknown')),
    repeats(jobs),
    foreign(delivery),
  ];
}

function compare({ jobs, receipts }: Delivery): readonly Compared[] {
  const noted = new Map<string, { calls: number; arrivals: number }>();
  for (const { key, taken } of receipts) {
    const { calls, arrivals } = noted.get(key) ?? { calls: 0, arrivals: 0 };
    noted.set(key, { calls: calls + 1, arrivals: arrivals + (taken ? 1 : 0) });
  }
  return jobs.map((job) => ({ ...job, ...(noted.get(job.key) ?? { calls: 0, arrivals: 0 }) }));
}

const SETTLED = ['succeeded', 'failed', 'unknown', 'cancelled'] as const;

function counted({ noun, submitted, counts, jobs }: Delivery): Finding {
  const problems: string[] = [];
  const expect = (what: string, found: number, expected: number): void => {
    if (found !== expected) problems.push(`${what}: ${number(found)}, not ${number(expected)}`);
  };
  expect('jobs in the batch', counts.total, submitted);
  expect('different jobs in the log', new Set(jobs.map(({ id }) => id)).size, submitted);
  expect('different receivers in the log', new Set(jobs.map(({ key }) => key)).size, submitted);
  let sum = 0;
  for (const state of SETTLED) {
    sum += counts[state];
    expect(`${state} in the log`, jobs.filter((job) => job.state === state).length, counts[state]);
  }
  expect('jobs with an outcome', sum, submitted);
  const parts = SETTLED.flatMap((state) => (counts[state] > 0 ? [`${number(counts[state])} ${state}`] : []));
  return { text: `${count(submitted, noun)} = ${parts.join(' + ')}: none is missing`, problems };
}

function succeeded({ noun, atMostOnce }: Delivery, jobs: readonly Compared[]): Finding {
  const problems = jobs.flatMap(({ id, arrivals, possibleDuplicate }) => {
    if (arrivals === 0) return [`${id} succeeded, but its ${noun} never arrived`];
    const mayRepeat = !atMostOnce && possibleDuplicate;
    return arrivals > 1 && !mayRepeat ? [`${id} succeeded, and its ${noun} arrived ${arrivals} times`] : [];
  });
  const twice = jobs.filter(({ arrivals }) => arrivals > 1).length;
  const besides =
    twice === 0 ? '' : `; ${number(twice)} came again, and the log marks them as possible duplicates`;
  return { text: `${number(jobs.length)} succeeded: each arrived, and once${besides}`, problems };
}

function failed(jobs: readonly Compared[]): Finding {
  const problems = jobs.flatMap(({ id, state, arrivals }) =>
    arrivals > 0 ? [`${id} ${state === 'failed' ? 'failed' : 'was cancelled'}, but it arrived`] : [],
  );
  return { text: `${number(jobs.length)} failed: none of them arrived`, problems };
}

function unknown(jobs: readonly Compared[]): Finding {
  const there = jobs.filter(({ arrivals }) => arrivals > 0).length;
  const detail =
    jobs.length === 0
      ? ''
      : `: ${number(there)} arrived, ${number(jobs.length - there)} did not; none was sent again on a guess`;
  const problems = jobs.flatMap(({ id, calls, arrivals, attempts }) =>
    arrivals > 1 || calls > attempts
      ? [`${id} is unknown, and arrived ${arrivals} times in ${calls} calls`]
      : [],
  );
  return { text: `${number(jobs.length)} unknown${detail}`, problems };
}

function repeats(jobs: readonly Compared[]): Finding {
  const called = jobs.filter(({ calls }) => calls > 1);
  const problems = called.flatMap(({ id, calls, attempts }) =>
    calls > attempts
      ? [`${id} came in ${number(calls)} calls, but the log has ${count(attempts, 'attempt')}`]
      : [],
  );
  return {
    text: `${number(called.length)} tried more than once: the log has an attempt for each call`,
    problems,
  };
}

function foreign({ jobs, receipts }: Delivery): Finding {
  const marks = new Map(jobs.map(({ key, mark }) => [key, mark]));
  const problems = receipts.flatMap(({ key, mark }) => {
    const expected = marks.get(key);
    if (expected === undefined) return [`${key} is not in the log`];
    return mark !== undefined && mark !== expected ? [`${key} got ${mark} instead of ${expected}`] : [];
  });
  return {
    text: `${count(receipts.length, 'call')} reached the receiver: each belongs to a job and carried what is the job's`,
    problems,
  };
}
