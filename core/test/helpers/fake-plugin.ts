import {
  type Call,
  CONTRACT,
  defineModule,
  definePlugin,
  defineProvider,
  type IdentifiedResult,
  type Infer,
  type Job,
  type JobResult,
  type Module,
  type Plugin,
  type Provider,
  type Resolution,
  type Session,
  succeeded,
  type TSchema,
  Type,
  type UnresolvedJob,
  variables,
} from '../../src/plugin/index.ts';

const FakePayload = Type.Object({
  n: Type.Optional(Type.Integer()),
  to: Type.Optional(Type.String()),
  text: Type.Optional(Type.String()),
  variables: variables(),
});

export type FakePayload = Infer<typeof FakePayload>;
export type FakeJob = Job<FakePayload>;

/** One call that the fake provider took. */
export interface FakeCall {
  readonly jobs: readonly FakeJob[];
  readonly seqs: readonly number[];
  readonly batchId: string;
  readonly key: string;
  readonly attempt: number;
  /** By the monotonic clock of this process. */
  readonly startedAt: number;
  endedAt?: number;
}

type Answer = readonly (JobResult | IdentifiedResult)[];

export interface FakeOptions {
  /** Default `mail`. */
  readonly type?: string;
  /** Version of the module. Default 1. */
  readonly version?: number;
  readonly pluginVersion?: string;
  readonly payload?: TSchema;
  readonly migrate?: (payload: Record<string, unknown>, from: number) => FakePayload;
  /** The rest of the module: recipients, receipts. */
  readonly module?: Partial<Pick<Module<FakePayload>, 'recipients' | 'normalizeRecipient' | 'receipts'>>;
  /** The rest of the provider: guarantee (default at-least-once), limits, keys. */
  readonly provider?: Partial<Provider<FakePayload, never>>;
  /** Default: every job succeeds. */
  readonly process?: (job: FakeJob, call: Call) => JobResult | Promise<JobResult>;
  readonly processBatch?: (jobs: readonly FakeJob[], call: Call) => Answer | Promise<Answer>;
  readonly resolve?: (
    jobs: readonly UnresolvedJob<FakePayload>[],
    call: Call,
  ) => readonly Resolution[] | Promise<readonly Resolution[]>;
}

/** A plugin with one module `mail` and one provider `fake`, and the ledger of its calls. */
export interface Fake {
  readonly plugin: Plugin;
  readonly calls: FakeCall[];
  /** Calls of `resolve`, by the positions of their jobs. */
  readonly questions: (readonly UnresolvedJob<FakePayload>[])[];
  /** How often each job was called, by its position. */
  timesCalled(batchId?: string): Map<number, number>;
}

export function fake(options: FakeOptions = {}): Fake {
  const calls: FakeCall[] = [];
  const questions: (readonly UnresolvedJob<FakePayload>[])[] = [];
  const session = fakeSession(options, calls, questions);
  const provider = defineProvider({
    title: 'Fake',
    payload: FakePayload,
    credentials: Type.Object({}),
    guarantee: { kind: 'at-least-once' },
    open: () => session,
    ...(options.provider as object | undefined),
  });
  const module = defineModule({
    type: options.type ?? 'mail',
    title: 'Mail',
    version: options.version ?? 1,
    payload: (options.payload ?? FakePayload) as typeof FakePayload,
    ...options.module,
    ...(options.migrate === undefined ? {} : { migrate: options.migrate }),
    providers: { fake: provider },
  });
  const plugin = definePlugin({
    name: 'plugin-fake',
    version: options.pluginVersion ?? '1.0.0',
    contract: CONTRACT,
    modules: [module],
  });
  return { plugin, calls, questions, timesCalled: (batchId) => timesCalled(calls, batchId) };
}

function fakeSession(
  options: FakeOptions,
  calls: FakeCall[],
  questions: (readonly UnresolvedJob<FakePayload>[])[],
): Session<FakePayload> {
  const { process = () => succeeded(), processBatch, resolve } = options;
  const noted = <T>(jobs: readonly FakeJob[], call: Call, work: () => T): T => {
    const entry: FakeCall = {
      jobs,
      seqs: jobs.map((job) => job.seq),
      batchId: jobs[0]?.batchId ?? '',
      key: call.idempotencyKey,
      attempt: call.attempt,
      startedAt: performance.now(),
    };
    calls.push(entry);
    return whenEnded(work, () => {
      entry.endedAt = performance.now();
    });
  };
  const asked =
    resolve === undefined
      ? {}
      : {
          resolve: async (jobs: readonly UnresolvedJob<FakePayload>[], call: Call) => {
            questions.push(jobs);
            return resolve(jobs, call);
          },
        };
  if (processBatch === undefined) {
    return { ...asked, process: (job, call) => noted([job], call, () => process(job, call)) };
  }
  return { ...asked, processBatch: async (jobs, call) => noted(jobs, call, () => processBatch(jobs, call)) };
}

function whenEnded<T>(work: () => T, ended: () => void): T {
  const answer = work();
  if (answer instanceof Promise) return answer.finally(ended) as T;
  ended();
  return answer;
}

function timesCalled(calls: readonly FakeCall[], batchId?: string): Map<number, number> {
  const times = new Map<number, number>();
  for (const call of calls) {
    if (batchId !== undefined && call.batchId !== batchId) continue;
    for (const seq of call.seqs) times.set(seq, (times.get(seq) ?? 0) + 1);
  }
  return times;
}

/** Payloads numbered from 0. */
export const numbered = (count: number): FakePayload[] => Array.from({ length: count }, (_, n) => ({ n }));

/** Calls that wait until the test lets them go. */
export interface Barrier {
  /** Resolves when the barrier opens. */
  pass(): Promise<void>;
  open(): void;
}

export function barrier(): Barrier {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { pass: () => promise, open: () => resolve() };
}
