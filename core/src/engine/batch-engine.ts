import { v7 } from 'uuid';
import { guardedFetch } from '../plugin/guarded-fetch.ts';
import type { JsonObject, Logger } from '../plugin/index.ts';
import type {
  Batch,
  BatchState,
  Engine,
  EngineOptions,
  JobState,
  PageOptions,
  Tenant,
  TransactionClient,
  Tuning,
} from './api.ts';
import { DEFAULT_TENANT } from './api.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { Dispatcher } from './dispatcher.ts';
import { BatchSenderError } from './errors.ts';
import { checkBatchId, parseJobId, UUID } from './ids.ts';
import { Singles } from './intake/singles.ts';
import { Intake } from './intake/submit.ts';
import { Maintenance } from './maintenance.ts';
import type { Registry } from './registry.ts';
import { chargeRejections } from './runner/charge-rejections.ts';
import { PlanCache } from './runner/plan-cache.ts';
import { Runner } from './runner/runner.ts';
import { SessionCache } from './runner/session-cache.ts';
import type { Store } from './store.ts';
import { createInProcessTransport, type Transport } from './transport.ts';
import { DEFAULT_TUNING } from './tuning.ts';

export interface EngineParts {
  readonly options: EngineOptions;
  readonly store: Store;
  readonly registry: Registry;
  readonly logger: Logger;
}

const DEFAULT_GRACE_MS = 25_000;
/** A cancellation or retry is swept at once for this long; the rest goes on in the background. */
const INLINE_SWEEP_MS = 1_000;

const tenantOf = (options?: Tenant): string => options?.tenantId ?? DEFAULT_TENANT;

/** The engine over a store: what `createEngine` returns. */
export class BatchEngine implements Engine {
  readonly registry: Registry;
  readonly idempotency: Engine['idempotency'];
  readonly settings: Engine['settings'];
  /** Places that the reconciler had to repair since the start; should stay at zero. */
  repairs = 0;
  readonly #store: Store;
  readonly #logger: Logger;
  readonly #tuning: Tuning;
  readonly #intake: Intake;
  readonly #singles: Singles;
  readonly #transport: Transport = createInProcessTransport();
  readonly #runner: Runner;
  readonly #dispatcher: Dispatcher;
  readonly #maintenance: Maintenance;
  readonly #sessions: SessionCache;
  readonly #versions: Record<string, number>;
  #migrated: Promise<void> | undefined;
  #started = false;
  #stopped: Promise<void> | undefined;
  #unconsume: (() => Promise<void>) | undefined;
  #uncharge: (() => void) | undefined;

  constructor({ options, store, registry, logger }: EngineParts) {
    this.registry = registry;
    this.#store = store;
    this.#logger = logger;
    this.#tuning = { ...DEFAULT_TUNING, ...options.tuning };
    this.idempotency = store.idempotency;
    this.settings = store.settings;
    this.#versions = Object.fromEntries(registry.list().map(({ module }) => [module.type, module.version]));
    const runnerId = v7();
    const network = { allow: options.allowNetworks ?? [] };
    this.#sessions = new SessionCache({
      logger,
      network,
      fetch: guardedFetch(network),
      callbackUrl: (type, provider, connectionId, jobId) =>
        options.publicUrl === undefined
          ? undefined
          : `${options.publicUrl.replace(/\/$/, '')}/v1/callbacks/${type}/${provider}/${connectionId}?job=${jobId}`,
    });
    const credentials = (type: string, provider: string): JsonObject => options.credentials?.(type, provider) ?? {};
    this.#runner = new Runner({
      runnerId,
      store: store.run,
      rows: store.runner,
      plans: new PlanCache(store.run, registry, credentials),
      sessions: this.#sessions,
      tuning: this.#tuning,
      retry: options.retry ?? {},
      logger,
      versions: this.#versions,
      onDue: (inMs) => this.#dispatcher.wakeIn(inMs),
      onRoom: () => this.#dispatcher.wake(),
    });
    this.#dispatcher = new Dispatcher({
      store: store.dispatch,
      transport: this.#transport,
      tuning: this.#tuning,
      versions: this.#versions,
      logger,
      room: (connectionId) => this.#runner.room(connectionId),
      totalRoom: () => this.#runner.totalRoom,
    });
    this.#maintenance = new Maintenance({
      store: store.maintenance,
      holder: runnerId,
      tuning: this.#tuning,
      logger,
      onDue: () => this.#dispatcher.wake(),
      onRepairs: (count) => {
        this.repairs += count;
      },
    });
    this.#intake = new Intake({
      store: store.intake,
      registry,
      chunkSize: this.#tuning.chunkSize,
      uploadTtlMs: this.#tuning.uploadTtlMs,
      canTake: (_type, connectionId) =>
        this.#started && this.#runner.totalRoom > 0 && this.#runner.room(connectionId) > 0,
      take: (ref) => this.#runner.accept(ref),
      wake: () => this.#dispatcher.wake(),
    });
    this.#singles = new Singles(this.#intake, registry);
  }

  migrate(): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(new BatchSenderError('engine_stopped', 'The engine was stopped: create another one'));
    if (this.#migrated === undefined) {
      this.#migrated = this.#store.migrate();
      this.#migrated.catch(() => {
        this.#migrated = undefined;
      });
    }
    return this.#migrated;
  }

  async start(): Promise<void> {
    await this.migrate();
    if (this.#started) return;
    this.#uncharge = chargeRejections(this.#logger);
    await this.#runner.start();
    this.#unconsume = await this.#transport.consume(Object.keys(this.#versions), (ref) => this.#runner.accept(ref));
    this.#started = true;
    await this.#dispatcher.start();
    this.#maintenance.start();
  }

  stop(options: { graceMs?: number } = {}): Promise<void> {
    this.#stopped ??= this.#stop(options.graceMs ?? DEFAULT_GRACE_MS);
    return this.#stopped;
  }

  async ready(): Promise<{ database: true; runner: boolean }> {
    await this.#store.ping();
    return { database: true, runner: this.#started && this.#runner.heartbeat.fresh(performance.now()) };
  }

  async submit(batch: Parameters<Engine['submit']>[0], options: Tenant & { client?: TransactionClient } = {}): Promise<Batch> {
    await this.migrate();
    const tenantId = tenantOf(options);
    const batchId = await this.#intake.submit(batch, tenantId, options.client);
    if (options.client === undefined) return this.getBatch(batchId, options);
    return this.#store.read.batchInside(options.client, tenantId, batchId);
  }

  async submitJob(job: Parameters<Engine['submitJob']>[0], options?: Tenant): Promise<{ jobId: string; batchId: string }> {
    await this.migrate();
    return this.#singles.submit(job, tenantOf(options));
  }

  async upload(batchId: string, options?: Tenant): ReturnType<Engine['upload']> {
    await this.migrate();
    return this.#intake.upload(checkBatchId(batchId), tenantOf(options));
  }

  async seal(batchId: string, options?: Tenant): Promise<Batch> {
    return this.#steer(batchId, options, (tenantId, id) => this.#store.steer.seal(tenantId, id));
  }

  async pause(batchId: string, options?: Tenant): Promise<Batch> {
    return this.#steer(batchId, options, async (tenantId, id) => {
      await this.#store.steer.pause(tenantId, id);
      this.#runner.steer(id);
    });
  }

  async resume(batchId: string, options?: Tenant): Promise<Batch> {
    return this.#steer(batchId, options, (tenantId, id) => this.#store.steer.resume(tenantId, id));
  }

  async cancel(batchId: string, options?: Tenant): Promise<Batch> {
    return this.#steer(batchId, options, async (tenantId, id) => {
      await this.#store.steer.cancel(tenantId, id);
      this.#runner.steer(id);
      await this.#sweep(id);
    });
  }

  async retry(batchId: string, states: Parameters<Engine['retry']>[1], options?: Tenant): Promise<Batch> {
    return this.#steer(batchId, options, async (tenantId, id) => {
      await this.#store.steer.retry(tenantId, id, states);
      await this.#sweep(id);
    });
  }

  async getBatch(batchId: string, options?: Tenant): Promise<Batch> {
    await this.migrate();
    const batch = await this.#store.read.batch(tenantOf(options), checkBatchId(batchId));
    if (batch === undefined) throw new BatchSenderError('batch_not_found', `There is no batch ${batchId}`);
    return batch;
  }

  async listBatches(
    filter: Tenant & PageOptions & { type?: string; state?: BatchState; includeSingle?: boolean } = {},
  ): ReturnType<Engine['listBatches']> {
    await this.migrate();
    const { type, state, includeSingle = false, cursor } = filter;
    const limit = pageLimit(filter.limit);
    const before = decodeCursor(cursor, UUID);
    const items = await this.#store.read.batches(tenantOf(filter), {
      includeSingle,
      limit: limit + 1,
      ...(type === undefined ? {} : { type }),
      ...(state === undefined ? {} : { state }),
      ...(before === undefined ? {} : { before }),
    });
    const page = items.slice(0, limit);
    const last = page.at(-1);
    return { items: page, nextCursor: items.length > limit && last !== undefined ? encodeCursor(last.id) : null };
  }

  async listJobs(batchId: string, filter: Tenant & PageOptions & { state?: JobState } = {}): ReturnType<Engine['listJobs']> {
    const { id } = await this.getBatch(batchId, filter);
    const after = Number(decodeCursor(filter.cursor, /^\d{1,9}$/) ?? -1);
    const state = filter.state === undefined ? {} : { state: filter.state };
    const page = await this.#store.read.jobs(tenantOf(filter), id, { ...state, limit: pageLimit(filter.limit), after });
    return { items: page.items, nextCursor: page.next === null ? null : encodeCursor(page.next) };
  }

  async getJob(jobId: string, options?: Tenant): ReturnType<Engine['getJob']> {
    await this.migrate();
    const { batchId, seq } = parseJobId(jobId);
    const job = await this.#store.read.job(tenantOf(options), batchId, seq);
    if (job === undefined) throw new BatchSenderError('job_not_found', `There is no job ${jobId}`);
    return job;
  }

  async resolveJob(
    jobId: string,
    outcome: 'succeeded' | 'failed',
    options: Tenant & { note?: string } = {},
  ): ReturnType<Engine['resolveJob']> {
    await this.migrate();
    const { batchId, seq } = parseJobId(jobId);
    await this.#store.steer.resolve(tenantOf(options), batchId, seq, outcome, options.note);
    return this.getJob(jobId, options);
  }

  async listConnections(): ReturnType<Engine['listConnections']> {
    await this.migrate();
    return this.#store.read.connections();
  }

  async unblockConnection(connectionId: string): ReturnType<Engine['unblockConnection']> {
    await this.migrate();
    await this.#store.steer.unblock(connectionId);
    this.#runner.unblock(connectionId);
    this.#dispatcher.wake();
    const found = (await this.#store.read.connections()).find((connection) => connection.id === connectionId);
    if (found === undefined) throw new BatchSenderError('connection_not_found', `There is no connection ${connectionId}`);
    return found;
  }

  async #steer(
    batchId: string,
    options: Tenant | undefined,
    act: (tenantId: string, batchId: string) => Promise<void>,
  ): Promise<Batch> {
    await this.migrate();
    await act(tenantOf(options), checkBatchId(batchId));
    this.#dispatcher.wake();
    return this.getBatch(batchId, options);
  }

  async #sweep(batchId: string): Promise<void> {
    const until = performance.now() + INLINE_SWEEP_MS;
    while (performance.now() < until && (await this.#store.maintenance.sweepStep(batchId)));
  }

  async #stop(graceMs: number): Promise<void> {
    await this.#dispatcher.stop();
    await this.#unconsume?.();
    if (this.#started) await this.#runner.stop(graceMs);
    await this.#maintenance.stop();
    await this.#transport.close();
    await this.#sessions.close();
    this.#uncharge?.();
    await this.#store.close();
  }
}

function pageLimit(limit = 100): number {
  return Math.min(1_000, Math.max(1, Math.floor(limit)));
}
