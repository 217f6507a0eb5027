import type { JobPayload, Module } from '../../plugin/index.ts';
import type { BatchInput, IdempotencyClaim, JobDetail } from '../api.ts';
import type { SuppressionCheck } from '../suppression/check.ts';
import type { Suppressed } from '../suppressions.ts';
import { activeTraceParent } from '../watch/trace-parent.ts';
import type { PlacedBatch } from './place-batch.ts';
import { rowCheck } from './row-check.ts';
import type { Intake, SingleJob } from './submit.ts';
import { takeRows } from './take-rows.ts';

export type SingleInput = Omit<BatchInput, 'jobs' | 'defaults' | 'name' | 'sealed' | 'dedupeBy'> & {
  payload: JobPayload;
};

interface Waiting extends SingleJob {
  readonly resolve: (ids: Pick<JobDetail, 'batchId'> & { jobId: string }) => void;
  readonly reject: (error: unknown) => void;
}

interface Group {
  readonly batch: BatchInput;
  readonly placed: PlacedBatch;
  readonly tenantId: string;
  waiting: Waiting[];
  storing: boolean;
}

/** Most single jobs that share a batch. */
const MAX_TOGETHER = 500;

/** Single jobs that arrive while others are being stored share the next transaction and batch (E20). */
export class Singles {
  readonly #groups = new Map<string, Group>();
  readonly #intake: Intake;
  readonly #suppression: SuppressionCheck;

  constructor(intake: Intake, suppression: SuppressionCheck) {
    this.#intake = intake;
    this.#suppression = suppression;
  }

  async submit(
    job: SingleInput,
    tenantId: string,
    idempotency?: IdempotencyClaim,
  ): Promise<{ jobId: string; batchId: string } & Suppressed<true>> {
    const { payload, ...batch } = job;
    const placed = await this.#intake.place(batch, tenantId);
    const { module } = placed.registered;
    const { texts } = takeRows([{ payload }], 0, rowCheck(module, null));
    // Asked first: if this fails, nothing is stored.
    const suppressed = await this.#isSuppressed(module, tenantId, payload);
    const stored = await this.#join({ batch, placed, text: texts[0] as string }, tenantId, idempotency);
    return suppressed ? { ...stored, suppressed } : stored;
  }

  async #isSuppressed(module: Module, tenantId: string, payload: JobPayload): Promise<boolean> {
    const applies = this.#suppression.applies(tenantId, module);
    if (applies === false || !(await applies)) return false;
    return (await this.#suppression.find(tenantId, module, [{ payload }])).size > 0;
  }

  #join(
    { batch, placed, text }: Pick<Group, 'batch' | 'placed'> & { readonly text: string },
    tenantId: string,
    idempotency: IdempotencyClaim | undefined,
  ): Promise<{ jobId: string; batchId: string }> {
    const key = JSON.stringify([tenantId, batch]);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { batch, placed, tenantId, waiting: [], storing: false };
      this.#groups.set(key, group);
    }
    const { promise, resolve, reject } = Promise.withResolvers<{ jobId: string; batchId: string }>();
    const traceParent = activeTraceParent();
    group.waiting.push({ text, idempotency, traceParent, resolve, reject });
    if (!group.storing) void this.#store(key, group);
    return promise;
  }

  async #store(key: string, group: Group): Promise<void> {
    group.storing = true;
    while (group.waiting.length > 0) {
      const together = group.waiting.splice(0, MAX_TOGETHER);
      try {
        const { batch, placed, tenantId } = group;
        const batchId = await this.#intake.submitSingles(batch, placed, tenantId, together);
        for (const [index, job] of together.entries()) job.resolve({ batchId, jobId: `${batchId}.${index}` });
      } catch (error) {
        for (const job of together) job.reject(error);
      }
    }
    group.storing = false;
    this.#groups.delete(key);
  }
}
