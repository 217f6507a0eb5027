import type { Logger } from '../plugin/index.ts';
import type { Batch, Engine, EngineOptions, JobState, PageOptions, Tenant } from './api.ts';
import { DEFAULT_TENANT } from './api.ts';
import { StoredConnections } from './connections/stored-connections.ts';
import { receiptsOf } from './decisions/delivery.ts';
import { schemaColumns } from './decisions/result-columns.ts';
import { BatchSenderError } from './errors.ts';
import { hostContext } from './host-context.ts';
import { checkBatchId, parseJobId } from './ids.ts';
import { Singles } from './intake/singles.ts';
import { Intake } from './intake/submit.ts';
import type { IsolatedChunk } from './isolation.ts';
import { keepFor } from './keep-for.ts';
import type { Activity, Backlog, EngineObserver } from './observer.ts';
import { type BatchFilter, pageOfBatches, pageOfJobs } from './pages.ts';
import { readResults } from './read-results.ts';
import type { Registry } from './registry.ts';
import type { BatchResults, ResultFilter } from './results.ts';
import type { Store } from './store.ts';
import { DEFAULT_TUNING } from './tuning.ts';
import { guardObserver } from './watch/guard-observer.ts';
import { Works } from './works.ts';

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
  readonly connections: Engine['connections'];
  /** Places that the reconciler had to repair since the start; should stay at zero. */
  repairs = 0;
  readonly #store: Store;
  readonly #works: Works;
  readonly #intake: Intake;
  readonly #singles: Singles;
  readonly #watcher: EngineObserver | undefined;
  readonly #backlog: () => Promise<Backlog>;
  #migrated: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor({ options, store, registry, logger }: EngineParts) {
    this.registry = registry;
    this.#store = store;
    this.idempotency = store.idempotency;
    this.settings = store.settings;
    const tuning = { ...DEFAULT_TUNING, ...options.tuning };
    const watcher = options.observer === undefined ? undefined : guardObserver(options.observer, logger);
    this.#watcher = watcher;
    this.#backlog = keepFor(tuning.backlogMs, () => store.read.backlog(tuning.leaseMs));
    const onRepairs = (count: number) => {
      this.repairs += count;
      watcher?.onRepairs?.(count);
    };
    const context = hostContext(options, { store, registry, logger });
    this.#works = new Works({ options, store, registry, logger, context, tuning, watcher, onRepairs });
    this.connections = new StoredConnections({
      ...context,
      store: store.connections,
      steer: store.steer,
      registry,
      fetch: context.session.fetch,
      migrate: () => this.migrate(),
      onUnblocked: (connectionId) => {
        this.#works.runner.unblock(connectionId);
        this.#works.wake();
      },
    });
    this.#intake = new Intake({
      store: store.intake,
      registry,
      connections: store.connections,
      chunkSize: tuning.chunkSize,
      uploadTtlMs: tuning.uploadTtlMs,
      canTake: (type, place) => this.#works.canTake(type, place),
      take: (batch, leased) => this.#works.takeLeased(batch, leased),
      runnerId: this.#works.runnerId,
      wake: () => this.#works.wake(),
    });
    this.#singles = new Singles(this.#intake);
  }

  migrate(): Promise<void> {
    if (this.#stopped !== undefined)
      return Promise.reject(
        new BatchSenderError('engine_stopped', 'The engine was stopped: create another one'),
      );
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
    await this.#works.start();
  }

  stop(options: { graceMs?: number } = {}): Promise<void> {
    this.#stopped ??= this.#stop(options.graceMs ?? DEFAULT_GRACE_MS);
    return this.#stopped;
  }

  async ready(): ReturnType<Engine['ready']> {
    await this.#store.ping();
    return { database: true, runner: this.#works.ready, transport: this.#works.transportReady };
  }

  async backlog(): Promise<Backlog> {
    await this.migrate();
    return this.#backlog();
  }

  activity(): Activity {
    return this.#works.runner.activity();
  }

  async submit(
    batch: Parameters<Engine['submit']>[0],
    options: NonNullable<Parameters<Engine['submit']>[1]> = {},
  ): Promise<Batch> {
    await this.migrate();
    const tenantId = tenantOf(options);
    const batchId = await this.#intake.submit(batch, tenantId, options);
    if (options.client === undefined) return this.getBatch(batchId, options);
    return this.#store.read.batchInside(options.client, tenantId, batchId);
  }

  async submitJob(
    job: Parameters<Engine['submitJob']>[0],
    options?: Parameters<Engine['submitJob']>[1],
  ): Promise<{ jobId: string; batchId: string }> {
    await this.migrate();
    return this.#singles.submit(job, tenantOf(options), options?.idempotency);
  }

  async upload(batchId: string, options?: Parameters<Engine['upload']>[1]): ReturnType<Engine['upload']> {
    await this.migrate();
    return this.#intake.upload(checkBatchId(batchId), tenantOf(options), options?.onInvalid);
  }

  async uploadBatch(
    batch: Parameters<Engine['uploadBatch']>[0],
    options?: Parameters<Engine['uploadBatch']>[1],
  ): ReturnType<Engine['upload']> {
    await this.migrate();
    return this.#intake.uploadBatch(batch, tenantOf(options), options?.onInvalid);
  }

  async seal(batchId: string, options?: Tenant): Promise<Batch> {
    return this.#steer(batchId, options, (tenantId, id) => this.#store.steer.seal(tenantId, id));
  }

  async pause(batchId: string, options?: Tenant): Promise<Batch> {
    return this.#steer(batchId, options, async (tenantId, id) => {
      await this.#store.steer.pause(tenantId, id);
      this.#works.runner.steer(id);
    });
  }

  async resume(batchId: string, options?: Tenant): Promise<Batch> {
    return this.#steer(batchId, options, (tenantId, id) => this.#store.steer.resume(tenantId, id));
  }

  async cancel(batchId: string, options?: Tenant): Promise<Batch> {
    return this.#steer(batchId, options, async (tenantId, id) => {
      await this.#store.steer.cancel(tenantId, id);
      this.#works.runner.steer(id);
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

  async listBatches(filter: BatchFilter = {}): ReturnType<Engine['listBatches']> {
    await this.migrate();
    return pageOfBatches(this.#store.read, tenantOf(filter), filter);
  }

  async listJobs(
    batchId: string,
    filter: Tenant & PageOptions & { state?: JobState } = {},
  ): ReturnType<Engine['listJobs']> {
    const { id } = await this.getBatch(batchId, filter);
    return pageOfJobs(this.#store.read, tenantOf(filter), id, filter);
  }

  async results(batchId: string, options: Tenant & ResultFilter = {}): Promise<BatchResults> {
    const batch = await this.getBatch(batchId, options);
    const { read } = this.#store;
    const module = this.registry.get(batch.type)?.module;
    const columns = (await read.columns(batch.id)) ?? schemaColumns(module?.payload);
    const query = {
      batchId: batch.id,
      total: batch.counts.total,
      states: options.states,
      receipts: receiptsOf(module?.receipts),
    };
    return { batch, columns, [Symbol.asyncIterator]: () => readResults(read.results, query) };
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

  get runnerId(): string {
    return this.#works.runnerId;
  }

  recoverRunner(
    runnerId: string,
    { alone = false }: { alone?: boolean } = {},
  ): ReturnType<Engine['recoverRunner']> {
    return this.#store.maintenance.recoverRunner(runnerId, alone);
  }

  async runIsolated(chunk: IsolatedChunk): ReturnType<Engine['runIsolated']> {
    await this.migrate();
    return this.#works.runAlone(chunk);
  }

  async #steer(
    batchId: string,
    options: Tenant | undefined,
    act: (tenantId: string, batchId: string) => Promise<void>,
  ): Promise<Batch> {
    await this.migrate();
    await act(tenantOf(options), checkBatchId(batchId));
    this.#works.wake();
    return this.getBatch(batchId, options);
  }

  async #sweep(batchId: string): Promise<void> {
    const until = performance.now() + INLINE_SWEEP_MS;
    while (
      performance.now() < until &&
      (await this.#store.maintenance.sweepStep(batchId, this.#watcher?.onSweep))
    );
  }

  async #stop(graceMs: number): Promise<void> {
    await this.#works.stop(graceMs);
    await this.#store.close();
  }
}
