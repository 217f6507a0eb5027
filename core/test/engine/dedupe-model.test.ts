import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Engine } from '../../src/engine/api.ts';
import { testWorld } from '../helpers/engine-world.ts';
import { type FakePayload, fake } from '../helpers/fake-plugin.ts';

const world = testWorld();

/** A job: to whom, or to nobody (then it is never a duplicate); negative ones are invalid. */
const job = fc.record({
  to: fc.constantFrom('a', 'b', 'c', 'd', 'e', undefined),
  n: fc.integer({ min: -1 }),
});
const slices = fc.array(fc.array(job, { maxLength: 12 }), { maxLength: 5 });
const upload = fc.record({ slices, end: fc.constantFrom('commit', 'commit', 'abort', 'abandon') });
const history = fc.record({
  created: fc.array(job, { maxLength: 8 }),
  uploads: fc.array(upload, { maxLength: 5 }),
});

type Job = { to?: string | undefined; n: number };
type Upload = { slices: Job[][]; end: string };

/** What a batch that leaves duplicates out must hold. */
class Reference {
  jobs: Job[] = [];
  duplicates = 0;
  rejected = 0;

  /** Takes rows as a whole; answers what is told of them. */
  take(given: readonly Job[]): { accepted: number; rejected: number; duplicates: number } {
    const good = given.filter(({ n }) => n >= 0);
    const before = this.jobs.length;
    for (const one of good) {
      if (one.to === undefined || !this.jobs.some(({ to }) => to === one.to)) this.jobs.push(one);
    }
    const accepted = this.jobs.length - before;
    const counts = { accepted, rejected: given.length - good.length, duplicates: good.length - accepted };
    this.duplicates += counts.duplicates;
    this.rejected += counts.rejected;
    return counts;
  }
}

/** Negative numbers are refused by the caller, as lines that cannot be read. */
const rowOf = ({ to, n }: Job, line: number) =>
  n < 0
    ? { problem: { path: '', code: 'malformed_json', message: 'is no JSON' }, line }
    : { payload: (to === undefined ? { n } : { to, n }) as FakePayload, line };

async function replay(engine: Engine, batchId: string, { slices, end }: Upload, model: Reference) {
  const running = await engine.upload(batchId, { onInvalid: 'skip' });
  // Not awaited one by one: the order of the calls is the order of the rows.
  await Promise.all(slices.map((slice) => running.write(slice.map(rowOf))));
  if (end === 'abort' || slices.flat().length === 0) return running.abort();
  if (end === 'commit') {
    expect(await running.commit()).toMatchObject(model.take(slices.flat()));
    return undefined;
  }
  await world.sql(`UPDATE batchsender.uploads SET seen_at = now() - interval '1 day'`);
  const next = await engine.upload(batchId);
  await expect(running.commit()).rejects.toMatchObject({ code: 'upload_lost' });
  return next.abort();
}

it('E13: random lists over random slices, uploads and aborts hold what one list without duplicates holds', {
  timeout: 120_000,
}, async () => {
  const engine = world.engine({ plugins: [fake()] });
  await fc.assert(
    fc.asyncProperty(history, async ({ created, uploads }) => {
      const model = new Reference();
      const good = created.filter(({ n }) => n >= 0);
      model.take(good);
      const { id } = await engine.submit({
        type: 'mail',
        dedupeBy: 'to',
        jobs: good as FakePayload[],
        sealed: false,
      });
      for (const one of uploads) await replay(engine, id, one, model);
      const stored = await world.sql(
        'SELECT seq, payload FROM batchsender.jobs WHERE batch_id = $1 ORDER BY seq',
        [id],
      );
      expect(stored).toEqual(
        model.jobs.map(({ to, n }, seq) => ({ seq, payload: to === undefined ? { n } : { to, n } })),
      );
      const batch = await engine.getBatch(id);
      expect(batch).toMatchObject({ duplicates: model.duplicates, rejected: model.rejected });
      expect(batch.counts.total).toBe(model.jobs.length);
      const keys = await world.sql('SELECT 1 FROM batchsender.job_keys WHERE batch_id = $1', [id]);
      expect(keys).toHaveLength(new Set(model.jobs.flatMap(({ to }) => to ?? [])).size);
    }),
    { numRuns: 60 },
  );
});
