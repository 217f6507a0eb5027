import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { oneBatchEach } from '../../chaos/load.ts';
import { dropRepeatable, type FaultWorld, faultWorld } from '../helpers/fault-world.ts';

// Processes that start, leases that run out: on a loaded machine that takes its time.
vi.setConfig({ testTimeout: 180_000 });

let world: FaultWorld;
beforeEach(async () => {
  world = await faultWorld({ fate: dropRepeatable });
});
afterEach(() => world.close());

const JOBS = 7;

/** Everything that a running engine does goes wrong once or several times; it must get along alone. */
const FAULTS = ['lease', 'attempted', 'call', 'resolve', 'flush', 'follow-up', 'heartbeat'].flatMap(
  (operation) => {
    // The first heartbeat belongs to the start, which fails with it.
    const first = operation === 'heartbeat' ? 2 : 1;
    return [
      `before-${operation}:${first}x3:throw`,
      `during-${operation}:${first}x3:drop`,
      `after-${operation}:${first}x3:drop`,
    ];
  },
);

describe('E2: every job ends exactly once, and every repeat is marked, after', () => {
  it.each(FAULTS)('%s', async (failpoints) => {
    // In doubt calls, so that there is something to resolve.
    const points = failpoints.includes('-resolve') ? `${failpoints},after-call:1x60:drop` : failpoints;
    const engine = world.engine({ tuning: { failpoints: points } });
    await engine.start();
    for (const batch of oneBatchEach(JOBS)) await engine.submit(batch);
    const verdict = await world.verdict();
    expect(verdict).toMatchObject({ jobs: 5 * JOBS, stuck: 0, failed: 0, problems: [] });
    const name = failpoints.slice(0, failpoints.indexOf(':'));
    // A heartbeat comes in its own time.
    await expect.poll(() => world.fired, { timeout: 20_000 }).toContain(name);
  });
});
