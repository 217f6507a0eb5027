import type { Guarantee, JobPayload, Provider } from '../../plugin/index.ts';
import type { OpenFence } from '../decisions/due.ts';
import { groupIntoCalls } from '../decisions/group.ts';
import type { PlannedCall } from './call-queue.ts';
import type { PreparedJob } from './prepare.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

/** A job with the guarantee that holds for its payload. */
export interface Guaranteed {
  readonly prepared: PreparedJob;
  readonly guarantee: Guarantee;
}

/** Groups jobs into calls: what shares a call shares group, guarantee, endpoint and rate keys. */
export function planCalls(provider: Provider, jobs: readonly Guaranteed[]): PlannedCall[] {
  const batchSize = provider.batchSize ?? 1;
  if (batchSize === 1)
    return jobs.map(({ prepared, guarantee }) => singleCall(provider, prepared, guarantee));
  const groupable = jobs.map(({ prepared, guarantee }) => ({
    prepared,
    guarantee,
    bytes: prepared.bytes,
    group: groupOf(provider, prepared, guarantee),
  }));
  return groupIntoCalls(groupable, batchSize, provider.batchBytes).map((members) => {
    const first = members[0] as Guaranteed;
    return batchCall(
      provider,
      members.map((member) => member.prepared),
      first.guarantee,
      `${first.prepared.job.id}-${first.prepared.job.attempt}`,
    );
  });
}

/** Calls that are made once more with the same key and exactly the same jobs. */
export function planRepeats(
  provider: Provider,
  jobs: readonly (Guaranteed & { fence: OpenFence })[],
): PlannedCall[] {
  const byKey = new Map<string, (Guaranteed & { fence: OpenFence })[]>();
  for (const job of jobs) {
    const key = job.fence.callKey ?? job.prepared.job.id;
    const list = byKey.get(key);
    if (list === undefined) byKey.set(key, [job]);
    else list.push(job);
  }
  return [...byKey].map(([key, members]) =>
    batchCall(
      provider,
      members.map((member) => member.prepared),
      (members[0] as Guaranteed).guarantee,
      key,
    ),
  );
}

/** One question about all the jobs whose calls left no result, in pieces of the provider's batch size. */
export function planResolves(
  provider: Provider,
  jobs: readonly (Guaranteed & { fence: OpenFence })[],
): PlannedCall[] {
  const size = Math.max(provider.batchSize ?? 1, 100);
  const calls: PlannedCall[] = [];
  for (let at = 0; at < jobs.length; at += size) {
    const members = jobs.slice(at, at + size);
    const first = members[0] as Guaranteed;
    const call = batchCall(
      provider,
      members.map((member) => member.prepared),
      first.guarantee,
      first.prepared.job.id,
    );
    const again = members.map(({ prepared, guarantee }) => singleCall(provider, prepared, guarantee));
    calls.push({ ...call, kind: 'resolve', fences: members.map((member) => member.fence), again });
  }
  return calls;
}

function singleCall(provider: Provider, prepared: PreparedJob, guarantee: Guarantee): PlannedCall {
  const { payload, id } = prepared.job;
  return {
    kind: 'call',
    jobs: [prepared],
    endpoint: provider.endpointKey?.(payload),
    idempotencyKey: id,
    guarantee,
    timeoutMs: timeoutOf(provider, payload),
  };
}

function batchCall(
  provider: Provider,
  jobs: readonly PreparedJob[],
  guarantee: Guarantee,
  key: string,
): PlannedCall {
  const first = jobs[0] as PreparedJob;
  return {
    ...singleCall(provider, first, guarantee),
    jobs,
    idempotencyKey: jobs.length === 1 ? first.job.id : key,
  };
}

function groupOf(provider: Provider, prepared: PreparedJob, guarantee: Guarantee): string {
  const { payload } = prepared.job;
  const keys = [provider.groupKey?.(payload) ?? '', provider.endpointKey?.(payload) ?? ''];
  if (typeof provider.guarantee === 'function') keys.push(JSON.stringify(guarantee));
  for (const rate of provider.rates ?? []) if (rate.key !== undefined) keys.push(rate.key(payload));
  return keys.join('\u0000');
}

function timeoutOf(provider: Provider, payload: JobPayload): number {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = provider;
  return typeof timeoutMs === 'function' ? timeoutMs(payload) : timeoutMs;
}
