import type { Flush, NewEvent, RunStore, Store } from '../store.ts';
import type { Operation } from './failpoint.ts';
import type { Failpoints } from './failpoints.ts';

/** A store whose statements go wrong where failpoints say so. */
export function withFailpoints(store: Store, points: Failpoints): Store {
  const { runner, intake, steer } = store;
  return {
    ...store,
    run: wrapRun(store.run, points),
    runner: {
      ...runner,
      heartbeat: points.wrap('heartbeat', runner.heartbeat),
      giveBack: points.wrap('give-back', runner.giveBack),
    },
    intake: {
      ...intake,
      insertBatch: points.wrap('submit', intake.insertBatch),
      writeSlice: points.wrap('slice', intake.writeSlice),
      writeKeyedSlice: points.wrap('slice', intake.writeKeyedSlice),
      commitUpload: points.wrap('commit', intake.commitUpload),
      commitSubmit: points.wrap('commit', intake.commitSubmit),
    },
    steer: { ...steer, seal: points.wrap('seal', steer.seal) },
  };
}

function wrapRun(run: RunStore, points: Failpoints): RunStore {
  return {
    ...run,
    lease: points.wrap('lease', run.lease),
    fence: (lease, events) => points.around(fenceOf(events), () => run.fence(lease, events)),
    flush: (flush) =>
      flushesOf(flush).reduce<() => Promise<boolean>>(
        (work, operation) => () => points.around(operation, work),
        () => run.flush(flush),
      )(),
  };
}

const fenceOf = (events: readonly NewEvent[]): Operation =>
  events[0]?.kind === 'released' ? 'released' : 'attempted';

/** A flush is also what becomes of its chunk, and the fence of the calls that start next. */
function flushesOf({ end, events }: Flush): Operation[] {
  const fence: Operation[] = events.some(({ kind }) => kind === 'attempted') ? ['attempted'] : [];
  if (end.kind === 'giveBack') return ['flush', 'give-back', ...fence];
  return end.kind === 'close' && end.chunks.length > 0
    ? ['flush', 'follow-up', ...fence]
    : ['flush', ...fence];
}
