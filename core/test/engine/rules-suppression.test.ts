import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/api.ts';
import { succeeded, Type } from '../../src/plugin/index.ts';
import { ended, testWorld, until } from '../helpers/engine-world.ts';
import { type Fake, type FakeOptions, type FakePayload, fake, numbered } from '../helpers/fake-plugin.ts';

const DEAD = '018f0000-0000-7000-8000-00000000dead';
const ANN = 'ann@example.com';

const world = testWorld();

/** A module whose payloads name recipients, any number of them with commas between. */
const addressed = (options: FakeOptions = {}): Fake =>
  fake({
    ...options,
    module: {
      recipients: ({ to }: FakePayload) => to?.toLowerCase().split(',') ?? [],
      normalizeRecipient: (text) => (text.includes('@') ? text.toLowerCase() : undefined),
      ...options.module,
    },
  });

const to = (...recipients: readonly string[]): FakePayload[] =>
  recipients.map((address) => ({ to: address }));

const add = (engine: Engine, ...recipients: readonly string[]) =>
  engine.suppressions.add({ type: 'mail', recipients });

async function fateOf(engine: Engine, jobs: readonly FakePayload[], tenantId = 'default') {
  const batch = await engine.submit({ type: 'mail', jobs }, { tenantId });
  await until('the end', async () => (await engine.getBatch(batch.id, { tenantId })).completedAt);
  const { items } = await engine.listJobs(batch.id, { tenantId });
  return {
    batch,
    items,
    states: items.map(({ state, code }) => (code === null ? state : `${state} ${code}`)),
  };
}

describe('a job with a suppressed recipient', () => {
  it('is not sent by another process either, which found nobody suppressed a moment before', async () => {
    const mail = addressed();
    // One takes jobs in, as an API does; the other one makes the calls.
    const api = world.engine({ plugins: [addressed()] });
    await world.started({ plugins: [mail] });
    expect((await fateOf(api, to(ANN))).states).toEqual(['succeeded']);
    await add(api, ANN);
    expect((await fateOf(api, to(ANN))).states).toEqual(['failed suppressed']);
    expect(mail.calls).toHaveLength(1);
  });

  it('fails without a call, and says why without saying who', async () => {
    const mail = addressed();
    const engine = await world.started({ plugins: [mail] });
    await add(engine, ANN);
    const { batch, items, states } = await fateOf(
      engine,
      to('bob@example.com', 'Ann@Example.com', `eve@x.y,${ANN}`),
    );
    expect(states).toEqual(['succeeded', 'failed suppressed', 'failed suppressed']);
    expect(batch.suppressed).toBe(2);
    expect(mail.calls.flatMap(({ seqs }) => seqs)).toEqual([0]);
    const { events } = await engine.getJob(items[1]?.id ?? '');
    const message = 'Not sent: a recipient is suppressed, since somebody put it on the suppression list';
    expect(events.map(({ kind, data }) => [kind, data])).toEqual([
      ['failed', { code: 'suppressed', message, reason: 'manual' }],
    ]);
    const rows = await world.sql('SELECT * FROM batchsender.suppressions');
    expect(JSON.stringify(rows)).not.toMatch(/ann|example/i);
  });

  it('fails also where its address comes from the defaults or a template', async () => {
    const mail = addressed();
    const engine = await world.started({ plugins: [mail] });
    await add(engine, ANN);
    const defaults = { to: '{{ name }}@example.com' };
    const jobs = [{ variables: { name: 'ann' } }, { variables: { name: 'bob' } }];
    const { id, suppressed } = await engine.submit({ type: 'mail', defaults, jobs });
    expect(suppressed).toBe(1);
    expect((await ended(engine, id)).counts).toMatchObject({ failed: 1, succeeded: 1 });
    expect(mail.calls).toHaveLength(1);
  });

  it('fails again when it is retried, until the recipient is taken off the list', async () => {
    const mail = addressed();
    const engine = await world.started({ plugins: [mail] });
    await add(engine, ANN);
    const { batch } = await fateOf(engine, to(ANN));
    await engine.retry(batch.id, ['failed']);
    await until('the second failure', async () => (await engine.getBatch(batch.id)).counts.failed === 1);
    expect(await engine.suppressions.remove({ type: 'mail', recipients: [ANN] })).toEqual({ removed: 1 });
    await engine.retry(batch.id, ['failed']);
    await until('the success', async () => (await engine.getBatch(batch.id)).counts.succeeded === 1);
    expect(mail.calls).toHaveLength(1);
  });

  it('is told of at once where it is submitted alone, and taken all the same', async () => {
    const engine = await world.started({ plugins: [addressed()] });
    await add(engine, ANN);
    const job = { type: 'mail', payload: { to: ANN } };
    const first = await engine.submitJob(job);
    expect(first).toEqual({ batchId: expect.any(String), jobId: expect.any(String), suppressed: true });
    expect(await engine.submitJob({ type: 'mail', payload: { to: 'bob@x.y' } })).not.toHaveProperty(
      'suppressed',
    );
    await until('its end', async () => (await engine.getJob(first.jobId)).code === 'suppressed');
  });

  it('is counted in uploads and large batches, and still accepted', async () => {
    const engine = world.engine({ plugins: [addressed()] });
    await add(engine, ANN);
    const { id } = await engine.submit({ type: 'mail' });
    const upload = await engine.upload(id, { onInvalid: 'skip' });
    await upload.write(
      [...to(ANN, 'bob@x.y'), { n: 'wrong', to: ANN } as never].map((payload) => ({ payload })),
    );
    await upload.write(to(ANN).map((payload) => ({ payload })));
    expect(await upload.commit()).toMatchObject({ accepted: 3, rejected: 1, suppressed: 2 });
    const large = await engine.submit({
      type: 'mail',
      jobs: to(...Array.from({ length: 2_001 }, () => ANN)),
    });
    expect(large.suppressed).toBe(2_001);
    expect(large.counts.total).toBe(2_001);
  });

  it('is not called although it was submitted before', async () => {
    const mail = addressed();
    const engine = await world.started({ plugins: [mail] });
    const other = world.engine({ plugins: [mail] });
    const scheduledAt = new Date(Date.now() + 3_000);
    const { id } = await engine.submit({ type: 'mail', jobs: to(ANN), scheduledAt });
    // The runner has looked: nobody is suppressed. Another process adds one, which it must learn of.
    await fateOf(engine, to(ANN));
    await add(other, ANN);
    expect((await ended(engine, id)).counts).toMatchObject({ failed: 1 });
    expect(mail.calls).toHaveLength(1);
  });

  it('of another tenant or type is sent', async () => {
    const mail = addressed();
    const letter = addressed({ type: 'letter' });
    const engine = await world.started({ plugins: [mail, letter] });
    await engine.suppressions.add({ type: 'mail', recipients: [ANN] }, { tenantId: 'one' });
    expect((await fateOf(engine, to(ANN), 'one')).states).toEqual(['failed suppressed']);
    expect((await fateOf(engine, to(ANN), 'two')).states).toEqual(['succeeded']);
    const { id } = await engine.submit({ type: 'letter', jobs: to(ANN) }, { tenantId: 'one' });
    await until(
      'the letter',
      async () => (await engine.getBatch(id, { tenantId: 'one' })).counts.succeeded === 1,
    );
    const ids = await world.sql('SELECT hash FROM batchsender.suppressions');
    await engine.suppressions.add({ type: 'mail', recipients: [ANN] }, { tenantId: 'two' });
    expect((await world.sql('SELECT DISTINCT hash FROM batchsender.suppressions')).length).toBe(
      ids.length + 1,
    );
    expect((await engine.suppressions.list({ tenantId: 'two' })).items).toHaveLength(1);
  });

  it('is unknown if an earlier call may have arrived', async () => {
    const mail = addressed();
    const engine = world.engine({ plugins: [mail] });
    const store = await world.store();
    const { id } = await engine.submit({ type: 'mail', jobs: to(ANN, 'bob@x.y') });
    const [chunk] = await world.sql('SELECT id::int FROM batchsender.chunks');
    await store.run.lease(chunk.id, DEAD);
    await store.maintenance.recoverChunks(0);
    await add(engine, ANN);
    await engine.start();
    expect((await ended(engine, id)).counts).toMatchObject({ unknown: 1, succeeded: 1 });
    expect(await engine.getJob(`${id}.0`)).toMatchObject({ state: 'unknown', code: 'suppressed' });
    expect(mail.calls.flatMap(({ seqs }) => seqs)).toEqual([1]);
  });

  it('is asked about after its call was lost, but not called again', async () => {
    const mail = addressed({
      provider: { guarantee: { kind: 'reconcilable', settleMs: 0 } },
      resolve: (jobs) => jobs.map(() => ({ status: 'absent' })),
    });
    const engine = world.engine({ plugins: [mail] });
    const store = await world.store();
    const { id } = await engine.submit({ type: 'mail', jobs: to(ANN, 'bob@x.y') });
    const [chunk] = await world.sql('SELECT id::int FROM batchsender.chunks');
    const lease = await store.run.lease(chunk.id, DEAD);
    if (lease === undefined) throw new Error('no lease');
    const fences = [0, 1].map((seq) => ({ seq, kind: 'attempted' as const, data: null }));
    await store.run.fence(lease, fences);
    await store.maintenance.recoverChunks(0);
    await add(engine, ANN);
    await engine.start();
    expect((await ended(engine, id)).counts).toMatchObject({ failed: 1, succeeded: 1 });
    expect(mail.questions[0]?.map(({ seq }) => seq)).toEqual([0, 1]);
    expect(mail.calls.flatMap(({ seqs }) => seqs)).toEqual([1]);
  });

  it('does not keep the others of its call from being sent', async () => {
    const mail = addressed({
      provider: { batchSize: 100, guarantee: { kind: 'keyed', scope: 'call', ttlMs: 3_600_000 } },
      processBatch: (jobs) => jobs.map(() => succeeded()),
    });
    const engine = await world.started({ plugins: [mail] });
    await add(engine, ANN);
    const { states } = await fateOf(engine, to('a@x.y', ANN, 'b@x.y'));
    expect(states).toEqual(['succeeded', 'failed suppressed', 'succeeded']);
    expect(mail.calls.map(({ seqs }) => seqs)).toEqual([[0, 2]]);
  });
});

describe('the suppression list', () => {
  it('tells who is on it, and for which reasons', async () => {
    const engine = world.engine({ plugins: [addressed()] });
    expect(await add(engine, ANN, 'ANN@example.com', 'bob@x.y')).toEqual({ added: 2 });
    await engine.suppressions.add({ type: 'mail', recipients: [ANN], reason: 'complained' });
    expect(await add(engine, ANN)).toEqual({ added: 0 });
    const checked = await engine.suppressions.check({
      type: 'mail',
      recipients: ['Ann@example.com', 'eve@x.y'],
    });
    expect(checked).toEqual([
      {
        recipient: 'Ann@example.com',
        recipientId: expect.stringMatching(/^[0-9a-f]{32}$/),
        suppressed: true,
        reasons: ['complained', 'manual'],
      },
      { recipient: 'eve@x.y', recipientId: expect.any(String), suppressed: false, reasons: [] },
    ]);
    expect(await engine.suppressions.counts()).toEqual([
      { type: 'mail', reason: 'complained', count: 1 },
      { type: 'mail', reason: 'manual', count: 2 },
    ]);
  });

  it('is listed page by page, the newest first', async () => {
    const engine = world.engine({ plugins: [addressed()] });
    for (const name of ['a', 'b', 'c']) await add(engine, `${name}@x.y`);
    const checked = await engine.suppressions.check({
      type: 'mail',
      recipients: ['c@x.y', 'b@x.y', 'a@x.y'],
    });
    const first = await engine.suppressions.list({ limit: 2 });
    const second = await engine.suppressions.list({ limit: 2, cursor: first.nextCursor ?? '' });
    expect(second.nextCursor).toBeNull();
    const listed = [...first.items, ...second.items];
    expect(listed.map(({ recipientId }) => recipientId)).toEqual(
      checked.map(({ recipientId }) => recipientId),
    );
    expect(listed[0]).toMatchObject({ type: 'mail', reason: 'manual', source: 'api', at: expect.any(Date) });
    expect((await engine.suppressions.list({ reason: 'bounced' })).items).toEqual([]);
    await expect(engine.suppressions.list({ cursor: 'x' })).rejects.toMatchObject({ code: 'invalid_cursor' });
  });

  it('takes nothing that is no recipient, and nothing else of the same call', async () => {
    const engine = world.engine({ plugins: [addressed(), fake({ type: 'plain' })] });
    await expect(add(engine, ANN, 'nobody')).rejects.toMatchObject({
      code: 'invalid_recipient',
      problems: [{ path: '/recipients/1' }],
    });
    await expect(add(engine, ' ')).rejects.toMatchObject({ code: 'invalid_recipient' });
    await expect(engine.suppressions.add({ type: 'plain', recipients: [ANN] })).rejects.toMatchObject({
      code: 'invalid_recipient',
    });
    await expect(engine.suppressions.add({ type: 'none', recipients: [ANN] })).rejects.toMatchObject({
      code: 'unknown_type',
    });
    expect((await engine.suppressions.list()).items).toEqual([]);
  });

  it('has one key, whoever makes it first, also for many who start at once', async () => {
    const engines = Array.from({ length: 5 }, () => world.engine({ plugins: [addressed()] }));
    await Promise.all(engines.map((engine) => add(engine, ANN)));
    expect(await world.sql('SELECT count(*)::int AS n FROM batchsender.suppressions')).toEqual([{ n: 1 }]);
  });
});

describe('what providers report of addresses', () => {
  it('goes to the list of the tenant whose job it is about', async () => {
    const mail = addressed();
    const engine = await world.started({ plugins: [mail] });
    const { batch } = await fateOf(engine, to(ANN), 'one');
    await engine.receive('mail.fake', {
      events: [{ jobId: `${batch.id}.0`, kind: 'bounced', eventId: 'e' }],
      suppress: [{ recipient: 'Ann@example.com', reason: 'bounced' }],
    });
    expect((await fateOf(engine, to(ANN), 'one')).states).toEqual(['failed suppressed']);
    expect((await fateOf(engine, to(ANN), 'two')).states).toEqual(['succeeded']);
    expect((await engine.suppressions.list({ tenantId: 'one' })).items).toMatchObject([
      { reason: 'bounced', source: 'mail.fake' },
    ]);
  });

  it('goes to the list of the default tenant where it is about no job', async () => {
    const engine = await world.started({ plugins: [addressed()] });
    await engine.receive('mail.fake', { events: [], suppress: [{ recipient: ANN, reason: 'unsubscribed' }] });
    expect((await fateOf(engine, to(ANN))).states).toEqual(['failed suppressed']);
  });

  it('takes back what its owner asked for, and nothing else', async () => {
    const engine = await world.started({ plugins: [addressed()] });
    const suppress = (reason: 'bounced' | 'unsubscribed') => ({ recipient: ANN, reason });
    await engine.receive('mail.fake', {
      events: [],
      suppress: [suppress('unsubscribed'), suppress('bounced')],
    });
    await engine.receive('mail.fake', { events: [], lift: ['ANN@example.com'] });
    expect((await engine.suppressions.check({ type: 'mail', recipients: [ANN] }))[0]?.reasons).toEqual([
      'bounced',
    ]);
    await engine.suppressions.remove({ type: 'mail', recipients: [ANN], reason: 'bounced' });
    await engine.receive('mail.fake', { events: [], suppress: [suppress('unsubscribed')] });
    await engine.receive('mail.fake', { events: [], lift: [ANN] });
    expect((await fateOf(engine, to(ANN))).states).toEqual(['succeeded']);
  });

  it('is not believed where it makes no sense', async () => {
    const engine = await world.started({ plugins: [addressed()] });
    const suppress = [
      { recipient: 'nobody', reason: 'bounced' },
      { recipient: ANN, reason: 'disliked' },
      null,
    ];
    await engine.receive('mail.fake', { events: [], suppress: suppress as never, lift: [7] as never });
    expect((await engine.suppressions.list()).items).toEqual([]);
    expect(world.log.map(({ message }) => message)).toEqual([
      expect.stringContaining('is not one'),
      expect.stringContaining('unknown reason'),
    ]);
  });
});

describe('where nobody can be suppressed', () => {
  it('no recipient is looked at, and no key is made', async () => {
    let asked = 0;
    const mail = addressed({
      module: {
        recipients: () => {
          asked += 1;
          return [ANN];
        },
      },
    });
    const plain = fake({ type: 'plain', payload: Type.Object({ n: Type.Integer() }) });
    const engine = await world.started({ plugins: [mail, plain] });
    const { id } = await engine.submit({ type: 'plain', jobs: numbered(100) });
    await ended(engine, id);
    await fateOf(engine, to(ANN));
    expect(asked).toBe(0);
    expect(await engine.settings.get('suppression_key')).toBeUndefined();
  });

  it('a module that throws for its recipients does not hurt its jobs', async () => {
    const mail = addressed({
      module: {
        recipients: () => {
          throw new Error('no');
        },
      },
    });
    const engine = await world.started({ plugins: [mail] });
    await add(engine, 'bob@x.y');
    expect((await fateOf(engine, to(ANN))).states).toEqual(['succeeded']);
  });
});
