import {
  type Call,
  CONTRACT,
  callError,
  defineModule,
  definePlugin,
  defineProvider,
  failed,
  type Infer,
  type Job,
  type JobResult,
  type Plugin,
  type Resolution,
  retry,
  type Session,
  succeeded,
  Type,
  throttled,
  type UnresolvedJob,
} from '../src/plugin/index.ts';
import {
  LEDGER_PROVIDER_NAMES,
  LEDGER_PROVIDERS,
  LEDGER_TYPE,
  type LedgerCall,
  type LedgerProvider,
  type LedgerProviderSettings,
  monotonicMs,
} from './ledger.ts';

export interface LedgerPluginOptions {
  /** Calls at once. Default 20. */
  readonly concurrency?: number;
  /** Of a call. Default 5,000. */
  readonly timeoutMs?: number;
  /** Default: those of the ledger. */
  readonly providers?: Readonly<Record<LedgerProvider, LedgerProviderSettings>>;
}

const THROTTLED_MS = 300;

const Payload = Type.Object({ n: Type.Integer() }, { additionalProperties: false });
const Credentials = Type.Object({ url: Type.String() });
type LedgerPayload = Infer<typeof Payload>;

/** A plugin with a provider for each guarantee, all of which call the ledger. */
export function ledgerPlugin(options: LedgerPluginOptions = {}): Plugin {
  const providers = Object.fromEntries(
    LEDGER_PROVIDER_NAMES.map((name) => [name, ledgerProvider(name, options)]),
  );
  const module = defineModule({
    type: LEDGER_TYPE,
    title: 'Ledger',
    version: 1,
    payload: Payload,
    providers,
  });
  return definePlugin({ name: 'plugin-ledger', version: '1.0.0', contract: CONTRACT, modules: [module] });
}

function ledgerProvider(
  name: LedgerProvider,
  { concurrency = 20, timeoutMs = 5_000, providers = LEDGER_PROVIDERS }: LedgerPluginOptions,
) {
  const { guarantee, batchSize } = providers[name];
  return defineProvider({
    title: name,
    payload: Payload,
    credentials: Credentials,
    guarantee,
    batchSize,
    concurrency,
    timeoutMs,
    open: ({ url }, { fetch }) =>
      ledgerSession(name, batchSize, (path, body, signal) => post(fetch, `${url}${path}`, body, signal)),
  });
}

type Post = (path: string, body: unknown, signal: AbortSignal) => Promise<{ status: number; body: unknown }>;

async function post(fetch: typeof globalThis.fetch, url: string, body: unknown, signal: AbortSignal) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    });
    return { status: response.status, body: (await response.json()) as unknown };
  } catch (error) {
    // What it means that no answer came is decided by the guarantee.
    throw callError(error);
  }
}

function resultOf(status: number, ref: string): JobResult {
  if (status === 429) return throttled(THROTTLED_MS, { code: 'http_429' });
  if (status === 503) return retry('http_503');
  return status === 200 ? succeeded(ref) : failed(`http_${status}`);
}

function ledgerSession(name: LedgerProvider, batchSize: number, send: Post): Session<LedgerPayload> {
  const call = async (jobs: readonly Job<LedgerPayload>[], { idempotencyKey: key, signal }: Call) => {
    const body: LedgerCall = {
      engine: process.pid,
      provider: name,
      attempt: jobs[0]?.attempt ?? 0,
      key,
      startedMs: monotonicMs(),
      jobs: jobs.map(({ id, batchId, payload: { n }, possibleDuplicate }) => ({
        id,
        batchId,
        n,
        possibleDuplicate,
      })),
    };
    const { status } = await send('/call', body, signal);
    return jobs.map((job) => resultOf(status, `ref-${job.seq}`));
  };
  const resolve = async (jobs: readonly UnresolvedJob[], { signal }: Call): Promise<Resolution[]> => {
    const answer = await send('/taken', { ids: jobs.map(({ id }) => id) }, signal);
    const taken = answer.body as boolean[];
    return taken.map((was, index) => (was ? succeeded(`ref-${jobs[index]?.seq}`) : { status: 'absent' }));
  };
  if (batchSize > 1) return { processBatch: call, resolve };
  return { process: async (job, made) => (await call([job], made))[0] ?? succeeded(), resolve };
}
