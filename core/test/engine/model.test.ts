import { beforeAll, describe, expect, it } from 'vitest';
import { conservationProblems } from '../helpers/model-conservation.ts';
import { heal } from '../helpers/model-heal.ts';
import { holdProblems, intakeProblems } from '../helpers/model-journal.ts';
import { ledgerProblems } from '../helpers/model-ledger.ts';
import { listedProblems } from '../helpers/model-listing.ts';
import { seededRandom } from '../helpers/model-random.ts';
import { receiptProblems } from '../helpers/model-receipts.ts';
import { runSchedule } from '../helpers/model-schedule.ts';
import { readSnapshot } from '../helpers/model-snapshot.ts';
import { staleCalls, watch } from '../helpers/model-watch.ts';
import { ModelWorld } from '../helpers/model-world.ts';

/** Other schedules by another seed: `MODEL_SEED=123 MODEL_RUNS=50`. What failed is run again by its seed. */
const firstSeed = Number(process.env['MODEL_SEED'] ?? 1);
const runs = Number(process.env['MODEL_RUNS'] ?? 3);
const scheduleMs = Number(process.env['MODEL_MS'] ?? 3_000);
const seeds = Array.from({ length: runs }, (_, index) => firstSeed + index);

/** Runs one schedule to its end and answers all that is wrong. */
async function problemsOf(seed: number): Promise<string[]> {
  const world = await ModelWorld.create(seed);
  try {
    const watching = watch(world);
    await world.start();
    const journal = await runSchedule(world, seededRandom(seed), scheduleMs);
    const restless = await heal(world, journal).then(
      () => [],
      (error: Error) => [error.message],
    );
    const seen = await watching.end();
    const snapshot = await readSnapshot(world.pool);
    return [
      ...world.errors,
      ...restless,
      ...seen,
      ...conservationProblems(snapshot),
      ...(await intakeProblems(world.pool, journal)),
      ...(await listedProblems(world, snapshot)),
      ...ledgerProblems(world.vendor.ledger, snapshot),
      ...receiptProblems(snapshot),
      ...holdProblems(journal, world.vendor.ledger),
      ...staleCalls(world),
      ...(world.repairs === 0 ? [] : [`the engines repaired ${world.repairs} places`]),
    ];
  } finally {
    await world.close();
  }
}

// Each engine listens for rejections that nobody awaits, and a schedule has many engines.
beforeAll(() => process.setMaxListeners(100));

describe('E2: whatever happens, every job ends exactly once', () => {
  it.for(seeds)('in the random schedule with MODEL_SEED=%i', { timeout: 120_000 }, async (seed) => {
    expect(await problemsOf(seed)).toEqual([]);
  });
});
