import { setTimeout as sleep } from 'node:timers/promises';
import { conservationProblems } from './model-conservation.ts';
import { readSnapshot } from './model-snapshot.ts';
import { MODEL_TUNING, type ModelWorld } from './model-world.ts';

const EVERY_MS = 250;

/** Looks at the data all the time while a schedule runs. */
export interface Watch {
  /** Ends it, and answers what was wrong. */
  end(): Promise<string[]>;
}

export function watch(world: ModelWorld): Watch {
  const problems = new Set<string>();
  let ended = false;
  const look = async () => {
    while (!ended) {
      for (const problem of conservationProblems(await readSnapshot(world.pool))) problems.add(problem);
      for (const problem of await shownProblems(world)) problems.add(problem);
      await reconcile(world, problems);
      await sleep(EVERY_MS);
    }
  };
  const looking = look();
  return {
    end: async () => {
      ended = true;
      await looking;
      return [...problems];
    },
  };
}

/** The reconciler is asked about every batch, at any moment, and must find nothing. */
async function reconcile(world: ModelWorld, problems: Set<string>): Promise<void> {
  await world.pool.query(`UPDATE batchsender.batches SET checked_at = 'epoch'`);
  const repairs = await world.store.maintenance.reconcile(1_000);
  if (repairs > 0) problems.add(`the reconciler repaired ${repairs} places`);
}

/** E2: the counts that a caller is shown. */
async function shownProblems({ store }: ModelWorld): Promise<string[]> {
  const batches = await store.read.batches('default', { includeSingle: true, limit: 1_000 });
  return batches.flatMap(({ id, state, counts }) => {
    const { total, ...parts } = counts;
    const sum = Object.values(parts).reduce((all, part) => all + part, 0);
    const problems: string[] = [];
    if (sum !== total) problems.push(`E2: ${id} shows ${JSON.stringify(counts)}`);
    if (Object.values(parts).some((part) => part < 0)) problems.push(`${id} shows ${JSON.stringify(counts)}`);
    const ended = state === 'completed' || state === 'cancelled';
    if (ended && parts.waiting + parts.running > 0)
      problems.push(`${id} is ${state} with ${JSON.stringify(counts)}`);
    return problems;
  });
}

/** E8: calls that started long after the wire of their process had fallen silent. */
export function staleCalls({ engines, vendor }: ModelWorld): string[] {
  const grace = (MODEL_TUNING.leaseMs ?? 0) / 2 + 150;
  return engines.flatMap(({ host, stalls }) =>
    stalls.flatMap(({ from, to }) =>
      vendor.ledger
        .filter(({ engine, atMs }) => engine === host.index && atMs > from + grace && atMs < to)
        .map(
          ({ jobId, atMs }) =>
            `E8: ${jobId} was called ${Math.round(atMs - from)} ms after the last heartbeat`,
        ),
    ),
  );
}
