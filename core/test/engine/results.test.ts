import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/api.ts';
import type { ResultFilter, ResultRow } from '../../src/engine/results.ts';
import { failed, retry, succeeded } from '../../src/plugin/index.ts';
import { ended, testWorld, until } from '../helpers/engine-world.ts';
import { barrier, fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

async function rowsOf(engine: Engine, batchId: string, filter?: ResultFilter): Promise<ResultRow[]> {
  const rows: ResultRow[] = [];
  for await (const block of await engine.results(batchId, filter)) rows.push(...block);
  return rows;
}

const upload = async (engine: Engine, batchId: string, names: readonly string[]) => {
  const writing = await engine.upload(batchId);
  await writing.write([{ payload: { n: 1 }, text: '{ "n": 1 }' }]);
  await writing.commit({ columns: names.map((name) => ({ name, path: `/variables/${name}` })) });
};

describe('the results of a batch', () => {
  it('hold every job once and in order, over many blocks', async () => {
    const mail = fake({
      process: ({ seq }) => (seq % 1_000 === 7 ? failed('refused') : succeeded(`r${seq}`)),
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(5_000) });
    await ended(engine, id);
    const rows = await rowsOf(engine, id);
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 5_000 }, (_, seq) => seq));
    expect(rows.every(({ seq, payloadText }) => payloadText === `{"n":${seq}}`)).toBe(true);
    expect(rows[4_999]).toMatchObject({ id: `${id}.4999`, state: 'succeeded', ref: 'r4999', delivery: null });
    const refused = await rowsOf(engine, id, { states: ['failed'] });
    expect(refused.map(({ seq }) => seq)).toEqual([7, 1_007, 2_007, 3_007, 4_007]);
  });

  it('stay whole while the batch runs', async () => {
    const gate = barrier();
    const mail = fake({
      // More than the calls that wait, so that the others go on beside them.
      provider: { concurrency: 1_500 },
      process: async (job) => {
        if (job.seq >= 2_000) await gate.pass();
        return job.attempt === 1 && job.seq % 3 === 0 ? retry('http_500') : succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail], retry: { baseMs: 1 } });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(3_000) });
    await until('the first calls', () => mail.calls.length > 500);
    const during = await rowsOf(engine, id);
    gate.open();
    expect(during.map(({ seq }) => seq)).toEqual(Array.from({ length: 3_000 }, (_, seq) => seq));
    expect(during.at(-1)?.state).toMatch(/^(waiting|running)$/);
    for (const { state, settledAt } of during)
      expect([state, settledAt !== null]).toEqual([state, state === 'succeeded']);
    await ended(engine, id);
    const after = await rowsOf(engine, id);
    expect(
      after.every(
        ({ state, attempts, seq }) => state === 'succeeded' && attempts === (seq % 3 === 0 ? 2 : 1),
      ),
    ).toBe(true);
  });

  it('may be left at any moment, and read again from the start', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1_000), sealed: false });
    const results = await engine.results(id);
    for await (const block of results) {
      expect(block[0]).toMatchObject({ seq: 0, state: 'waiting' });
      break;
    }
    let count = 0;
    for await (const block of results) count += block.length;
    expect(count).toBe(1_000);
  });

  it('of an unknown batch, or one of another tenant, are refused before the first block', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1) }, { tenantId: 'a' });
    await expect(engine.results(id)).rejects.toMatchObject({ code: 'batch_not_found' });
    await expect(engine.results('banana')).rejects.toMatchObject({ code: 'batch_not_found' });
    expect((await engine.results(id, { tenantId: 'a' })).batch.id).toBe(id);
  });
});

describe('the columns of an export', () => {
  it('are those of the uploads, the first one first', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { id } = await engine.submit({ type: 'mail', sealed: false });
    await upload(engine, id, ['city', 'Größe \u0000']);
    await upload(engine, id, ['plan', 'city']);
    const { columns } = await engine.results(id);
    expect(columns.map(({ name }) => name)).toEqual(['city', 'Größe \u0000', 'plan']);
    expect((await rowsOf(engine, id)).map(({ payloadText }) => payloadText)).toEqual([
      '{ "n": 1 }',
      '{ "n": 1 }',
    ]);
  });

  it('are not those of an upload that was taken back', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { id } = await engine.submit({ type: 'mail', sealed: false });
    const empty = await engine.upload(id);
    const columns = [{ name: 'city', path: '/variables/city' }];
    await expect(empty.commit({ columns })).rejects.toMatchObject({ code: 'empty_upload' });
    expect((await engine.results(id)).columns.map(({ name }) => name)).not.toContain('city');
  });

  it('are the fields of the schema where no CSV was uploaded', async () => {
    const engine = world.engine({ plugins: [fake()] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1) });
    const { columns } = await engine.results(id);
    expect(columns.map(({ path }) => path)).toEqual(['/n', '/to', '/text', '/variables']);
  });

  it('are the whole payload where the plugin is gone', async () => {
    const { id } = await world.engine({ plugins: [fake()] }).submit({ type: 'mail', jobs: numbered(1) });
    const without = world.engine({ plugins: [] });
    const { columns } = await without.results(id);
    expect(columns).toEqual([{ name: 'payload', path: '' }]);
    expect(await rowsOf(without, id)).toHaveLength(1);
  });
});
