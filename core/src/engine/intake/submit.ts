import { v7 } from 'uuid';
import type { Module } from '../../plugin/index.ts';
import type { BatchInput, IdempotencyClaim, TransactionClient } from '../api.ts';
import type { ConnectionStore } from '../connections/store.ts';
import { chunkSizeFor } from '../decisions/chunk-size.ts';
import { BatchSenderError } from '../errors.ts';
import type { Claim, IntakeStore, LeasedRange, NewBatch } from '../host-store.ts';
import type { Registry } from '../registry.ts';
import type { SuppressionCheck } from '../suppression/check.ts';
import { type SuppressionTally, suppressionTally } from '../suppression/tally.ts';
import type { OnInvalid, Upload } from '../upload.ts';
import { activeTraceParent, sharedTraceParent } from '../watch/trace-parent.ts';
import { dedupePaths } from './dedupe-paths.ts';
import { jobKeyOf } from './job-key.ts';
import { type PlacedBatch, placeBatch } from './place-batch.ts';
import { type RowCheck, rowCheck } from './row-check.ts';
import { type TakenRows, takeRows, withoutDuplicates } from './take-rows.ts';
import { Uploader, type UploaderOptions } from './uploader.ts';

export interface IntakeOptions {
  readonly store: IntakeStore;
  readonly registry: Registry;
  readonly connections: Pick<ConnectionStore, 'named'>;
  readonly chunkSize: number;
  /** Of this process. */
  readonly runnerId: string;
  readonly uploadTtlMs: number;
  readonly suppression: SuppressionCheck;
  /** True if this process takes a chunk of the batch at once: then it is hinted without the dispatcher. */
  canTake(type: string, batch: NewBatch): boolean;
  /** A batch was stored whose chunks are under a lease of this process's runner. */
  take(batch: NewBatch, leased: readonly LeasedRange[]): void;
  wake(): void;
}

/** Jobs up to which a batch is one transaction; more are written as an upload, some slices at once. */
const ONE_TRANSACTION = 2_000;
const SLICE = 1_000;

/** A single job as JSON, with the idempotency key of its request. */
export interface SingleJob {
  readonly text: string;
  readonly idempotency: IdempotencyClaim | undefined;
  readonly traceParent: string | null;
}

/** How the jobs of a large batch are taken. */
interface LargeSubmission {
  readonly sealed: boolean;
  readonly check: RowCheck;
  readonly claim: Claim | undefined;
  readonly tally: SuppressionTally | undefined;
}

/** The jobs of a batch that is stored in one transaction. */
interface StoredJobs {
  readonly taken: TakenRows;
  readonly duplicates: number;
  readonly sealed: boolean;
  readonly claims: readonly Claim[];
  /** This process may take its chunks at once. */
  readonly mayLease: boolean;
}

/** What an upload says of the batch that it makes. */
const identity = ({ id, type, defaults }: NewBatch) => ({ batchId: id, type, defaults });

/** Takes batches in: all of their jobs or none. */
export class Intake {
  readonly #options: IntakeOptions;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Checks a batch without its jobs, and finds its connection. */
  place(batch: BatchInput, tenantId: string): Promise<PlacedBatch> {
    const { registry, connections } = this.#options;
    return placeBatch(registry, connections, batch, tenantId);
  }

  /** Answers the id of the new batch, and how many of its jobs have a suppressed recipient. */
  async submit(
    batch: BatchInput,
    tenantId: string,
    { client, idempotency }: { client?: TransactionClient; idempotency?: IdempotencyClaim } = {},
  ): Promise<{ batchId: string; suppressed: number }> {
    const placed = await this.place(batch, tenantId);
    const row = this.#newBatch(batch, placed, tenantId, 'batch');
    const jobs = batch.jobs ?? [];
    const sealed = batch.sealed ?? batch.jobs !== undefined;
    const tally = await this.#tally(tenantId, placed.registered.module);
    const check = checkOf(placed.registered.module, row.id, row, tally);
    const claim = idempotency === undefined ? undefined : { ...idempotency, ref: row.id };
    if (jobs.length > ONE_TRANSACTION && client === undefined) {
      const suppressed = await this.#submitLarge(row, jobs, { sealed, check, claim, tally });
      this.#options.wake();
      return { batchId: row.id, suppressed };
    }
    const given = takeRows(
      jobs.map((payload) => ({ payload })),
      0,
      check,
    );
    // Nothing is stored yet that they could be duplicates of, and their texts are all in memory anyway.
    const taken = row.dedupeBy === null ? given : withoutDuplicates(given);
    const duplicates = given.texts.length - taken.texts.length;
    const suppressed = (await tally?.count()) ?? 0;
    const claims = claim === undefined ? [] : [claim];
    const mayLease = !placed.isBlocked && client === undefined;
    await this.#store(row, { taken, duplicates, sealed, claims, mayLease }, client);
    return { batchId: row.id, suppressed };
  }

  /** Stores single jobs that arrived together in one sealed batch (E20). Answers the batch's id. */
  async submitSingles(
    batch: BatchInput,
    placed: PlacedBatch,
    tenantId: string,
    jobs: readonly SingleJob[],
  ): Promise<string> {
    const traceParent = sharedTraceParent(jobs.map((job) => job.traceParent));
    const row = { ...this.#newBatch(batch, placed, tenantId, 'single'), traceParent };
    const taken = { texts: jobs.map(({ text }) => text), keys: [] };
    const claims = jobs.flatMap(({ idempotency }, index) =>
      idempotency === undefined ? [] : [{ ...idempotency, ref: `${row.id}.${index}` }],
    );
    const mayLease = !placed.isBlocked;
    await this.#store(row, { taken, duplicates: 0, sealed: true, claims, mayLease }, undefined);
    return row.id;
  }

  async upload(batchId: string, tenantId: string, onInvalid?: OnInvalid): Promise<Upload> {
    const { store, registry, uploadTtlMs } = this.#options;
    const open = await store.beginUpload(tenantId, batchId, uploadTtlMs);
    const { uploadId, firstSeq, batch } = open;
    const registered = registry.get(batch.type);
    if (registered === undefined) {
      await store.abortUpload(uploadId);
      throw new BatchSenderError('unknown_type', `No installed plugin handles jobs of type '${batch.type}'`);
    }
    const tally = await this.#tally(tenantId, registered.module);
    const check = checkOf(registered.module, batchId, batch, tally);
    const isKeyed = batch.dedupeBy !== null;
    const commit = (totals: Parameters<IntakeStore['commitUpload']>[1]) =>
      store.commitUpload(uploadId, totals);
    const { type, defaults } = batch;
    return new Uploader({
      store,
      uploadId,
      batchId,
      type,
      defaults,
      firstSeq,
      isKeyed,
      onInvalid,
      check,
      tally,
      commit,
    });
  }

  /** An upload that stores its batch when it is committed. */
  async uploadBatch(
    batch: Omit<BatchInput, 'jobs'>,
    tenantId: string,
    onInvalid?: OnInvalid,
  ): Promise<Upload> {
    const { store, wake } = this.#options;
    const placed = await this.place(batch, tenantId);
    const row = this.#newBatch(batch, placed, tenantId, 'batch');
    const tally = await this.#tally(tenantId, placed.registered.module);
    const check = checkOf(placed.registered.module, row.id, row, tally);
    const uploadId = await store.beginSubmit(row.id);
    const commit: UploaderOptions['commit'] = async ({ claim, ...totals }) => {
      const ref = claim === undefined ? {} : { claim: { ...claim, ref: row.id } };
      await store.commitSubmit(uploadId, row, { ...totals, ...ref, sealed: batch.sealed ?? true });
      wake();
    };
    const isKeyed = row.dedupeBy !== null;
    return new Uploader({
      store,
      uploadId,
      ...identity(row),
      firstSeq: 0,
      isKeyed,
      onInvalid,
      check,
      tally,
      commit,
    });
  }

  async #submitLarge(
    row: NewBatch,
    jobs: NonNullable<BatchInput['jobs']>,
    { sealed, check, claim, tally }: LargeSubmission,
  ): Promise<number> {
    const { store } = this.#options;
    const uploadId = await store.beginSubmit(row.id);
    const upload = new Uploader({
      store,
      uploadId,
      ...identity(row),
      firstSeq: 0,
      isKeyed: row.dedupeBy !== null,
      check,
      tally,
      commit: (totals) =>
        store.commitSubmit(uploadId, row, { ...totals, sealed, ...(claim === undefined ? {} : { claim }) }),
    });
    try {
      for (let at = 0; at < jobs.length; at += SLICE) {
        await upload.write(jobs.slice(at, at + SLICE).map((payload) => ({ payload })));
      }
      return (await upload.commit()).suppressed ?? 0;
    } catch (error) {
      // What cannot be taken back now is swept later.
      await upload.abort().catch(() => undefined);
      throw error;
    }
  }

  /** Undefined where nobody is suppressed: then no recipient is looked at. */
  #tally(tenantId: string, module: Module): Promise<SuppressionTally | undefined> {
    return suppressionTally(this.#options.suppression, tenantId, module);
  }

  async #store(
    row: NewBatch,
    { taken, duplicates, sealed, claims, mayLease }: StoredJobs,
    client: TransactionClient | undefined,
  ): Promise<void> {
    const { store, canTake, take, wake, runnerId } = this.#options;
    const { texts, keys } = taken;
    const direct = mayLease && sealed && texts.length <= row.chunkSize && canTake(row.type, row);
    const leased = await store.insertBatch(
      row,
      {
        texts,
        // Once it is sealed, nothing comes that would be compared with them.
        ...(row.dedupeBy === null || sealed ? {} : { keys }),
        duplicates,
        sealed,
        runnerId: direct ? runnerId : null,
        claims,
      },
      client,
    );
    if (direct) take(row, leased);
    else if (client === undefined) wake();
  }

  #newBatch(
    batch: BatchInput,
    { registered, provider, connectionId }: PlacedBatch,
    tenantId: string,
    origin: 'batch' | 'single',
  ): NewBatch {
    const batchSize = registered.module.providers[provider]?.batchSize ?? 1;
    return {
      id: v7(),
      tenantId,
      type: batch.type,
      origin,
      name: batch.name ?? null,
      provider,
      connectionId,
      priority: batch.priority ?? 0,
      defaults: batch.defaults === undefined ? null : { ...batch.defaults },
      retry: batch.retry ?? {},
      pluginName: registered.plugin.name,
      pluginVersion: registered.plugin.version,
      moduleVersion: registered.module.version,
      chunkSize: chunkSizeFor(batchSize, this.#options.chunkSize),
      scheduledAt: batch.scheduledAt ?? null,
      dedupeBy: dedupePaths(batch),
      dryRun: batch.dryRun ?? false,
      traceParent: activeTraceParent(),
    };
  }
}

/** The check of a batch's rows; it tells their keys if the batch leaves duplicates out. */
function checkOf(
  module: Module,
  batchId: string,
  { defaults, dedupeBy }: Pick<NewBatch, 'defaults' | 'dedupeBy'>,
  tally: SuppressionTally | undefined,
): RowCheck {
  const keyOf = dedupeBy === null ? undefined : jobKeyOf(batchId, dedupeBy);
  return rowCheck(module, defaults, keyOf, tally && ((payload) => tally.note(payload)));
}
