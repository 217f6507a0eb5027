import { parseArgs } from 'node:util';

/** What a chaos run is asked for. */
export interface ChaosOptions {
  readonly jobs: number;
  readonly kills: number;
  /** NATS store wipes, beside the kills. */
  readonly wipes: number;
  /** Rollbacks of the NATS store to an older copy, beside the kills. */
  readonly rollbacks: number;
  readonly seed: number;
  /** Mean time between two faults, in milliseconds. */
  readonly gapMs: number;
  /** How long a usual call takes at the provider, in milliseconds. */
  readonly workMs: number;
  /** The folder of the run stays, also where every promise was kept. */
  readonly keep: boolean;
}

export const USAGE = `npm run chaos -- [options]

Real processes (an API server, two runners, nats-server, Postgres) deliver jobs to a provider that
keeps a ledger of its own, while they are killed, stopped and cut off. Then ledger, event log and
counters are compared. The exit code is 1 if a promise was broken.

  --jobs N       jobs (default 2000)
  --kills K      kills of processes, servers and database sessions (default 20)
  --wipes W      times that the NATS store is wiped, beside the kills (default 0)
  --rollbacks R  times that the NATS store becomes an older copy of itself (default 0)
  --seed S       a whole number; the same seed gives the same faults and the same provider (default 1)
  --gap MS       mean milliseconds between two faults (default 2000)
  --work MS      milliseconds that a usual call takes at the provider (default 100)
  --keep         keep the folder with logs, ledger and data; without it only a broken run keeps it
  --help         this text

CHAOS_DATABASE_URL names a Postgres to use, whose user may create a database; then the Postgres
server itself is not killed, only its sessions. Left out: an embedded one, which is killed too.
`;

const whole = (name: string, text: string, least: number): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`--${name} takes a whole number from ${least}, not ${JSON.stringify(text)}`);
};

/** Undefined: the usage was asked for. @throws TypeError for an option that is wrong. */
export function readOptions(args: readonly string[]): ChaosOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      jobs: { type: 'string', default: '2000' },
      kills: { type: 'string', default: '20' },
      wipes: { type: 'string', default: '0' },
      rollbacks: { type: 'string', default: '0' },
      seed: { type: 'string', default: '1' },
      gap: { type: 'string', default: '2000' },
      work: { type: 'string', default: '100' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    jobs: whole('jobs', values.jobs, 1),
    kills: whole('kills', values.kills, 0),
    wipes: whole('wipes', values.wipes, 0),
    rollbacks: whole('rollbacks', values.rollbacks, 0),
    seed: whole('seed', values.seed, 0),
    gapMs: whole('gap', values.gap, 1),
    workMs: whole('work', values.work, 0),
    keep: values.keep,
  };
}
