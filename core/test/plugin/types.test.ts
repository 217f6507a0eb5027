import { describe, expectTypeOf, it } from 'vitest';
import {
  defineModule,
  definePlugin,
  defineProvider,
  failed,
  type JobResult,
  networkResult,
  type Provider,
  retry,
  type Session,
  secret,
  succeeded,
  Type,
  throttled,
} from '../../src/plugin/index.ts';

// Checked by the compiler (`tsc -p core/test/tsconfig.json`): each expected error must be one.

const Payload = Type.Object({ to: Type.String(), count: Type.Optional(Type.Integer()) });
const Credentials = Type.Object({ apiKey: secret(), region: Type.Optional(Type.String()) });
const base = {
  title: 'Test',
  payload: Payload,
  credentials: Credentials,
  guarantee: { kind: 'at-least-once' },
} as const;

describe('the types of the contract', () => {
  it('infer payload and credentials from the schemas', () => {
    const provider = defineProvider({
      ...base,
      guarantee: (credentials, payload) => {
        expectTypeOf(credentials.apiKey).toEqualTypeOf<string>();
        expectTypeOf(payload.to).toEqualTypeOf<string>();
        return { kind: 'keyed', scope: 'job', ttlMs: 1 };
      },
      concurrency: (credentials) => {
        expectTypeOf(credentials.region).toEqualTypeOf<string | undefined>();
        return 5;
      },
      endpointKey: (payload) => payload.to,
      open: (credentials, context) => {
        expectTypeOf(credentials).toEqualTypeOf<{ apiKey: string; region?: string }>();
        expectTypeOf(context.fetch).toBeFunction();
        return {
          process: async (job, call) => {
            expectTypeOf(job.payload.to).toEqualTypeOf<string>();
            expectTypeOf(job.payload.count).toEqualTypeOf<number | undefined>();
            expectTypeOf(call.signal).toEqualTypeOf<AbortSignal>();
            return succeeded(job.payload.to);
          },
        };
      },
    });
    expectTypeOf(provider).toEqualTypeOf<
      Provider<{ to: string; count?: number }, { apiKey: string; region?: string }>
    >();
  });

  it('take a module and a plugin of such providers', () => {
    const provider = defineProvider({ ...base, open: () => ({ process: () => succeeded() }) });
    const module = defineModule({
      type: 'test',
      title: 'Test',
      version: 1,
      payload: Payload,
      validate: (payload) => {
        expectTypeOf(payload.count).toEqualTypeOf<number | undefined>();
        return [{ path: '/to', code: 'bad', message: 'bad' }];
      },
      providers: { provider },
    });
    definePlugin({ name: 'test', version: '1.0.0', contract: 1, modules: [module] });
    // @ts-expect-error A plugin without modules.
    definePlugin({ name: 'test', version: '1.0.0', contract: 1 });
    // @ts-expect-error A module without providers.
    defineModule({ type: 'test', title: 'Test', version: 1, payload: Payload });
  });

  it('refuse a provider for another payload', () => {
    const Other = Type.Object({ number: Type.Number() });
    const provider = defineProvider({
      ...base,
      payload: Other,
      open: () => ({ process: (job) => succeeded(String(job.payload.number)) }),
    });
    // @ts-expect-error The provider was written for another payload.
    defineModule({ type: 'test', title: 'Test', version: 1, payload: Payload, providers: { provider } });
  });

  it('refuse a result of the wrong shape', () => {
    const shapes: Session[] = [
      // @ts-expect-error No such status.
      { process: async () => ({ status: 'done' }) },
      // @ts-expect-error A failure needs a code.
      { process: async () => ({ status: 'failed' }) },
      // @ts-expect-error A throttled call says for how long.
      { process: async () => ({ status: 'throttled' }) },
      // @ts-expect-error The code is a text.
      { process: async () => ({ status: 'retry', code: 500 }) },
      // @ts-expect-error Nothing is no result.
      { process: async () => undefined },
      // @ts-expect-error A batch answers one result a job.
      { processBatch: async () => succeeded() },
      // @ts-expect-error A session takes one job a call or many, not both.
      { process: async () => succeeded(), processBatch: async () => [succeeded()] },
      // @ts-expect-error A session must process.
      { health: async () => undefined },
    ];
    expectTypeOf(shapes).toBeArray();
  });

  it('refuse fields that the schemas do not have', () => {
    defineProvider({
      ...base,
      open: (credentials) => ({
        process: async (job) => {
          // @ts-expect-error No such field in the payload.
          job.payload.missing;
          // @ts-expect-error No such field in the credentials.
          credentials.password;
          // @ts-expect-error A payload is not to be changed into another type.
          const to: number = job.payload.to;
          return succeeded(String(to));
        },
      }),
    });
  });

  it('refuse a provider that cannot process or has no guarantee', () => {
    // @ts-expect-error The session has neither process nor processBatch.
    defineProvider({ ...base, open: () => ({}) });
    // @ts-expect-error The provider cannot be opened.
    defineProvider({ ...base });
    const open = () => ({ process: () => succeeded() });
    // @ts-expect-error No such guarantee.
    defineProvider({ ...base, guarantee: { kind: 'exactly-once' }, open });
    defineProvider({ ...base, concurrency: 3, endpointKey: 'server', open });
    // @ts-expect-error A number of calls is no text.
    defineProvider({ ...base, concurrency: () => '3', open });
    // @ts-expect-error A key that is kept needs to say for how long.
    defineProvider({ ...base, guarantee: { kind: 'keyed', scope: 'job' }, open });
  });

  it('type what the helpers make', () => {
    expectTypeOf(succeeded('id')).toExtend<JobResult>();
    expectTypeOf(retry('http_500', { afterMs: 5 })).toExtend<JobResult>();
    expectTypeOf(throttled(5)).toExtend<JobResult>();
    // @ts-expect-error A code is needed.
    failed();
    const failure = { notSent: false, permanent: false, code: 'timeout', message: '' };
    // @ts-expect-error A lost call of such a provider has no result: the engine asks `resolve`.
    const ask = () => networkResult(failure, { kind: 'reconcilable', settleMs: 1 });
    expectTypeOf(ask).toBeFunction();
  });
});
