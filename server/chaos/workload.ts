import { LEDGER_PROVIDER_NAMES, type LedgerProvider } from '../../core/chaos/ledger.ts';
import { type Random, seededRandom } from '../../core/test/helpers/model-random.ts';

/** What a client does with a batch of its own while it runs. */
export type Steering = 'none' | 'pause' | 'cancel' | 'retry';

/** How the jobs of a batch come in: one request, pieces of NDJSON, or a request for each job. */
export type Form = 'json' | 'ndjson' | 'single';

/** A batch that a client will submit. Its jobs have the numbers from `first` on. */
export interface PlannedBatch {
  readonly number: number;
  readonly provider: LedgerProvider;
  readonly first: number;
  readonly size: number;
  readonly form: Form;
  /** Pieces of an upload. */
  readonly pieces: number;
  readonly steering: Steering;
  /** When it is steered, after it was submitted, and for how long it is paused. */
  readonly steerAfterMs: number;
  readonly pauseMs: number;
}

const FORMS = { json: 5, ndjson: 4, single: 1 };
const STEERINGS = { none: 70, pause: 12, cancel: 6, retry: 12 };
const MOST_SINGLES = 30;
const LARGEST = 900;
/** Also a small run has batches for all providers, several times. */
const LEAST_BATCHES = 15;

/** All batches of a run: the seed decides. */
export function workloadOf(seed: number, jobs: number): PlannedBatch[] {
  const random = seededRandom(`workload ${seed}`);
  const largest = Math.max(5, Math.min(LARGEST, Math.floor((2 * jobs) / LEAST_BATCHES)));
  const batches: PlannedBatch[] = [];
  for (let first = 0; first < jobs; ) {
    const batch = plan(random, { number: batches.length, first, left: jobs - first, largest });
    batches.push(batch);
    first += batch.size;
  }
  return batches;
}

interface Place {
  readonly number: number;
  readonly first: number;
  readonly left: number;
  readonly largest: number;
}

function plan(random: Random, { number, first, left, largest }: Place): PlannedBatch {
  const form = random.weighted(FORMS);
  const most = form === 'single' ? MOST_SINGLES : largest;
  return {
    number,
    provider: LEDGER_PROVIDER_NAMES[number % LEDGER_PROVIDER_NAMES.length] as LedgerProvider,
    first,
    size: Math.min(left, random.int(Math.min(5, most), most)),
    form,
    pieces: random.int(1, 4),
    steering: form === 'single' ? 'none' : random.weighted(STEERINGS),
    steerAfterMs: random.int(0, 4_000),
    pauseMs: random.int(500, 6_000),
  };
}

/** The payloads of a batch, or of a part of it. */
export const payloads = (first: number, size: number): { readonly n: number }[] =>
  Array.from({ length: size }, (_none, index) => ({ n: first + index }));

/** The parts in which a batch is uploaded: [first, size]. */
export function parts({ first, size, pieces }: PlannedBatch): readonly (readonly [number, number])[] {
  const each = Math.ceil(size / pieces);
  return Array.from({ length: Math.ceil(size / each) }, (_none, index) => {
    const from = index * each;
    return [first + from, Math.min(each, size - from)] as const;
  });
}
