import type { Session, UnresolvedJob } from '../../plugin/index.ts';
import type { ActiveCall } from './active-call.ts';
import type { PlannedCall } from './call-queue.ts';
import type { PreparedJob } from './prepare.ts';

/** Calls the provider; what it answers or throws is not looked at here. */
export function invoke(session: Session, call: PlannedCall, active: ActiveCall): unknown {
  if (call.kind === 'resolve') {
    if (session.resolve === undefined) {
      throw new Error('there are pending or reconcilable jobs, but the provider has no resolve()');
    }
    return session.resolve(unresolved(call), active);
  }
  if (session.process !== undefined) return session.process((call.jobs[0] as PreparedJob).job, active);
  return session.processBatch(
    call.jobs.map(({ job }) => job),
    active,
  );
}

export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';

function unresolved(call: PlannedCall): UnresolvedJob[] {
  return call.jobs.map(({ job }, index) => {
    const fence = call.fences?.[index];
    return {
      ...job,
      ageMs: fence?.ageMs ?? 0,
      ...(fence?.ref === undefined ? {} : { ref: fence.ref }),
      ...(fence?.note === undefined ? {} : { note: fence.note as NonNullable<UnresolvedJob['note']> }),
    };
  });
}
