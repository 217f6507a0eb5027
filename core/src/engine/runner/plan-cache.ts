import { compileDefaults } from '../intake/defaults.ts';
import type { Registry } from '../registry.ts';
import type { RunnableBatch, RunStore } from '../store.ts';
import { callKeys } from './call-keys.ts';
import type { ConnectionCache } from './connection-cache.ts';
import type { BatchPlan } from './prepare.ts';
import { ratesOf } from './rates.ts';

const MAX_PLANS = 1_000;

/** What does not depend on the credentials. */
type PlanBase = Omit<BatchPlan, 'connection' | 'rates' | 'keys'>;

interface Entry {
  readonly base: Promise<PlanBase>;
  /** With the credentials of the last chunk. */
  plan?: BatchPlan;
}

/** What chunks need of their batch, made once a batch: its row, module, provider and compiled templates. */
export class PlanCache {
  readonly #plans = new Map<string, Entry>();
  readonly #store: RunStore;
  readonly #registry: Registry;
  readonly #connections: ConnectionCache;

  constructor(store: RunStore, registry: Registry, connections: ConnectionCache) {
    this.#store = store;
    this.#registry = registry;
    this.#connections = connections;
  }

  /** Makes the plan of a batch that was stored here a moment ago: its first chunk need not ask for it. */
  prime(batch: RunnableBatch): void {
    this.#remember(batch.batchId, this.#base(batch));
  }

  /** With the newest credentials that this process knows of. @throws as {@link ConnectionCache.get} does. */
  async get(batchId: string): Promise<BatchPlan> {
    const entry =
      this.#plans.get(batchId) ??
      this.#remember(
        batchId,
        this.#store.runnableBatch(batchId).then((batch) => this.#base(batch)),
      );
    const base = await entry.base;
    const connection = await this.#connections.get(base.batch, base.provider);
    if (entry.plan?.connection !== connection) {
      const rates = ratesOf(base.provider, connection.credentials);
      entry.plan = { ...base, connection, rates, keys: callKeys(base.provider, rates) };
    }
    return entry.plan;
  }

  #remember(batchId: string, base: Promise<PlanBase>): Entry {
    if (this.#plans.size >= MAX_PLANS) this.#plans.delete(this.#plans.keys().next().value as string);
    const entry = { base };
    this.#plans.set(batchId, entry);
    base.catch(() => this.#plans.delete(batchId));
    return entry;
  }

  async #base(batch: RunnableBatch): Promise<PlanBase> {
    const { batchId } = batch;
    const registered = this.#registry.get(batch.type);
    const provider = this.#registry.provider(batch.type, batch.provider);
    if (registered === undefined || provider === undefined) {
      throw new Error(`No installed plugin can run batch ${batchId} (${batch.type} by ${batch.provider})`);
    }
    return {
      batch,
      module: registered.module,
      provider,
      pluginName: registered.plugin.name,
      merge: compileDefaults(batch.defaults, registered.module.payload),
    };
  }
}
