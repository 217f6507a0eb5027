import {
  type Callbacks,
  defineModule,
  definePlugin,
  defineProvider,
  type Plugin,
  type Succeeded,
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

/** Enough for all chunks of two runners, who share it, to start whole: the work does nothing, so nothing needs protection. */
const CONCURRENCY = 40_000;

/** Believes everybody, and takes one receipt a request: `{"jobId": "…", "eventId": "…"}`. */
const callbacks: Callbacks = {
  handle: ({ body }) => {
    const { jobId, eventId } = JSON.parse(Buffer.from(body).toString()) as { jobId: string; eventId: string };
    return { events: [{ jobId, eventId, kind: 'delivered' }] };
  },
};

/** What a provider that is not free looks like: so many calls at once, each so long. */
const PACED = { concurrency: 50, callMs: 2 };

type Guarantee = 'at-least-once' | 'at-most-once';

const done = succeeded();

function noopModule(type: string, kind: Guarantee, onCall: (jobId: string) => Succeeded) {
  const provider = defineProvider({
    title: 'No operation',
    payload: NoopPayload,
    credentials: Type.Object({}),
    guarantee: { kind },
    concurrency: CONCURRENCY,
    callbacks,
    open: () => ({
      process: (job) => onCall(job.id),
    }),
  });
  return defineModule({ type, title: type, version: 1, payload: NoopPayload, providers: { noop: provider } });
}

function pacedModule() {
  const provider = defineProvider({
    title: 'Some time for each call',
    payload: NoopPayload,
    credentials: Type.Object({}),
    guarantee: { kind: 'at-least-once' },
    concurrency: PACED.concurrency,
    open: () => ({ process: () => new Promise((resolve) => setTimeout(resolve, PACED.callMs, done)) }),
  });
  return defineModule({
    type: 'paced',
    title: 'paced',
    version: 1,
    payload: NoopPayload,
    providers: { noop: provider },
  });
}

/**
 * `noop` takes repeats, `fenced` takes none and is fenced job by job. `clock` answers when it was
 * called, by the monotonic clock that all processes of a machine share. `paced` calls take time.
 */
export function noopPlugin(onCall: (jobId: string) => void): Plugin {
  const call = (jobId: string) => {
    onCall(jobId);
    return done;
  };
  return definePlugin({
    name: 'batchsender-bench-noop',
    version: '1.0.0',
    contract: 1,
    modules: [
      noopModule('noop', 'at-least-once', call),
      noopModule('fenced', 'at-most-once', call),
      noopModule('clock', 'at-least-once', () => succeeded(String(process.hrtime.bigint()))),
      pacedModule(),
    ],
  });
}
