import type { JsonObject } from '../../plugin/index.ts';
import { compileDefaults } from '../intake/defaults.ts';
import type { Registry } from '../registry.ts';
import type { RunnableBatch, RunStore } from '../store.ts';
import { callKeys } from './call-keys.ts';
import type { BatchPlan } from './prepare.ts';
import { ratesOf } from './rates.ts';

const MAX_PLANS = 1_000;

/** What chunks need of their batch, made once a batch: its row, module, provider and compiled templates. */
export class PlanCache {
  readonly #plans = new Map<string, Promise<BatchPlan>>();
  readonly #store: RunStore;
  readonly #registry: Registry;
  readonly #credentials: (type: string, provider: string) => JsonObject;

  constructor(
    store: RunStore,
    registry: Registry,
    credentials: (type: string, provider: string) => JsonObject,
  ) {
    this.#store = store;
    this.#registry = registry;
    this.#credentials = credentials;
  }

  /** Makes the plan of a batch that was stored here a moment ago: its first chunk need not ask for it. */
  prime(batch: RunnableBatch): void {
    this.#remember(batch.batchId, this.#plan(batch));
  }

  get(batchId: string): Promise<BatchPlan> {
    let plan = this.#plans.get(batchId);
    if (plan === undefined) {
      plan = this.#store.runnableBatch(batchId).then((batch) => this.#plan(batch));
      this.#remember(batchId, plan);
    }
    return plan;
  }

  #remember(batchId: string, plan: Promise<BatchPlan>): void {
    if (this.#plans.size >= MAX_PLANS) this.#plans.delete(this.#plans.keys().next().value as string);
    this.#plans.set(batchId, plan);
    plan.catch(() => this.#plans.delete(batchId));
  }

  async #plan(batch: RunnableBatch): Promise<BatchPlan> {
    const { batchId } = batch;
    const registered = this.#registry.get(batch.type);
    const provider = this.#registry.provider(batch.type, batch.provider);
    if (registered === undefined || provider === undefined) {
      throw new Error(`No installed plugin can run batch ${batchId} (${batch.type} by ${batch.provider})`);
    }
    const credentials = this.#credentials(batch.type, batch.provider) as never;
    const rates = ratesOf(provider, credentials);
    return {
      batch,
      module: registered.module,
      provider,
      pluginName: registered.plugin.name,
      merge: compileDefaults(batch.defaults, registered.module.payload),
      keys: callKeys(provider, rates),
      credentials,
      rates,
    };
  }
}
