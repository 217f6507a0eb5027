import { type Random, seededRandom } from '../../core/test/helpers/model-random.ts';
import type { ChaosOptions } from './options.ts';

export const SERVER_NAMES = ['api', 'runner-1', 'runner-2'] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** Faults that end or stop processes or sessions, and how often each comes in a round of them. */
const KILLS = {
  /** SIGKILL of the API server. */
  'kill api': 3,
  /** SIGKILL of a runner's supervisor; its child has to find out. */
  'kill supervisor': 3,
  /** SIGKILL of a runner's child; its supervisor knows at once. */
  'kill child': 4,
  /** Both at once, as when a machine is gone: nobody gives the chunks back. */
  'kill machine': 3,
  /** Supervisor and child are stopped for longer than a lease, and go on. */
  'stop machine': 1,
  'kill nats': 2,
  /** pg_terminate_backend for half of the sessions. */
  'end sessions': 2,
  /** SIGKILL of the postmaster. */
  'kill postgres': 2,
} as const;

/** Faults of the wires; they come beside the kills. */
const CUTS = {
  /** All connections of one server to Postgres break. */
  'cut postgres': 2,
  /** All connections of one server to NATS break. */
  'cut nats': 1,
  /** Some statements of one server are committed, and the reply is lost. */
  'lose replies': 3,
} as const;

export type FaultKind = keyof typeof KILLS | keyof typeof CUTS | 'wipe nats' | 'roll nats back';

/** One fault of a run. */
export interface Fault {
  readonly kind: FaultKind;
  /** For faults of one server. */
  readonly server: ServerName;
  /** Time since the fault before it, in milliseconds. */
  readonly afterMs: number;
  /** How long the target stays down. */
  readonly downMs: number;
  /** The target need not be ready again: it is hit while it starts, too. */
  readonly early: boolean;
}

const CUTS_PER_KILL = 0.25;
const EARLY = 0.15;
const DOWN_MS = { low: 100, high: 2_500 };
/** The lease is 15 s. */
const STOPPED_MS = { low: 16_000, high: 19_000 };

/** The faults of a run, in their order: the seed decides. */
export function scheduleOf(
  options: Pick<ChaosOptions, 'seed' | 'kills' | 'wipes' | 'rollbacks' | 'gapMs'>,
  can: { readonly killPostgres: boolean },
): Fault[] {
  const random = seededRandom(`schedule ${options.seed}`);
  const kills = dealt(KILLS, random, options.kills, (kind) => can.killPostgres || kind !== 'kill postgres');
  const cuts = dealt(CUTS, random, Math.round(options.kills * CUTS_PER_KILL), () => true);
  const kinds: FaultKind[] = shuffled(
    [
      ...kills,
      ...cuts,
      ...Array.from({ length: options.wipes }, () => 'wipe nats' as const),
      ...Array.from({ length: options.rollbacks }, () => 'roll nats back' as const),
    ],
    random,
  );
  return kinds.map((kind) => {
    const down = kind === 'stop machine' ? STOPPED_MS : DOWN_MS;
    return {
      kind,
      server: serverOf(kind, random),
      afterMs: Math.round(options.gapMs * (0.25 + 1.5 * random.next())),
      downMs: random.int(down.low, down.high),
      early: random.chance(EARLY),
    };
  });
}

/** Rounds of the kinds, each shuffled: a short run has many kinds, and a long one has them by their weights. */
function dealt<K extends string>(
  weights: Readonly<Record<K, number>>,
  random: Random,
  count: number,
  allowed: (kind: K) => boolean,
): K[] {
  const kinds = (Object.keys(weights) as K[]).filter(allowed);
  const round = kinds.flatMap((kind) => Array.from({ length: weights[kind] }, () => kind));
  const list: K[] = [];
  while (list.length < count)
    list.push(...(list.length === 0 ? shuffled(kinds, random) : shuffled(round, random)));
  return list.slice(0, count);
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const list = [...items];
  for (let at = list.length - 1; at > 0; at--) {
    const other = random.int(0, at);
    [list[at], list[other]] = [list[other] as T, list[at] as T];
  }
  return list;
}

function serverOf(kind: FaultKind, random: Random): ServerName {
  if (kind === 'kill api') return 'api';
  const wire = kind === 'cut postgres' || kind === 'lose replies';
  return random.pick(wire ? SERVER_NAMES : SERVER_NAMES.slice(1));
}
