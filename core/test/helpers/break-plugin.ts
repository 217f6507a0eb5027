import type {
  Call,
  Job,
  JobResult,
  Module,
  OpenContext,
  Plugin,
  Provider,
  Session,
} from '../../src/plugin/index.ts';
import type { Credentials, Message } from './sample-plugin.ts';

/** Turns a good plugin into one with a defect. */
export type Break = (plugin: Plugin) => Plugin;

type MessageProvider = Provider<Message, Credentials>;
/** One call of the good session; it may be made more than once. */
type Run = (job?: Job<Message>, call?: Call) => Promise<JobResult>;

export const inModule =
  (change: (module: Module<Message>) => Partial<Module<Message>>): Break =>
  (plugin) => {
    const [module] = plugin.modules as [Module<Message>];
    return { ...plugin, modules: [{ ...module, ...change(module) }] };
  };

export const inProvider = (change: (provider: MessageProvider) => Partial<MessageProvider>): Break =>
  inModule(({ providers }) => {
    const provider = providers['acme'] as unknown as MessageProvider;
    return {
      providers: { acme: { ...provider, ...change(provider) } as unknown as Provider<Message, never> },
    };
  });

export const inSession = (
  change: (session: Session<Message>, credentials: Credentials, context: OpenContext) => object,
): Break =>
  inProvider((provider) => ({
    open: async (credentials, context) => {
      const session = await provider.open(credentials, context);
      return { ...session, ...change(session, credentials, context) } as Session<Message>;
    },
  }));

/** Replaces `process`; `run` is the good one. */
export const inProcess = (
  change: (run: Run, job: Job<Message>, call: Call, context: OpenContext) => Promise<unknown>,
): Break =>
  inSession((session, _credentials, context) => ({
    process: (job: Job<Message>, call: Call) =>
      change(
        async (otherJob = job, otherCall = call) =>
          (await session.process?.(otherJob, otherCall)) as JobResult,
        job,
        call,
        context,
      ),
  }));

/** Replaces results of `process`. */
export const ofResult = (change: (result: JobResult, job: Job<Message>) => unknown): Break =>
  inProcess(async (run, job) => change(await run(), job));

/** Replaces errors of `process`. */
export const ofError = (change: (error: Error & { notSent?: boolean }) => unknown): Break =>
  inProcess(async (run) => {
    try {
      return await run();
    } catch (error) {
      return change(error as Error);
    }
  });

/** Replaces what `processBatch` answers. */
export const ofBatch = (change: (results: JobResult[], jobs: readonly Job<Message>[]) => unknown): Break =>
  inSession((session) => ({
    processBatch: async (jobs: readonly Job<Message>[], call: Call) =>
      change([...((await session.processBatch?.(jobs, call)) ?? [])] as JobResult[], jobs),
  }));
