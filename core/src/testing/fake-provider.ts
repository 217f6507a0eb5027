import {
  type Call,
  CONTRACT,
  defineModule,
  definePlugin,
  defineProvider,
  type Guarantee,
  type Job,
  type JobResult,
  type Plugin,
  type Provider,
  type Resolution,
  type Session,
  type Static,
  succeeded,
  Type,
  type UnresolvedJob,
  variables,
} from '../plugin/index.ts';
import { Ledger, type LedgerEntry } from './ledger.ts';

const Payload = Type.Object(
  {
    n: Type.Optional(Type.Integer()),
    key: Type.Optional(Type.String()),
    text: Type.Optional(Type.String()),
    variables: variables(),
  },
  { additionalProperties: false },
);

/** A payload of the fake provider: fields to tell jobs apart by, none of them needed. */
export type FakePayload = Static<typeof Payload>;

type Declared =
  | 'batchSize'
  | 'batchBytes'
  | 'concurrency'
  | 'timeoutMs'
  | 'rates'
  | 'endpointKey'
  | 'groupKey';

/** How a fake provider behaves; what stands in the contract means the same here. */
export interface FakeProviderOptions extends Partial<Pick<Provider<FakePayload>, Declared>> {
  /** Job type. Default `fake`. */
  readonly type?: string;
  /** Default `at-least-once`. */
  readonly guarantee?: Guarantee | ((credentials: unknown, payload: FakePayload) => Guarantee);
  /** What becomes of a job; it may wait, and a throw loses the whole call. Default: it succeeds. */
  readonly result?: (job: Job<FakePayload>, call: Call) => JobResult | Promise<JobResult>;
  /** What is known of a job whose call left no result. Default: the session has no `resolve`. */
  readonly resolve?: (job: UnresolvedJob<FakePayload>, call: Call) => Resolution | Promise<Resolution>;
  /** How long a call takes before its results are made, in milliseconds. Default 0: it answers at once. */
  readonly latencyMs?: number | ((jobs: readonly Job<FakePayload>[]) => number);
  /** True: the call goes on although its signal is aborted. Default false: it throws the signal's reason. */
  readonly ignoreSignal?: boolean;
}

/** A plugin with one scriptable provider, and a ledger of what it was asked. */
export interface FakeProvider {
  readonly plugin: Plugin;
  readonly type: string;
  readonly ledger: Ledger<FakePayload>;
}

/**
 * A provider for tests of an engine: results by a function of the job, and a ledger.
 *
 * @example
 * const fake = fakeProvider({ result: (job) => (job.attempt < 3 ? retry('not_yet') : succeeded()) });
 * const engine = createEngine({ database, plugins: [fake.plugin] });
 * // …
 * assert.equal(fake.ledger.count(jobId), 3);
 */
export function fakeProvider(options: FakeProviderOptions = {}): FakeProvider {
  const {
    type = 'fake',
    result: _result,
    resolve: _resolve,
    latencyMs: _latencyMs,
    ignoreSignal: _ignore,
    ...declared
  } = options;
  const ledger = new Ledger<FakePayload>();
  const provider = defineProvider({
    title: 'Fake',
    payload: Payload,
    credentials: Type.Object({}),
    guarantee: { kind: 'at-least-once' },
    ...declared,
    open: () => fakeSession(options, ledger),
  });
  const module = defineModule({
    type,
    title: 'Fake',
    version: 1,
    payload: Payload,
    providers: { fake: provider },
  });
  const plugin = definePlugin({
    name: `fake-plugin-${type}`,
    version: '1.0.0',
    contract: CONTRACT,
    modules: [module],
  });
  return { plugin, type, ledger };
}

function fakeSession(options: FakeProviderOptions, ledger: Ledger<FakePayload>): Session<FakePayload> {
  const { resolve } = options;
  const answer = options.result ?? (() => succeeded());
  const rest =
    resolve === undefined
      ? {}
      : {
          resolve: async (jobs: readonly UnresolvedJob<FakePayload>[], call: Call) => {
            const entries = ledger.begin('resolve', jobs, call.idempotencyKey);
            return recorded(ledger, entries, () => Promise.all(jobs.map((job) => resolve(job, call))));
          },
        };
  const run = async (jobs: readonly Job<FakePayload>[], call: Call): Promise<JobResult[]> => {
    const entries = ledger.begin('call', jobs, call.idempotencyKey);
    return recorded(ledger, entries, async () => {
      await wait(latencyOf(options, jobs), options.ignoreSignal === true ? undefined : call.signal);
      return Promise.all(jobs.map((job) => answer(job, call)));
    });
  };
  if ((options.batchSize ?? 1) > 1) return { processBatch: run, ...rest };
  return { process: async (job, call) => (await run([job], call))[0] as JobResult, ...rest };
}

async function recorded<R extends JobResult | Resolution>(
  ledger: Ledger<FakePayload>,
  entries: LedgerEntry<FakePayload>[],
  work: () => Promise<R[]>,
): Promise<R[]> {
  try {
    const answers = await work();
    for (const [index, entry] of entries.entries()) entry.answer = answers[index] as R;
    return answers;
  } catch (error) {
    for (const entry of entries) entry.thrown = error;
    throw error;
  } finally {
    ledger.end(entries);
  }
}

function latencyOf({ latencyMs = 0 }: FakeProviderOptions, jobs: readonly Job<FakePayload>[]): number {
  return typeof latencyMs === 'function' ? latencyMs(jobs) : latencyMs;
}

/** Waits; rejects with the signal's reason as soon as it is aborted. */
function wait(forMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (forMs <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, forMs);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
