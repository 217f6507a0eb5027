import type { BatchSession, IdentifiedResult, JobResult, Provider } from '@batchsender/core/plugin';
import {
  type FakeCall,
  type FakeOpenContext,
  fakeCall,
  fakeJob,
  fakeOpenContext,
} from '@batchsender/core/testing';
import type { EmailPayload } from '../../src/payload.ts';
import { MAIL } from './session.ts';

const BATCH_ID = '0195f3c8-7b1a-7000-8000-000000000000';

/** The id of a job of {@link openBatch}. */
export const jobId = (seq: number): string => `${BATCH_ID}.${seq}`;

export interface BatchOptions {
  /** Of the call; of one with a single job it is the id of the job. */
  readonly key?: string;
  readonly during?: (call: FakeCall) => void;
}

/** A provider for many jobs a call, as a host opens it. */
export interface BatchSender {
  readonly context: FakeOpenContext;
  /** Sends in one call; answers the results in the order of the payloads. */
  send(payloads: readonly Partial<EmailPayload>[], options?: BatchOptions): Promise<JobResult[]>;
  health(): Promise<{ code: string; message: string } | undefined>;
  close(): Promise<void>;
}

export async function openBatch<C>(
  provider: Provider<EmailPayload, C>,
  credentials: C,
  overrides: Parameters<typeof fakeOpenContext>[0] = {},
): Promise<BatchSender> {
  const context = fakeOpenContext(overrides);
  const session = (await provider.open(credentials, context)) as BatchSession<EmailPayload>;
  return {
    context,
    async send(payloads, { key, during } = {}) {
      const jobs = payloads.map((payload, seq) =>
        fakeJob({ ...MAIL, ...payload } as EmailPayload, { batchId: BATCH_ID, seq }),
      );
      const call = fakeCall({ idempotencyKey: jobs.length === 1 ? jobId(0) : (key ?? `${jobId(0)}-1`) });
      const answer = session.processBatch(jobs, call);
      during?.(call);
      const results = (await answer) as readonly IdentifiedResult[];
      return jobs.map(({ id }) => {
        const found = results.filter((result) => result.jobId === id);
        if (found.length !== 1 || found[0] === undefined)
          throw new Error(`${found.length} results for ${id}`);
        const { jobId: _jobId, ...result } = found[0];
        return result;
      });
    },
    health: async () => session.health?.(new AbortController().signal),
    close: async () => session.close?.(),
  };
}
