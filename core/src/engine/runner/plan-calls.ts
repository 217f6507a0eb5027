import type { Provider } from '../../plugin/index.ts';
import type { OpenFence } from '../decisions/due.ts';
import { groupIntoCalls } from '../decisions/group.ts';
import type { PlannedCall } from './call-queue.ts';
import type { PreparedJob } from './prepare.ts';

/** A job whose attempt has an open fence. */
export interface FencedJob {
  readonly prepared: PreparedJob;
  readonly fence: OpenFence;
}

/** Groups jobs into calls: what shares a call shares group, guarantee, endpoint and rate keys. */
export function planCalls(provider: Provider, jobs: readonly PreparedJob[]): PlannedCall[] {
  const batchSize = provider.batchSize ?? 1;
  if (batchSize === 1) return jobs.map(singleCall);
  const groupable = jobs.map((job) => ({ job, bytes: job.bytes, group: groupOf(provider, job) }));
  return groupIntoCalls(groupable, batchSize, provider.batchBytes).map((members) => {
    const calls = members.map((member) => member.job);
    const { id, attempt } = (calls[0] as PreparedJob).job;
    return batchCall(calls, `${id}-${attempt}`);
  });
}

/** Calls that are made once more with the same key and exactly the same jobs. */
export function planRepeats(jobs: readonly FencedJob[]): PlannedCall[] {
  const byKey = Map.groupBy(jobs, ({ prepared, fence }) => fence.callKey ?? prepared.job.id);
  return [...byKey].map(([key, members]) =>
    batchCall(
      members.map((member) => member.prepared),
      key,
    ),
  );
}

/** One question about all the jobs whose calls left no result, in pieces of the provider's batch size. */
export function planResolves(provider: Provider, jobs: readonly FencedJob[]): PlannedCall[] {
  const size = Math.max(provider.batchSize ?? 1, 100);
  const calls: PlannedCall[] = [];
  for (let at = 0; at < jobs.length; at += size) {
    const members = jobs.slice(at, at + size);
    const asked = members.map((member) => member.prepared);
    const call = batchCall(asked, (asked[0] as PreparedJob).job.id);
    const fences = members.map((member) => member.fence);
    calls.push({ ...call, kind: 'resolve', fences, again: asked.map(singleCall) });
  }
  return calls;
}

function singleCall(prepared: PreparedJob): PlannedCall {
  const { job, guarantee, keys } = prepared;
  return {
    kind: 'call',
    jobs: [prepared],
    endpoint: keys.endpoint,
    rateKeys: keys.rates,
    idempotencyKey: job.id,
    guarantee,
    timeoutMs: keys.timeoutMs,
  };
}

function batchCall(jobs: readonly PreparedJob[], key: string): PlannedCall {
  const single = singleCall(jobs[0] as PreparedJob);
  return jobs.length === 1 ? single : { ...single, jobs, idempotencyKey: key };
}

function groupOf(provider: Provider, { guarantee, keys }: PreparedJob): string {
  const parts = [keys.group, keys.endpoint ?? '', ...keys.rates];
  if (typeof provider.guarantee === 'function') parts.push(JSON.stringify(guarantee));
  return parts.join('\u0000');
}
