import { describe, expect, it } from 'vitest';
import { Type } from '../../src/plugin/index.ts';
import { ended, sleep, testWorld } from '../helpers/engine-world.ts';
import { fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

/** Version 1 of the module has `address` where version 2 has `to`. */
const OldPayload = Type.Object({ n: Type.Optional(Type.Integer()), address: Type.String() });

const first = () => fake({ version: 1, pluginVersion: '1.4.0', payload: OldPayload });

function second() {
  const migrated: number[] = [];
  const plugin = fake({
    version: 2,
    pluginVersion: '2.0.0',
    migrate: ({ address, ...rest }, from) => {
      migrated.push(from);
      return { ...rest, to: String(address) };
    },
  });
  return { ...plugin, migrated };
}

describe('a batch', () => {
  it("E24: stores the plugin's name and version, and keeps them", async () => {
    const old = world.engine({ plugins: [first()] });
    const { id, plugin } = await old.submit({ type: 'mail', jobs: [{ address: 'a' }] });
    expect(plugin).toEqual({ name: 'plugin-fake', version: '1.4.0' });
    const engine = await world.started({ plugins: [second()] });
    expect((await ended(engine, id)).plugin).toEqual({ name: 'plugin-fake', version: '1.4.0' });
    const fresh = await engine.submit({ type: 'mail', jobs: numbered(1) });
    expect(fresh.plugin.version).toBe('2.0.0');
  });

  it('E24: of an older module is migrated by a newer one, with its defaults merged', async () => {
    const old = world.engine({ plugins: [first()] });
    const { id } = await old.submit({
      type: 'mail',
      defaults: { address: 'user-{{ n }}@example.com' },
      jobs: [{ variables: { n: 1 } }, { address: 'own@example.com' }],
    });
    const newer = second();
    const engine = await world.started({ plugins: [newer] });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 2 });
    expect(newer.calls.map((call) => call.jobs[0]?.payload.to).sort()).toEqual([
      'own@example.com',
      'user-1@example.com',
    ]);
    expect(newer.migrated).toEqual([1, 1]);
    const same = await engine.submit({ type: 'mail', jobs: [{ to: 'x' }] });
    await ended(engine, same.id);
    expect(newer.migrated).toHaveLength(2);
  });

  it('E24: of a newer module is left to those who can run it', async () => {
    const older = first();
    const oldEngine = await world.started({ plugins: [older] });
    const newer = second();
    const submitter = world.engine({ plugins: [newer] });
    const { id } = await submitter.submit({ type: 'mail', jobs: numbered(3) });
    const old = await submitter.submit({ type: 'mail', jobs: [] });
    expect(old.state).toBe('completed');
    await sleep(600);
    expect((await oldEngine.getBatch(id)).counts).toMatchObject({ waiting: 3, running: 0 });
    expect(await world.sql('SELECT epoch FROM batchsender.chunks')).toEqual([{ epoch: 0 }]);
    expect(older.calls).toEqual([]);
    await submitter.start();
    expect((await ended(submitter, id)).counts).toMatchObject({ succeeded: 3 });
  });

  it('E24: of a type that a runner does not have is left to others', async () => {
    const mail = fake();
    const sms = fake({ type: 'sms' });
    const onlyMail = await world.started({ plugins: [mail] });
    const both = world.engine({ plugins: [mail, sms] });
    const { id } = await both.submit({ type: 'sms', jobs: numbered(2) });
    await sleep(400);
    expect(sms.calls).toEqual([]);
    expect(await onlyMail.getBatch(id)).toMatchObject({ type: 'sms', counts: { waiting: 2 } });
    await both.start();
    await ended(both, id);
  });

  it('E24: whose payload cannot be migrated fails alone', async () => {
    const old = world.engine({ plugins: [first()] });
    const { id } = await old.submit({
      type: 'mail',
      jobs: [{ address: 'a' }, { address: 'bad' }, { address: 'c' }],
    });
    const newer = fake({
      version: 2,
      migrate: ({ address }) => {
        if (address === 'bad') throw new Error('no such address');
        return { to: String(address) };
      },
    });
    const engine = await world.started({ plugins: [newer] });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 2, failed: 1 });
    expect(await engine.getJob(`${id}.1`)).toMatchObject({
      code: 'invalid_payload',
      message: 'no such address',
    });
  });
});

describe('the migration of the database', () => {
  it('E24: is safe when many start at once', async () => {
    const options = { plugins: [fake()], schema: 'many', pools: { engine: 1, api: 2 } };
    const engines = Array.from({ length: 6 }, () => world.engine(options));
    await Promise.all(engines.map((engine) => engine.start()));
    const [engine] = engines as [(typeof engines)[0]];
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(50) });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 50 });
  });

  it('E24: leaves a schema alone that a newer release has made', async () => {
    const options = { plugins: [fake()], schema: 'newer' };
    await world.engine(options).migrate();
    await world.sql('INSERT INTO newer.migrations (version) VALUES (9999)');
    await world.sql('ALTER TABLE newer.batches ADD COLUMN invented int');
    const older = await world.started(options);
    const { id } = await older.submit({ type: 'mail', jobs: numbered(2) });
    expect((await ended(older, id)).counts).toMatchObject({ succeeded: 2 });
  });
});
