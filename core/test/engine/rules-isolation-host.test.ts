import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/api.ts';
import type { IsolatedChunk, IsolationEnd } from '../../src/engine/isolation.ts';
import { succeeded } from '../../src/plugin/index.ts';
import { ended, sleep, testWorld, until } from '../helpers/engine-world.ts';
import { barrier, type Fake, type FakeOptions, fake, numbered } from '../helpers/fake-plugin.ts';

const DEAD = '018f0000-0000-7000-8000-00000000dead';
const POISON = 5;

const world = testWorld();

const chunks = () =>
  world.sql('SELECT id::int, deaths, interrupted, state, runner_id FROM batchsender.chunks ORDER BY id');

/** A batch whose only chunk died in company: its runner is known to be dead. */
async function diedOnce(submitter: Engine, count: number): Promise<string> {
  const store = await world.store();
  const { id } = await submitter.submit({ type: 'mail', jobs: numbered(count) });
  await store.runner.heartbeat(DEAD, { mail: 1 }, 10_000, []);
  const [chunk] = await chunks();
  await store.run.lease(chunk.id, DEAD);
  expect(await submitter.recoverRunner(DEAD)).toEqual([
    { chunkId: chunk.id, batchId: id, type: 'mail', pluginName: 'plugin-fake' },
  ]);
  return id;
}

/** A host that runs a chunk alone in an engine of its own, which "dies" with the poison: it is never asked again. */
function host(mail: Fake, kills: (chunk: IsolatedChunk) => boolean | Promise<boolean>) {
  const runs: IsolatedChunk[] = [];
  let submitter: Engine | undefined;
  const isolate = async (chunk: IsolatedChunk): Promise<IsolationEnd> => {
    runs.push(chunk);
    submitter ??= world.engine({ plugins: [mail] });
    const alone = world.engine({ plugins: [mail], alone: true });
    const run = alone
      .runIsolated(chunk)
      .then(
        ({ taken, ...left }): IsolationEnd => (taken ? { state: 'ended', ...left } : { state: 'refused' }),
      );
    const death = until('the end of the run', async () => kills(chunk)).then(
      async (): Promise<IsolationEnd> => {
        await submitter?.recoverRunner(alone.runnerId, { alone: true });
        return { state: 'died' };
      },
    );
    return Promise.race([run.finally(() => alone.stop({ graceMs: 10 })), death.catch(() => run)]);
  };
  return { isolate, runs };
}

/** The engines of this file do not really die: their heartbeats go on, and each has its share of the concurrency. */
const mailOf = (options: FakeOptions = {}) => fake({ provider: { concurrency: 100 }, ...options });

describe('a runner that is known to be dead', () => {
  it('E21: gives everything back at once, and a death in company is counted once', async () => {
    const mail = mailOf();
    const submitter = world.engine({ plugins: [mail] });
    const store = await world.store();
    await store.maintenance.lead('maintenance', DEAD, 60_000);
    await diedOnce(submitter, 3);
    expect(await chunks()).toMatchObject([{ deaths: 1, interrupted: true, state: 'ready', runner_id: null }]);
    expect(await world.sql('SELECT 1 FROM batchsender.runners')).toEqual([]);
    expect(await world.sql('SELECT 1 FROM batchsender.leadership')).toEqual([]);
    const [chunk] = await chunks();
    await store.run.lease(chunk.id, DEAD);
    await submitter.recoverRunner(DEAD);
    expect(await chunks()).toMatchObject([{ deaths: 1 }]);
    await store.run.lease(chunk.id, DEAD);
    await submitter.recoverRunner(DEAD, { alone: true });
    expect(await chunks()).toMatchObject([{ deaths: 2 }]);
    const engine = await world.started({ plugins: [mail] });
    await until('the end', async () => (await engine.listBatches()).items[0]?.state === 'completed');
  });

  it('E21: wakes the others', async () => {
    const mail = mailOf();
    const engine = await world.started({ plugins: [mail], tuning: { pollMs: 300_000 } });
    const submitter = world.engine({ plugins: [mail] });
    await world.sql(
      `INSERT INTO batchsender.runners (id, seen_at, versions) VALUES ('${DEAD}', now(), '{}')`,
    );
    const paused = await submitter.submit({
      type: 'mail',
      scheduledAt: new Date(Date.now() + 3e6),
      jobs: numbered(2),
    });
    await world.sql(
      `UPDATE batchsender.chunks SET state = 'leased', epoch = 1, runner_id = '${DEAD}', due_at = now();
       UPDATE batchsender.batches SET state = 'running'`,
    );
    await sleep(200);
    expect(mail.calls).toEqual([]);
    await submitter.recoverRunner(DEAD);
    await ended(engine, paused.id);
  });
});

describe('a chunk that died', () => {
  it('E21: runs alone under a lease of its own, and is at home again when it has ended', async () => {
    const mail = mailOf();
    const submitter = world.engine({ plugins: [mail] });
    const id = await diedOnce(submitter, 6);
    const { isolate, runs } = host(mail, () => false);
    const engine = await world.started({ plugins: [mail], isolate });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 6 });
    expect(runs).toMatchObject([{ type: 'mail', size: 6, runnerId: engine.runnerId }]);
    expect(await chunks()).toMatchObject([{ deaths: 1, state: 'closed' }]);
  });

  it('E21: is called even if the provider takes no more than one call at once', async () => {
    const mail = mailOf({ provider: { concurrency: 1 } });
    const submitter = world.engine({ plugins: [mail] });
    const id = await diedOnce(submitter, 6);
    const { isolate } = host(mail, () => false);
    const engine = await world.started({ plugins: [mail], isolate });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 6 });
  });

  it('E21: takes no slot of the runner while it waits or runs elsewhere', async () => {
    const hold = barrier();
    const mail = mailOf();
    const submitter = world.engine({ plugins: [mail] });
    const id = await diedOnce(submitter, 2);
    const engine = await world.started({
      plugins: [mail],
      tuning: { chunkSlots: 1, chunkSlotsPerConnection: 1 },
      isolate: async () => {
        await hold.pass();
        return { state: 'refused' };
      },
    });
    await until('its lease', async () => (await chunks())[0].state === 'leased');
    const other = await engine.submit({ type: 'mail', jobs: numbered(3) });
    await ended(engine, other.id);
    expect((await engine.getBatch(id)).counts).toMatchObject({ succeeded: 0 });
    await engine.cancel(id);
    hold.open();
    expect((await ended(engine, id)).counts).toMatchObject({ cancelled: 2 });
  });

  it('E21: is given back when no process is free, and no death is counted', async () => {
    const mail = mailOf();
    const submitter = world.engine({ plugins: [mail] });
    const id = await diedOnce(submitter, 2);
    const { isolate } = host(mail, () => false);
    let refused = 0;
    const engine = await world.started({
      plugins: [mail],
      isolate: async (chunk) => {
        refused += 1;
        return refused < 3 ? { state: 'refused' } : isolate(chunk);
      },
    });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 2 });
    expect(refused).toBe(3);
    expect(await chunks()).toMatchObject([{ deaths: 1 }]);
  });

  it('E21: dies alone until its culprit is found; the others are delivered', async () => {
    const reached = new Set<string>();
    const mail = mailOf({
      process: async (job, call) => {
        if (job.seq !== POISON) return succeeded();
        reached.add(job.batchId);
        await new Promise((_resolve, reject) => {
          call.signal.addEventListener('abort', () => reject(call.signal.reason));
        });
        return succeeded();
      },
    });
    const submitter = world.engine({ plugins: [mail] });
    const id = await diedOnce(submitter, 12);
    // Both halves may run at once: only the one that holds the poison dies of it.
    const holdsPoison = async ({ chunkId }: IsolatedChunk) =>
      (
        await world.sql(
          `SELECT 1 FROM batchsender.chunks WHERE id = $1
           AND (${POISON} = ANY(seqs) OR (first_seq <= ${POISON} AND end_seq > ${POISON}))`,
          [chunkId],
        )
      ).length > 0;
    const { isolate, runs } = host(
      mail,
      async (chunk) => reached.has(id) && (await holdsPoison(chunk)) && reached.delete(id),
    );
    const engine = await world.started({ plugins: [mail], isolate });
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 11, failed: 1 });
    expect(await engine.getJob(`${id}.${POISON}`)).toMatchObject({ state: 'failed', code: 'runner_died' });
    expect(runs.at(0)?.size).toBe(12);
    expect(runs.some(({ size }) => size === 1)).toBe(true);
    expect(world.log.some(({ message }) => message?.includes('Plugin plugin-fake: a job ends failed'))).toBe(
      true,
    );
  });

  it('E21: runs in the same process where the host has no other', async () => {
    const mail = mailOf();
    const submitter = world.engine({ plugins: [mail] });
    const id = await diedOnce(submitter, 4);
    expect((await ended(await world.started({ plugins: [mail] }), id)).counts).toMatchObject({
      succeeded: 4,
    });
  });
});

describe('the types of an engine', () => {
  it('are those that it runs; the others are taken in, and left to others', async () => {
    const mail = fake();
    const sms = fake({ type: 'sms' });
    const engine = await world.started({
      plugins: [mail, { plugin: { ...sms.plugin, name: 'plugin-sms' } }],
      types: ['mail'],
    });
    const waiting = await engine.submit({ type: 'sms', jobs: numbered(2) });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    await ended(engine, id);
    await sleep(300);
    expect(sms.calls).toEqual([]);
    const other = await world.started({ plugins: [{ plugin: { ...sms.plugin, name: 'plugin-sms' } }] });
    await ended(other, waiting.id);
  });

  it('must be installed', () => {
    expect(() => world.engine({ plugins: [fake()], types: ['mail', 'fax'] })).toThrow(
      /No installed plugin has the type 'fax'.*Installed: mail/,
    );
  });
});
