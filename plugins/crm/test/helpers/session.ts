import type { BatchSession, IdentifiedResult, Provider } from '@batchsender/core/plugin';
import { type FakeCall, fakeCall, fakeJob, fakeOpenContext } from '@batchsender/core/testing';
import type { CrmPayload } from '../../src/payload.ts';

/** Calls a provider for jobs `….0`, `….1` and so on, as a host does. */
export interface Sender {
  readonly session: BatchSession<CrmPayload>;
  /** Results in the order of the payloads. */
  send(payloads: readonly CrmPayload[], call?: FakeCall): Promise<readonly IdentifiedResult[]>;
}

export const jobsFor = (payloads: readonly CrmPayload[]) =>
  payloads.map((payload, seq) => fakeJob(payload, { seq }));

export async function openSender<C>(provider: Provider<CrmPayload, C>, credentials: C): Promise<Sender> {
  const session = (await provider.open(credentials, fakeOpenContext())) as BatchSession<CrmPayload>;
  return {
    session,
    async send(payloads, call = fakeCall()) {
      const jobs = jobsFor(payloads);
      const results = (await session.processBatch(jobs, call)) as IdentifiedResult[];
      return jobs.map(({ id }) => {
        const own = results.filter(({ jobId }) => jobId === id);
        if (own.length !== 1) throw new Error(`job ${id} has ${own.length} results`);
        return own[0] as IdentifiedResult;
      });
    },
  };
}
