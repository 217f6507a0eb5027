import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/api.ts';
import type { OnInvalid } from '../../src/engine/upload.ts';
import { type JobPayload, Type, variables } from '../../src/plugin/index.ts';
import { ended, testWorld } from '../helpers/engine-world.ts';
import { fake } from '../helpers/fake-plugin.ts';

const world = testWorld();

const Strict = Type.Object(
  { to: Type.String({ minLength: 1 }), text: Type.Optional(Type.String()), variables: variables() },
  { additionalProperties: false },
);
const mail = () => fake({ payload: Strict });
const row = (payload: object, line?: number) => ({
  payload: payload as JobPayload,
  ...(line === undefined ? {} : { line }),
});
const broken = { path: '', code: 'malformed_json', message: 'is no JSON' };

async function begun(engine: Engine, options: object = {}, onInvalid: OnInvalid = 'skip') {
  const { id } = await engine.submit({ type: 'mail', ...options });
  return { id, upload: await engine.upload(id, { onInvalid }) };
}

describe('an upload that skips what is invalid', () => {
  it('E13: keeps the good rows, in order, and tells of the others by their index or line', async () => {
    const sent = mail();
    const engine = await world.started({ plugins: [sent] });
    const { id, upload } = await begun(engine, { defaults: { text: 'Hi {{ name }}' } });
    const named = { variables: { name: 'Ada' } };
    await upload.write([row({ to: 'a', ...named }), row({ to: 7, ...named }), row({ to: 'b' }, 33)]);
    await upload.write([
      { problem: broken, line: 34 },
      row({ to: 'c', colour: 'red', ...named }),
      row(null as never),
      row({ to: 'd', ...named }),
    ]);
    expect(await upload.commit()).toEqual({
      accepted: 2,
      rejected: 5,
      duplicates: 0,
      errors: [
        expect.objectContaining({ index: 1, path: '/to', code: 'wrong_type' }),
        { line: 33, path: '/text', code: 'invalid_template', message: expect.stringContaining('name') },
        { line: 34, ...broken },
        expect.objectContaining({ index: 4, path: '/colour', code: 'unknown_field' }),
        expect.objectContaining({ index: 5, path: '', code: 'wrong_type' }),
      ],
    });
    expect(await engine.seal(id)).toMatchObject({ rejected: 5, counts: { total: 2 } });
    expect((await ended(engine, id)).counts.succeeded).toBe(2);
    expect(sent.calls.map((call) => call.jobs[0]?.payload.to).sort()).toEqual(['a', 'd']);
  });

  it('E13: counts all rejected rows, and lists a hundred of their problems', async () => {
    const engine = world.engine({ plugins: [mail()] });
    const { id, upload } = await begun(engine);
    for (let slice = 0; slice < 5; slice++) {
      await upload.write(Array.from({ length: 200 }, (_, n) => row({ to: n % 2 === 0 ? 'a' : n })));
    }
    const { errors, ...counts } = await upload.commit();
    expect(counts).toEqual({ accepted: 500, rejected: 500, duplicates: 0 });
    expect(errors.map(({ index }) => index)).toEqual(Array.from({ length: 100 }, (_, n) => 2 * n + 1));
    expect(await engine.getBatch(id)).toMatchObject({ rejected: 500, counts: { total: 500 } });
  });

  it('E13: is taken also if no row of it is good, but not if it had none', async () => {
    const engine = await world.started({ plugins: [mail()] });
    const { id, upload } = await begun(engine);
    await upload.write([row({}), row({ to: '' })]);
    expect(await upload.commit()).toMatchObject({ accepted: 0, rejected: 2 });
    await expect((await engine.upload(id, { onInvalid: 'skip' })).commit()).rejects.toMatchObject({
      code: 'empty_upload',
    });
    await engine.seal(id);
    expect(await ended(engine, id)).toMatchObject({ state: 'completed', rejected: 2, counts: { total: 0 } });
  });

  it('E13: leaves out duplicates too, of good rows only', async () => {
    const engine = world.engine({ plugins: [mail()] });
    const { id, upload } = await begun(engine, { dedupeBy: 'to' });
    await upload.write([row({ to: 'a', colour: 1 }), row({ to: 'a' }), row({ to: 'a' }), row({})]);
    await upload.write([row({ to: 'b' }), row({ to: 'a' })]);
    expect(await upload.commit()).toMatchObject({ accepted: 2, rejected: 2, duplicates: 2 });
    expect(await engine.getBatch(id)).toMatchObject({ rejected: 2, duplicates: 2, counts: { total: 2 } });
  });

  it('E13: counts nothing if it is aborted', async () => {
    const engine = world.engine({ plugins: [mail()] });
    const { id, upload } = await begun(engine, { dedupeBy: 'to' });
    await upload.write([row({ to: 'a' }), row({ to: 'a' }), row({})]);
    await upload.abort();
    expect(await engine.getBatch(id)).toMatchObject({ rejected: 0, duplicates: 0, counts: { total: 0 } });
  });

  it('E13: commits its whole answer with the idempotency key', async () => {
    const engine = world.engine({ plugins: [mail()] });
    const { upload } = await begun(engine);
    await engine.idempotency.reserve('default', 'k');
    await upload.write([row({ to: 'a' }), { problem: broken, line: 2 }]);
    const answer = await upload.commit({ bodyHash: 'h', idempotencyKey: 'k' });
    const kept = await engine.idempotency.reserve('default', 'k');
    expect(kept).toMatchObject({ state: 'done', bodyHash: 'h', status: null });
    expect(kept.state === 'done' && JSON.parse(kept.ref ?? '')).toEqual(answer);
  });
});

it('E13: an upload that does not skip refuses what its caller could not read, naming the line', async () => {
  const engine = world.engine({ plugins: [mail()] });
  const { upload } = await begun(engine, {}, 'fail');
  await expect(upload.write([row({ to: 'a' }), { problem: broken, line: 7 }])).rejects.toMatchObject({
    code: 'invalid_payload',
    problems: [{ line: 7, ...broken }],
  });
  await upload.abort();
});
