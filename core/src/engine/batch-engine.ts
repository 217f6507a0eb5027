import type { Logger } from '../plugin/index.ts';
import type { Batch, Engine, EngineOptions, JobState, PageOptions, Tenant } from './api.ts';
import { storedConnections } from './connections/stored-connections.ts';
import { receiptsOf } from './decisions/delivery.ts';
import { BatchSenderError } from './errors.ts';
import { hostContext } from './host-context.ts';
import type { ReceiptsOf } from './host-store.ts';
import { checkBatchId, parseJobId } from './ids.ts';
import { previewJob } from './intake/preview.ts';
import { Singles } from './intake/singles.ts';
import { Intake } from './intake/submit.ts';
import type { IsolatedChunk } from './isolation.ts';
import { keepFor } from './keep-for.ts';
import type { Activity, Backlog, EngineObserver } from './observer.ts';
import { type BatchFilter, pageOfBatches, pageOfJobs } from './pages.ts';
import { batchResults } from './read-results.ts';
import { Inbox } from './receipts/inbox.ts';
import type { Registry } from './registry.ts';
import type { BatchResults, ResultFilter } from './results.ts';
import type { Store } from './store.ts';
import { tenantOf } from './tenant.ts';
import { DEFAULT_TUNING, type Tuning } from './tuning.ts';
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

/** The engine over a store: what `createEngine` returns. */
export class BatchEngine implements Engine {
  readonly registry: Registry;
  readonly idempotency: Engine['idempotency'];
  readonly settings: Engine['settings'];
  readonly receive: Engine['receive'];
  readonly callback: Engine['callback'];
  readonly suppressions: Engine['suppressions'];
  readonly audit: Engine['audit'];
  readonly connections: Engine['connections'];
  readonly preview: Engine['preview'];
  readonly runnerId: string;
  /** Places that the reconciler had to repair since the start; should stay at zero. */
  repairs = 0;
  readonly #store: Store;
  readonly #works: Works;
  readonly #intake: Intake;
  readonly #singles: Singles;
  readonly #tuning: Tuning;
  readonly #watcher: EngineObserver | undefined;
  readonly #inbox: Inbox;
  readonly #receiptsOf: ReceiptsOf;
  readonly #backlog: () => Promise<Backlog>;
  #migrated: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor({ options, store, registry, logger }: EngineParts) {
    this.registry = registry;
    this.#store = store;
    this.idempotency = store.idempotency;
    this.settings = store.settings;
    this.preview = (job) => previewJob(registry, job);
    const tuning = { ...DEFAULT_TUNING, ...options.tuning };
    this.#tuning = tuning;
    const watcher = options.observer === undefined ? undefined : guardObserver(options.observer, logger);
    this.#watcher = watcher;
    this.#backlog = keepFor(tuning.backlogMs, () => store.read.backlog(tuning.leaseMs));
    const onRepairs = (count: number) => this.#repaired(count);
    this.#receiptsOf = (type) => receiptsOf(registry.get(type)?.module.receipts);
    const migrated = () => this.migrate();
    const report: Inbox['receiver']['report'] = (...said) => inbox.receiver.report(...said);
    const context = hostContext(options, { store, registry, logger, report });
    const inbox = new Inbox({ context, store, registry, logger, migrate: migrated });
    this.#inbox = inbox;
    this.receive = inbox.receive;
    this.callback = inbox.callback;
    this.suppressions = inbox.suppressions;
    this.audit = inbox.audit;
    this.#works = new Works({ options, store, registry, logger, context, tuning, watcher, onRepairs, inbox });
    this.runnerId = this.#works.runnerId;
    this.connections = storedConnections(context, store, registry, {
      migrate: migrated,
      onUnblocked: (connectionId) => this.#works.unblocked(connectionId),
    });
    this.#intake = new Intake({
      store: store.intake,
      registry,
      connections: store.connections,
      chunkSize: tuning.chunkSize,
      uploadTtlMs: tuning.uploadTtlMs,
      canTake: (type, place) => this.#works.canTake(type, place),
      take: (batch, leased) => this.#works.takeLeased(batch, leased),
      runnerId: this.runnerId,
      wake: () => this.#works.wake(),
      suppression: inbox.atIntake,
    });
    this.#singles = new Singles(this.#intake, inbox.atIntake);
  }

  #repaired(count: number): void {
    this.repairs += count;
    this.#watcher?.onRepairs?.(count);
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
  ): ReturnType<Engine['submit']> {
    await this.migrate();
    const tenantId = tenantOf(options);
    const { batchId, suppressed } = await this.#intake.submit(batch, tenantId, options);
    const stored =
      options.client === undefined
        ? await this.getBatch(batchId, options)
        : await this.#store.read.batchInside(options.client, tenantId, batchId);
    return suppressed === 0 ? stored : { ...stored, suppressed };
  }

  async submitJob(
    job: Parameters<Engine['submitJob']>[0],
    options?: Parameters<Engine['submitJob']>[1],
  ): ReturnType<Engine['submitJob']> {
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
    return pageOfJobs(this.#store.read, tenantOf(filter), id, filter, this.#receiptsOf);
  }

  async results(batchId: string, options: Tenant & ResultFilter = {}): Promise<BatchResults> {
    const batch = await this.getBatch(batchId, options);
    const module = this.registry.get(batch.type)?.module;
    return batchResults(this.#store.read, batch, module, options.states);
  }

  async getJob(jobId: string, options?: Tenant): ReturnType<Engine['getJob']> {
    await this.migrate();
    const { batchId, seq } = parseJobId(jobId);
    const job = await this.#store.read.job(tenantOf(options), batchId, seq, this.#receiptsOf);
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

  async listEndpoints(options?: Tenant): ReturnType<Engine['listEndpoints']> {
    await this.migrate();
    return this.#store.read.endpoints(tenantOf(options), this.#tuning);
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
    await this.#inbox.stop();
    await this.#store.close();
  }
}
