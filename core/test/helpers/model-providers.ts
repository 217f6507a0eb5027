import type { Guarantee, JobPayload } from '../../src/plugin/index.ts';

/** Payload of the model's jobs. `to` is an endpoint. */
export interface ModelPayload extends JobPayload {
  /** Names the submission or upload that brought the job. */
  readonly tag: string;
  readonly n: number;
  readonly to: string;
}

/** How one of the model's providers behaves. */
export interface ModelProvider {
  readonly guarantee: (payload: ModelPayload) => Guarantee;
  readonly batchSize: number;
  /** Calls go to `payload.to`, each with a circuit breaker. */
  readonly endpoints?: boolean;
  /** Takes bulk jobs: notes its id, answers `pending`, and is asked later. */
  readonly pending?: boolean;
  readonly rates?: readonly { per: 'call' | 'job'; max: number; windowMs: number }[];
}

const AT_MOST_ONCE: Guarantee = { kind: 'at-most-once' };
const AT_LEAST_ONCE: Guarantee = { kind: 'at-least-once' };
const KEYED_JOB: Guarantee = { kind: 'keyed', scope: 'job', ttlMs: 3_600_000 };
const KEYED_CALL: Guarantee = { kind: 'keyed', scope: 'call', ttlMs: 3_600_000 };
const RECONCILABLE: Guarantee = { kind: 'reconcilable', settleMs: 400 };

/** A provider for each guarantee, with calls for one job and for several. */
export const MODEL_PROVIDERS = {
  once: { guarantee: () => AT_MOST_ONCE, batchSize: 1 },
  oncebulk: {
    guarantee: () => AT_MOST_ONCE,
    batchSize: 4,
    rates: [{ per: 'job', max: 200, windowMs: 1_000 }],
  },
  least: { guarantee: () => AT_LEAST_ONCE, batchSize: 1, endpoints: true },
  leastbulk: { guarantee: () => AT_LEAST_ONCE, batchSize: 3 },
  keyed: { guarantee: () => KEYED_JOB, batchSize: 1 },
  keyedbulk: { guarantee: () => KEYED_CALL, batchSize: 5 },
  recon: { guarantee: () => RECONCILABLE, batchSize: 1 },
  bulk: { guarantee: () => RECONCILABLE, batchSize: 6, pending: true },
  mixed: { guarantee: ({ n }) => (n % 2 === 0 ? AT_MOST_ONCE : KEYED_CALL), batchSize: 3 },
} as const satisfies Record<string, ModelProvider>;

export type ProviderName = keyof typeof MODEL_PROVIDERS;

export const PROVIDER_NAMES = Object.keys(MODEL_PROVIDERS) as ProviderName[];

/** The provider by its name, with every optional field visible. */
export const modelProvider = (name: ProviderName): ModelProvider => MODEL_PROVIDERS[name];
