import { parseArgs } from 'node:util';

/** The parts of the benchmark, in the order in which they run. */
export const PARTS = [
  'enqueue',
  'csv',
  'drain',
  'export',
  'webhooks',
  'smtp',
  'twilio',
  'resend',
  'hubspot',
  'latency',
  'fairness',
  'filled',
  'processes',
  'reach',
  'receipts',
] as const;

export type Part = (typeof PARTS)[number] | 'large';

/** What the command line asks for. */
export interface BenchOptions {
  readonly parts: ReadonlySet<Part>;
  /** Jobs of a drain, an enqueue, a CSV upload or an export. Default 100,000. */
  readonly jobs: number;
  /** HTTP calls of the webhook part. Default 40,000. */
  readonly calls: number;
  /** Mails of the SMTP part; Twilio has 4 times as many messages, Resend and HubSpot 40 times, and 10 times where it answers later. Default 5,000. */
  readonly mails: number;
  /** CSV upload, export and the large tenant have `largeJobs` jobs; `filled` has 5,000,000 events. */
  readonly large: boolean;
  /** Jobs of the large upload. Default 1,000,000. */
  readonly largeJobs: number;
  /** Sequential jobs of the parts latency and reach. Default 300. */
  readonly samples: number;
  /** Rounds; the median of them is printed. Default 3. */
  readonly runs: number;
  /** Only these contestants; undefined means all. */
  readonly contestants: ReadonlySet<string> | undefined;
  /** File that takes all figures as JSON. */
  readonly json: string | undefined;
}

export const USAGE = `npm run bench -- [options]

  --only PART,PART      ${PARTS.join(', ')}, large     (default: all but large)
  --large               1,000,000 jobs for csv, export and fairness, 5,000,000 events for filled; without --only, also the part large
  --contestants A,B     only these, by the name in the tables
  --jobs N              jobs of all parts but the following (100000)
  --calls N             HTTP calls of the webhook part      (40000)
  --mails N             mails of the SMTP part              (5000)
  --large-jobs N        jobs where it is large              (1000000)
  --samples N           jobs of latency and reach           (300)
  --runs N              rounds, of which the median counts  (3)
  --json FILE           writes every figure to FILE

  BENCH_DATABASE_URL or TEST_DATABASE_URL: a Postgres whose user may create databases.
  Without one the embedded Postgres is started in a temporary folder.
  BENCH_REDIS_URL: a Redis for BullMQ                       (redis://127.0.0.1:6379)`;

/** Reads the command line. @throws Error naming the option that is wrong. */
export function parseOptions(args: readonly string[]): BenchOptions | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: text,
      contestants: text,
      jobs: text,
      calls: text,
      mails: text,
      'large-jobs': text,
      samples: text,
      runs: text,
      json: text,
      large: flag,
      help: flag,
    },
  });
  if (values.help) return 'help';
  const parts = new Set<Part>(values.only === undefined ? PARTS : partsOf(values.only));
  if (values.large && values.only === undefined) parts.add('large');
  return {
    parts,
    jobs: count('--jobs', values.jobs, 100_000),
    calls: count('--calls', values.calls, 40_000),
    mails: count('--mails', values.mails, 5_000),
    large: values.large,
    largeJobs: count('--large-jobs', values['large-jobs'], 1_000_000),
    samples: count('--samples', values.samples, 300),
    runs: count('--runs', values.runs, 3),
    contestants: values.contestants === undefined ? undefined : new Set(values.contestants.split(',')),
    json: values.json,
  };
}

function partsOf(list: string): Part[] {
  const known: readonly string[] = [...PARTS, 'large'];
  return list.split(',').map((name) => {
    if (!known.includes(name))
      throw new Error(`--only: no part is called '${name}'. Known: ${known.join(', ')}`);
    return name as Part;
  });
}

function count(option: string, value: string | undefined, byDefault: number): number {
  if (value === undefined) return byDefault;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) {
    throw new Error(`${option} takes a whole number from 1, not '${value}'`);
  }
  return number;
}
