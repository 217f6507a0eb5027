import { receiptsOf } from '../../src/engine/decisions/delivery.ts';
import { foldBatch } from './model-fold.ts';
import { groupBy, type Snapshot } from './model-snapshot.ts';
import type { ModelWorld } from './model-world.ts';

/** The jobs of ended batches as a caller lists them, against the fold of the log. */
export async function listedProblems(world: ModelWorld, snapshot: Snapshot): Promise<string[]> {
  const events = groupBy(snapshot.events, (event) => event.batch_id);
  const problems: string[] = [];
  for (const batch of snapshot.batches) {
    const { jobs } = foldBatch(events.get(batch.id) ?? []);
    const listed = await world.store.read.jobs('default', batch.id, { limit: 5_000, after: -1 }, () =>
      receiptsOf(),
    );
    if (listed.items.length !== batch.total)
      problems.push(`${batch.id}: lists ${listed.items.length} of ${batch.total} jobs`);
    for (const { seq, state } of listed.items) {
      const outcome = jobs.get(seq)?.outcome ?? 'waiting';
      if (state !== outcome) problems.push(`${batch.id}.${seq}: listed as ${state}, but it is ${outcome}`);
    }
  }
  return problems;
}
