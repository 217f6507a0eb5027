import { Type } from 'typebox';
import {
  type Call,
  defineModule,
  definePlugin,
  defineProvider,
  type Job,
  type JobResult,
  type Plugin,
  type Session,
} from '../../src/plugin/index.ts';
import { type ModelPayload, modelProvider, PROVIDER_NAMES, type ProviderName } from './model-providers.ts';
import type { ModelVendor } from './model-vendor.ts';

const Payload = Type.Object(
  { tag: Type.String(), n: Type.Integer(), to: Type.String() },
  { additionalProperties: false },
);

/** The process that a plugin runs in: once it is dead, no call leaves it any more. */
export interface Host {
  readonly index: number;
  dead: boolean;
}

const TIMEOUT_MS = 250;

/** The model's plugin in one process. Every process has its own, all have the same vendor. */
export function modelPlugin(host: Host, vendor: ModelVendor): Plugin {
  const providers = Object.fromEntries(PROVIDER_NAMES.map((name) => [name, provider(name, host, vendor)]));
  const module = defineModule({ type: 'model', title: 'Model', version: 1, payload: Payload, providers });
  return definePlugin({ name: 'model-plugin', version: '1.0.0', contract: 1, modules: [module] });
}

function provider(name: ProviderName, host: Host, vendor: ModelVendor) {
  const { guarantee, batchSize, endpoints, rates } = modelProvider(name);
  return defineProvider({
    title: name,
    payload: Payload,
    credentials: Type.Object({}),
    guarantee: (_credentials, payload) => guarantee(payload),
    batchSize,
    concurrency: 6,
    timeoutMs: TIMEOUT_MS,
    ...(endpoints === true ? { endpointKey: ({ to }: ModelPayload) => to } : {}),
    ...(rates === undefined ? {} : { rates }),
    open: () => session(name, host, vendor),
  });
}

function session(name: ProviderName, host: Host, vendor: ModelVendor): Session<ModelPayload> {
  const { batchSize, pending } = modelProvider(name);
  const send = async (jobs: readonly Job<ModelPayload>[], call: Call) => {
    if (host.dead) return silence();
    if (pending === true) await call.note({ bulk: jobs[0]?.id ?? '' });
    if (host.dead) return silence();
    const { idempotencyKey: key, signal } = call;
    return vendor.call({ engine: host.index, provider: name, key, jobs, signal });
  };
  const resolve: Session<ModelPayload>['resolve'] = async (jobs) => {
    if (host.dead) return silence();
    const answers = await Promise.all(jobs.map((job) => vendor.resolve(job)));
    return answers as never;
  };
  if (batchSize > 1)
    return { processBatch: async (jobs, call) => identified(jobs, await send(jobs, call)), resolve };
  return { process: async (job, call) => (await send([job], call))[0] as JobResult, resolve };
}

/** Names the jobs and leaves out what is missing, in the reverse order. */
function identified(jobs: readonly Job<ModelPayload>[], results: readonly (JobResult | undefined)[]) {
  return jobs
    .flatMap((job, index) => {
      const result = results[index];
      return result === undefined ? [] : [{ ...result, jobId: job.id }];
    })
    .reverse();
}

/** A dead process does not say anything. */
const silence = () => new Promise<never>(() => undefined);
