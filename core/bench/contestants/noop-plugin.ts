import {
  defineModule,
  definePlugin,
  defineProvider,
  type Plugin,
  succeeded,
  Type,
  variables,
} from '@batchsender/core/plugin';

/** The schema of the benchmark's payload; every job is validated against it. */
const NoopPayload = Type.Object(
  {
    to: Type.String({ minLength: 3, maxLength: 320 }),
    name: Type.String({ maxLength: 200 }),
    order: Type.Object(
      {
        id: Type.Integer({ minimum: 1 }),
        total: Type.Number({ minimum: 0 }),
        currency: Type.String({ pattern: '^[A-Z]{3}$' }),
      },
      { additionalProperties: false },
    ),
    tags: Type.Array(Type.String({ minLength: 1, maxLength: 40 }), { maxItems: 10 }),
    text: Type.String({ maxLength: 10_000 }),
    variables: variables(),
  },
  { additionalProperties: false },
);

/** Enough for all chunks of a runner to start whole: the work does nothing, so nothing needs protection. */
const CONCURRENCY = 20_000;

/** What a provider that is not free looks like: so many calls at once, each so long. */
const PACED = { concurrency: 50, callMs: 2 };

function noopModule(type: string, kind: 'at-least-once' | 'at-most-once', onCall: (jobId: string) => void) {
  const result = succeeded();
  const provider = defineProvider({
    title: 'No operation',
    payload: NoopPayload,
    credentials: Type.Object({}),
    guarantee: { kind },
    concurrency: CONCURRENCY,
    open: () => ({
      process: (job) => {
        onCall(job.id);
        return result;
      },
    }),
  });
  return defineModule({ type, title: type, version: 1, payload: NoopPayload, providers: { noop: provider } });
}

function pacedModule() {
  const result = succeeded();
  const provider = defineProvider({
    title: 'Some time for each call',
    payload: NoopPayload,
    credentials: Type.Object({}),
    guarantee: { kind: 'at-least-once' },
    concurrency: PACED.concurrency,
    open: () => ({ process: () => new Promise((resolve) => setTimeout(resolve, PACED.callMs, result)) }),
  });
  return defineModule({
    type: 'paced',
    title: 'paced',
    version: 1,
    payload: NoopPayload,
    providers: { noop: provider },
  });
}

/** `noop` takes repeats, `fenced` takes none and is fenced job by job; `paced` calls take time. */
export function noopPlugin(onCall: (jobId: string) => void): Plugin {
  return definePlugin({
    name: 'batchsender-bench-noop',
    version: '1.0.0',
    contract: 1,
    modules: [
      noopModule('noop', 'at-least-once', onCall),
      noopModule('fenced', 'at-most-once', onCall),
      pacedModule(),
    ],
  });
}
