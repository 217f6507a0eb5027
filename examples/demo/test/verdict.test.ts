import { describe, expect, it } from 'vitest';
import type { Receipt } from '../src/ledger.ts';
import { type Delivery, type LoggedJob, verdict } from '../src/verdict.ts';

const job = (seq: number, state: string, extra: Partial<LoggedJob> = {}): LoggedJob => ({
  id: `b.${seq}`,
  key: `key-${seq}`,
  mark: `mark-${seq}`,
  state,
  attempts: 1,
  possibleDuplicate: false,
  ...extra,
});

const receipt = (seq: number, taken: boolean): Receipt => ({ key: `key-${seq}`, taken, mark: `mark-${seq}` });

/** Four jobs: one arrived, one was refused and then arrived, one failed, one is unknown and arrived. */
const JOBS = [job(0, 'succeeded'), job(1, 'succeeded', { attempts: 2 }), job(2, 'failed'), job(3, 'unknown')];
const RECEIPTS = [
  receipt(0, true),
  receipt(1, false),
  receipt(1, true),
  { key: 'key-2', taken: false },
  receipt(3, true),
];

function delivery(change: Partial<Delivery> = {}): Delivery {
  const jobs = change.jobs ?? JOBS;
  const of = (state: string) => jobs.filter((one) => one.state === state).length;
  return {
    noun: 'email',
    atMostOnce: true,
    submitted: 4,
    counts: {
      total: jobs.length,
      waiting: of('waiting'),
      running: of('running'),
      succeeded: of('succeeded'),
      failed: of('failed'),
      unknown: of('unknown'),
      cancelled: of('cancelled'),
    },
    jobs,
    receipts: RECEIPTS,
    ...change,
  };
}

const problemsOf = (change: Partial<Delivery>): readonly string[] =>
  verdict([delivery(change)]).checks.flatMap(({ problems }) => problems);

/** The jobs of the good run, one of them changed. */
const jobsWith = (seq: number, change: Partial<LoggedJob>): readonly LoggedJob[] =>
  JOBS.with(seq, { ...JOBS[seq]!, ...change });

describe('the verdict', () => {
  it('holds if the books and the log agree, and says what was compared', () => {
    const { checks, holds } = verdict([delivery(), delivery({ noun: 'webhook', atMostOnce: false })]);
    expect(holds).toBe(true);
    expect(checks.filter(({ noun }) => noun === 'email').map(({ text }) => text)).toEqual([
      '4 emails = 2 succeeded + 1 failed + 1 unknown: none is missing',
      '2 succeeded: each arrived, and once',
      '1 failed: none of them arrived',
      '1 unknown: 1 arrived, 0 did not; none was sent again on a guess',
      '1 tried more than once: the log has an attempt for each call',
      "5 calls reached the receiver: each belongs to a job and carried what is the job's",
    ]);
    expect(checks).toHaveLength(12);
  });

  it('does not hold if one of several deliveries does not', () => {
    const { holds } = verdict([delivery(), delivery({ receipts: RECEIPTS.slice(1) })]);
    expect(holds).toBe(false);
  });

  it.each<[what: string, change: Partial<Delivery>, problem: string]>([
    ['a mail was lost', { receipts: RECEIPTS.slice(1) }, 'b.0 succeeded, but its email never arrived'],
    [
      'a mail came twice',
      { receipts: [...RECEIPTS, receipt(0, true)] },
      'b.0 succeeded, and its email arrived 2 times',
    ],
    [
      'a mail came twice, even if the log admits it',
      { receipts: [...RECEIPTS, receipt(0, true)], jobs: jobsWith(0, { possibleDuplicate: true }) },
      'b.0 succeeded, and its email arrived 2 times',
    ],
    ['a failed one arrived', { receipts: [...RECEIPTS, receipt(2, true)] }, 'b.2 failed, but it arrived'],
    [
      'one that arrived is failed in the log',
      { jobs: jobsWith(0, { state: 'failed' }) },
      'b.0 failed, but it arrived',
    ],
    [
      'one that arrived is cancelled in the log',
      { jobs: jobsWith(0, { state: 'cancelled' }) },
      'b.0 was cancelled, but it arrived',
    ],
    [
      'one that was refused is succeeded in the log',
      { jobs: jobsWith(2, { state: 'succeeded' }) },
      'b.2 succeeded, but its email never arrived',
    ],
    [
      'an unknown one came twice',
      { receipts: [...RECEIPTS, receipt(3, true)] },
      'b.3 is unknown, and arrived 2 times in 2 calls',
    ],
    [
      'an unknown one was called again behind the back of the log',
      { receipts: [...RECEIPTS, receipt(3, false)] },
      'b.3 is unknown, and arrived 1 times in 2 calls',
    ],
    [
      'a call has no attempt in the log',
      { jobs: jobsWith(1, { attempts: 1 }) },
      'b.1 came in 2 calls, but the log has 1 attempt',
    ],
    [
      'somebody got a mail who is in no list',
      { receipts: [...RECEIPTS, receipt(9, true)] },
      'key-9 is not in the log',
    ],
    [
      'somebody got what belongs to another',
      { receipts: RECEIPTS.with(0, { key: 'key-0', taken: true, mark: 'mark-1' }) },
      'key-0 got mark-1 instead of mark-0',
    ],
    ['the log lacks a job', { jobs: JOBS.slice(0, 3) }, 'different jobs in the log: 3, not 4'],
    ['the log has a job twice', { jobs: jobsWith(1, { id: 'b.0' }) }, 'different jobs in the log: 3, not 4'],
    [
      'two jobs have one receiver',
      { jobs: jobsWith(1, { key: 'key-0', mark: 'mark-0' }) },
      'different receivers in the log: 3, not 4',
    ],
    ['a job has no outcome', { jobs: jobsWith(0, { state: 'waiting' }) }, 'jobs with an outcome: 3, not 4'],
    [
      "the batch's counts differ from the log",
      { counts: { ...delivery().counts, succeeded: 1, failed: 2 } },
      'succeeded in the log: 2, not 1',
    ],
    ['a list was handed in that is longer', { submitted: 5 }, 'jobs in the batch: 4, not 5'],
  ])('fails if %s', (_what, change, problem) => {
    expect(problemsOf(change)).toContain(problem);
    expect(verdict([delivery(change)]).holds).toBe(false);
  });

  it('allows a webhook to arrive twice only if the log says so', () => {
    const change = { noun: 'webhook', atMostOnce: false, receipts: [...RECEIPTS, receipt(1, true)] } as const;
    const honest = jobsWith(1, { attempts: 3, possibleDuplicate: true });
    expect(problemsOf({ ...change, jobs: honest })).toEqual([]);
    expect(verdict([delivery({ ...change, jobs: honest })]).checks[1]?.text).toBe(
      '2 succeeded: each arrived, and once; 1 came again, and the log marks them as possible duplicates',
    );
    expect(problemsOf({ ...change, jobs: jobsWith(1, { attempts: 3 }) })).toEqual([
      'b.1 succeeded, and its webhook arrived 2 times',
    ]);
  });
});
