import {
  type Call,
  CONTRACT,
  callError,
  defineModule,
  definePlugin,
  defineProvider,
  type Job,
  type Plugin,
  type Resolution,
  type Session,
  succeeded,
  Type,
  type UnresolvedJob,
} from '../src/plugin/index.ts';
import {
  LEDGER_PROVIDER_NAMES,
  LEDGER_PROVIDERS,
  LEDGER_TYPE,
  type LedgerCall,
  type LedgerProvider,
  monotonicMs,
} from './ledger.ts';

const Payload = Type.Object({ n: Type.Integer() }, { additionalProperties: false });
const Credentials = Type.Object({ url: Type.String() });

/** A plugin with a provider for each guarantee, all of which call the ledger receiver. */
export function ledgerPlugin({ concurrency = 20, timeoutMs = 5_000 } = {}): Plugin {
  const providers = Object.fromEntries(
    LEDGER_PROVIDER_NAMES.map((name) => [name, ledgerProvider(name, concurrency, timeoutMs)]),
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

function ledgerProvider(name: LedgerProvider, concurrency: number, timeoutMs: number) {
  const { guarantee, batchSize } = LEDGER_PROVIDERS[name];
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

type Post = (path: string, body: unknown, signal: AbortSignal) => Promise<unknown>;

async function post(fetch: typeof globalThis.fetch, url: string, body: unknown, signal: AbortSignal) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    });
    return await response.json();
  } catch (error) {
    // What it means that no answer came is decided by the guarantee.
    throw callError(error);
  }
}

function ledgerSession(name: LedgerProvider, batchSize: number, send: Post): Session<{ n: number }> {
  const call = async (jobs: readonly Job[], { idempotencyKey: key, signal }: Call) => {
    const body: LedgerCall = {
      engine: process.pid,
      provider: name,
      attempt: jobs[0]?.attempt ?? 0,
      key,
      startedMs: monotonicMs(),
      jobs: jobs.map(({ id, batchId, possibleDuplicate }) => ({ id, batchId, possibleDuplicate })),
    };
    await send('/call', body, signal);
    return jobs.map((job) => succeeded(`ref-${job.seq}`));
  };
  const resolve = async (jobs: readonly UnresolvedJob[], { signal }: Call): Promise<Resolution[]> => {
    const taken = (await send('/taken', { ids: jobs.map(({ id }) => id) }, signal)) as boolean[];
    return taken.map((was, index) => (was ? succeeded(`ref-${jobs[index]?.seq}`) : { status: 'absent' }));
  };
  if (batchSize > 1) return { processBatch: call, resolve };
  return { process: async (job, made) => (await call([job], made))[0] ?? succeeded(), resolve };
}
