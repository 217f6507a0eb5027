import { violated } from '../conformance-error.ts';
import type { MadeCall } from '../made-call.ts';
import type { ConformanceCase } from '../options.ts';
import type { Opened, Rig } from '../rig.ts';
import { conformanceCase, lacking } from './needs.ts';

/** Cases about the idempotency key. */
export function keyCases(rig: Rig): ConformanceCase[] {
  const many = rig.batchSize > 1;
  return [
    conformanceCase(
      'the idempotency key reaches the vendor, the same in each attempt',
      lacking(rig, 'accept', 'keys'),
      async () => {
        await rig.use((opened) => keyIsStable(rig, opened, 1));
        if (many) await rig.use((opened) => keyIsStable(rig, opened, 2));
      },
    ),
  ];
}

async function keyIsStable(rig: Rig, opened: Opened, size: number): Promise<void> {
  const payloads = Array.from({ length: size }, () => rig.payload);
  const { made, keys: first } = await keysOf(rig, () => rig.call(opened, payloads));
  if (first.length === 0) {
    violated(
      'No idempotency key reached the vendor: send call.idempotencyKey (for scope `job` in a call of many jobs: the id of each)',
    );
  }
  const { keys: second } = await keysOf(rig, () =>
    rig.call(opened, payloads, { jobs: made.jobs, attempt: 2 }),
  );
  if (first.toSorted().join() !== second.toSorted().join()) {
    violated(
      `The vendor got the key ${first.join(', ')} in the first attempt and ${second.join(', ')} in the second one, so it ` +
        'cannot know the repeat: make the key from call.idempotencyKey or job.id only',
    );
  }
  const { keys: other } = await keysOf(rig, () => rig.call(opened, payloads));
  const shared = other.find((key) => first.includes(key));
  if (shared !== undefined) {
    violated(
      `The vendor got the key ${shared} for two different jobs, and would drop the second one: make the key from call.idempotencyKey or job.id`,
    );
  }
}

async function keysOf(
  rig: Rig,
  work: () => Promise<MadeCall>,
): Promise<{ made: MadeCall; keys: readonly string[] }> {
  const keys = () => rig.options.respond?.keys?.() ?? [];
  const before = keys().length;
  const made = await work();
  return { made, keys: keys().slice(before) };
}
