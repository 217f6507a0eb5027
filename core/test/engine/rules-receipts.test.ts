import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/api.ts';
import { type OpenContext, type Receipt, succeeded, unknown } from '../../src/plugin/index.ts';
import { type ChaosProxy, chaosProxy } from '../helpers/chaos-proxy.ts';
import { ended, testWorld, until } from '../helpers/engine-world.ts';
import { barrier, type FakeOptions, fake, numbered } from '../helpers/fake-plugin.ts';

const DEAD = '018f0000-0000-7000-8000-00000000dead';

const world = testWorld();
const proxies: ChaosProxy[] = [];
afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.close()));
});

let events = 0;
const receipt = (jobId: string, kind: string, more: Partial<Receipt> = {}): Receipt => ({
  jobId,
  kind,
  eventId: `event-${events++}`,
  ...more,
});

const report = (engine: Engine, ...list: readonly Receipt[]) => engine.receive('mail.fake', { events: list });

const logOf = async (seq = 0): Promise<string[]> =>
  (await world.sql('SELECT attempt, kind FROM batchsender.job_events WHERE seq = $1 ORDER BY id', [seq])).map(
    ({ attempt, kind }) => `${attempt} ${kind}`,
  );

/** A provider for which nothing helps: what is lost is unknown. */
const careful = (options: FakeOptions = {}) =>
  fake({ ...options, provider: { guarantee: { kind: 'at-most-once' }, ...options.provider } });

async function sent(engine: Engine, count = 1): Promise<string> {
  const { id } = await engine.submit({ type: 'mail', jobs: numbered(count) });
  await ended(engine, id);
  return id;
}

describe('a receipt', () => {
  it('is recorded with the attempt of its job, and shown as its delivery', async () => {
    const engine = await world.started({ plugins: [fake()] });
    const id = await sent(engine, 2);
    const at = new Date('2026-11-29T08:00:00Z');
    const counts = await report(
      engine,
      receipt(`${id}.0`, 'delivered', { at, data: { code: '250' } }),
      receipt(`${id}.0`, 'opened'),
    );
    expect(counts).toEqual({ recorded: 2, duplicates: 0, foreign: 0 });
    const job = await engine.getJob(`${id}.0`);
    expect(job).toMatchObject({ state: 'succeeded', delivery: 'opened', attempts: 1 });
    expect(job.events.slice(1)).toEqual([
      { kind: 'delivered', attempt: 1, at: expect.any(Date), data: { at: at.toISOString(), code: '250' } },
      { kind: 'opened', attempt: 1, at: expect.any(Date), data: null },
    ]);
    const listed = (await engine.listJobs(id)).items.map(({ delivery }) => delivery);
    expect(listed).toEqual(['opened', null]);
    const exported: (string | null)[] = [];
    for await (const rows of await engine.results(id)) exported.push(...rows.map((row) => row.delivery));
    expect(exported).toEqual(listed);
  });

  it('does not change what the job was sent as', async () => {
    const engine = await world.started({ plugins: [fake({ process: () => succeeded('ours') })] });
    const id = await sent(engine);
    await report(
      engine,
      receipt(`${id}.0`, 'bounced', { data: { ref: 'another', possibleDuplicate: true } }),
    );
    expect(await engine.getJob(`${id}.0`)).toMatchObject({
      state: 'succeeded',
      ref: 'ours',
      delivery: 'bounced',
      possibleDuplicate: false,
    });
  });

  it('is recorded once, however often and wherever it comes in', async () => {
    const mail = fake();
    const engine = await world.started({ plugins: [mail] });
    const other = world.engine({ plugins: [mail] });
    const id = await sent(engine);
    const same = Array.from({ length: 20 }, () => receipt(`${id}.0`, 'delivered', { eventId: 'the same' }));
    await Promise.all(same.flatMap((one) => [report(engine, one, one), report(other, one)]));
    expect(await report(engine, ...same)).toEqual({ recorded: 0, duplicates: 1, foreign: 0 });
    expect(await logOf()).toEqual(['1 succeeded', '1 delivered']);
  });

  it('of two connections is told apart although their event ids are equal', async () => {
    const engine = await world.started({ plugins: [fake(), fake({ type: 'other' })] });
    const mail = await sent(engine);
    const other = await engine.submit({ type: 'other', jobs: numbered(1) });
    await ended(engine, other.id);
    const eventId = 'one';
    await engine.receive('mail.fake', { events: [receipt(`${mail}.0`, 'delivered', { eventId })] });
    await engine.receive('other.fake', { events: [receipt(`${other.id}.0`, 'opened', { eventId })] });
    expect((await engine.getJob(`${mail}.0`)).delivery).toBe('delivered');
    expect((await engine.getJob(`${other.id}.0`)).delivery).toBe('opened');
  });

  it('about a job that the connection does not have is dropped, and told in the audit log', async () => {
    const engine = await world.started({ plugins: [fake(), fake({ type: 'other' })] });
    const id = await sent(engine, 2);
    const open = await engine.submit({ type: 'mail', jobs: numbered(1), sealed: false });
    const foreign = [`${id}.0`, `${id}.2`, '018f0000-0000-7000-8000-000000000000.0', 'x', `${open.id}.0`];
    const counts = await Promise.all(
      ['other.fake', 'mail.fake', 'mail.fake', 'mail.fake', 'mail.fake'].map((connection, index) =>
        engine.receive(connection, { events: [receipt(foreign[index] as string, 'delivered')] }),
      ),
    );
    expect(counts).toEqual(foreign.map(() => ({ recorded: 0, duplicates: 0, foreign: 1 })));
    expect(await world.sql('SELECT 1 FROM batchsender.receipt_keys')).toEqual([]);
    expect((await engine.getJob(`${id}.0`)).delivery).toBeNull();
    await engine.cancel(open.id);
    await engine.stop();
    const entries = await world.sql(
      'SELECT action, target, count, data FROM batchsender.audit_log ORDER BY 2',
    );
    const entry = { action: 'receipt.foreign', data: { code: 'foreign_job' } };
    expect(entries).toEqual([
      { ...entry, target: 'mail.fake', count: 4 },
      { ...entry, target: 'other.fake', count: 1 },
    ]);
    await expect(report(engine)).rejects.toMatchObject({ code: 'engine_stopped' });
  });

  it('of a kind that the module does not declare is dropped with a warning', async () => {
    const mail = fake({ module: { receipts: [{ kind: 'printed', precedence: 70 }] } });
    const engine = await world.started({ plugins: [mail] });
    const id = await sent(engine);
    const kinds = ['printed', 'eaten', 'succeeded', 'complained'];
    const counts = await report(engine, ...kinds.map((kind) => receipt(`${id}.0`, kind)));
    expect(counts).toEqual({ recorded: 2, duplicates: 0, foreign: 0 });
    expect(await logOf()).toEqual(['1 succeeded', '1 printed', '1 complained']);
    expect((await engine.getJob(`${id}.0`)).delivery).toBe('printed');
    expect(world.log.map(({ message }) => message).sort()).toEqual([
      expect.stringContaining("'eaten' is not declared"),
      expect.stringContaining("'succeeded' is not declared"),
    ]);
  });

  it('keeps no address, and no more than 4 kB', async () => {
    const engine = await world.started({ plugins: [fake()] });
    const id = await sent(engine);
    const reply =
      '550 5.1.1 <ann@example.com> unknown, see https://x.example/ann?a=b or call +1 (555) 010-0199';
    await report(
      engine,
      receipt(`${id}.0`, 'bounced', { data: { code: '5.1.1', reply, list: [{ reply }] } }),
      receipt(`${id}.0`, 'opened', { data: { many: Array.from({ length: 500 }, (_, n) => `number ${n}`) } }),
    );
    const [, bounced, opened] = (await engine.getJob(`${id}.0`)).events;
    const clean = '550 5.1.1 <[address]> unknown, see https://x.example or call [number]';
    expect(bounced?.data).toEqual({ code: '5.1.1', reply: clean, list: [{ reply: clean }] });
    expect(opened?.data).toEqual({ truncated: true });
  });

  it('that says nothing new is left out once a job has a hundred', async () => {
    const engine = await world.started({ plugins: [fake()] });
    const id = await sent(engine);
    for (let round = 0; round < 2; round++) {
      await report(engine, ...Array.from({ length: 60 }, () => receipt(`${id}.0`, 'opened')));
    }
    const late = await report(engine, receipt(`${id}.0`, 'opened'), receipt(`${id}.0`, 'clicked'));
    expect(late).toEqual({ recorded: 1, duplicates: 1, foreign: 0 });
    expect(await logOf()).toHaveLength(1 + 120 + 1);
  });

  it('of a connection that does not exist is refused', async () => {
    const engine = await world.started({ plugins: [fake()] });
    await expect(engine.receive('mail.none', { events: [] })).rejects.toMatchObject({
      code: 'connection_not_found',
    });
  });

  it('is taken in together with others: a thousand of them by few transactions', async () => {
    const engine = await world.started({ plugins: [fake()] });
    const id = await sent(engine, 1_000);
    const all = Array.from({ length: 1_000 }, (_, seq) =>
      report(engine, receipt(`${id}.${seq}`, 'delivered')),
    );
    const counts = await Promise.all(all);
    expect(counts.every(({ recorded }) => recorded === 1)).toBe(true);
    const [{ transactions }] = await world.sql(
      `SELECT count(DISTINCT at)::int AS transactions FROM batchsender.job_events WHERE kind = 'delivered'`,
    );
    expect(transactions).toBeLessThan(20);
  });
});

describe('a receipt that comes before the outcome', () => {
  it('is recorded while the call runs, and does not disturb it', async () => {
    const hold = barrier();
    const mail = fake({
      process: async () => {
        await hold.pass();
        return succeeded();
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(1) });
    await until('the call', () => mail.calls.length > 0);
    await report(engine, receipt(`${id}.0`, 'delivered'));
    expect(await engine.getJob(`${id}.0`)).toMatchObject({ state: 'running', delivery: 'delivered' });
    hold.open();
    await ended(engine, id);
    expect(await logOf()).toEqual(['1 delivered', '1 succeeded']);
    expect(mail.calls).toHaveLength(1);
    await until('the look at early receipts', async () => {
      const early = await world.sql('SELECT 1 FROM batchsender.receipt_keys WHERE early_batch IS NOT NULL');
      return early.length === 0;
    });
    expect((await engine.getBatch(id)).counts).toMatchObject({ succeeded: 1, unknown: 0 });
  });

  it('E12: settles the job if its outcome turns out to be unknown', async () => {
    const hold = barrier();
    const mail = careful({
      process: async () => {
        await hold.pass();
        return unknown('timeout');
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    await until('the calls', () => mail.calls.length === 2);
    await report(engine, receipt(`${id}.0`, 'bounced'));
    hold.open();
    await until('the settling', async () => (await engine.getBatch(id)).counts.succeeded === 1);
    expect((await engine.getBatch(id)).counts).toMatchObject({ succeeded: 1, unknown: 1 });
    expect(await logOf()).toEqual(['1 attempted', '1 bounced', '1 unknown', '1 resolved']);
    expect(await engine.getJob(`${id}.0`)).toMatchObject({ state: 'succeeded', delivery: 'bounced' });
  });

  it('E12: settles the open fence of a runner that died', async () => {
    const mail = careful();
    const engine = world.engine({ plugins: [mail] });
    const store = await world.store();
    const { id } = await engine.submit({ type: 'mail', jobs: numbered(2) });
    const [chunk] = await world.sql('SELECT id::int FROM batchsender.chunks');
    const lease = await store.run.lease(chunk.id, DEAD);
    if (lease === undefined) throw new Error('no lease');
    await store.run.fence(lease, [
      { seq: 0, kind: 'attempted', data: null },
      { seq: 1, kind: 'attempted', data: null },
    ]);
    await report(engine, receipt(`${id}.0`, 'delivered'));
    await store.maintenance.recoverChunks(0);
    await engine.start();
    await ended(engine, id);
    expect((await engine.getBatch(id)).counts).toMatchObject({ succeeded: 1, unknown: 1 });
    expect(await logOf()).toEqual(['1 attempted', '1 delivered', '1 succeeded']);
    expect(mail.calls).toEqual([]);
  });

  it('belongs to the attempt that the job is on', async () => {
    const hold = barrier();
    const mail = fake({
      process: async (job) => {
        if (job.attempt > 1) await hold.pass();
        return job.attempt > 1 ? succeeded() : unknown('lost');
      },
    });
    const engine = await world.started({ plugins: [mail] });
    const id = await sent(engine);
    await engine.retry(id, ['unknown']);
    await until('the second call', () => mail.calls.length === 2);
    await report(engine, receipt(`${id}.0`, 'delivered'));
    hold.open();
    await ended(engine, id);
    expect(await logOf()).toEqual(['1 unknown', '2 reopened', '2 delivered', '2 succeeded']);
  });
});

describe('E12: an unknown outcome', () => {
  it.each(['delivered', 'opened', 'clicked', 'replied', 'bounced', 'complained'])(
    'is settled by the receipt "%s": the job was sent',
    async (kind) => {
      const engine = await world.started({ plugins: [careful({ process: () => unknown('timeout') })] });
      const id = await sent(engine, 2);
      await report(engine, receipt(`${id}.0`, kind));
      expect((await engine.getBatch(id)).counts).toMatchObject({ succeeded: 1, unknown: 1, total: 2 });
      const job = await engine.getJob(`${id}.0`);
      expect(job).toMatchObject({ state: 'succeeded', delivery: kind });
      expect(job.events.at(-1)).toMatchObject({
        kind: 'resolved',
        attempt: 1,
        data: { outcome: 'succeeded', by: 'receipt' },
      });
    },
  );

  it('is not settled by a kind of which nobody knows that it proves anything', async () => {
    const mail = careful({
      process: () => unknown('timeout'),
      module: { receipts: [{ kind: 'queued', precedence: 5 }] },
    });
    const engine = await world.started({ plugins: [mail] });
    const id = await sent(engine);
    await report(engine, receipt(`${id}.0`, 'queued'));
    expect(await engine.getJob(`${id}.0`)).toMatchObject({ state: 'unknown', delivery: 'queued' });
  });

  it('is settled once, by many receipts at once', async () => {
    const mail = careful({ process: () => unknown('timeout') });
    const engine = await world.started({ plugins: [mail] });
    const other = world.engine({ plugins: [mail] });
    const id = await sent(engine, 3);
    const all = Array.from({ length: 30 }, (_, n) => receipt(`${id}.${n % 3}`, 'delivered'));
    await Promise.all(all.map((one, n) => report(n % 2 === 0 ? engine : other, one)));
    expect((await engine.getBatch(id)).counts).toMatchObject({ succeeded: 3, unknown: 0 });
    expect((await logOf()).filter((entry) => entry === '1 resolved')).toHaveLength(1);
  });

  it('that a person settled as failed stays so', async () => {
    const engine = await world.started({ plugins: [careful({ process: () => unknown('timeout') })] });
    const id = await sent(engine);
    await engine.resolveJob(`${id}.0`, 'failed');
    await report(engine, receipt(`${id}.0`, 'delivered'));
    expect(await engine.getJob(`${id}.0`)).toMatchObject({ state: 'failed', delivery: 'delivered' });
  });

  it('is settled the same in whatever order receipts and outcomes come', async () => {
    const kinds = ['delivered', 'opened', 'bounced', 'queued'] as const;
    const mail = careful({
      process: () => unknown('timeout'),
      module: { receipts: [{ kind: 'queued', precedence: 5 }] },
    });
    const engine = await world.started({ plugins: [mail] });
    const steps = fc.array(
      fc.record({
        kind: fc.constantFrom(...kinds),
        seq: fc.nat(3),
        again: fc.boolean(),
        split: fc.boolean(),
      }),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(12), async (list, before) => {
        const { id } = await engine.submit({ type: 'mail', jobs: numbered(4) });
        const all = list.flatMap(({ kind, seq, again }) => {
          const one = receipt(`${id}.${seq}`, kind);
          return again ? [one, one] : [one];
        });
        // Some while the batch is under way, some at once with others, some in the end.
        const early = all.slice(0, before).map((one) => report(engine, one));
        await ended(engine, id);
        const late = all.slice(before).map((one) => report(engine, one));
        await Promise.all([...early, ...late]);
        const proven = new Set(list.filter(({ kind }) => kind !== 'queued').map(({ seq }) => seq));
        await until('the settling', async () => {
          return (await engine.getBatch(id)).counts.succeeded === proven.size;
        });
        expect((await engine.getBatch(id)).counts).toMatchObject({
          total: 4,
          succeeded: proven.size,
          unknown: 4 - proven.size,
        });
        for (const job of (await engine.listJobs(id)).items) {
          const own = list.filter(({ seq }) => seq === job.seq).map(({ kind }) => kind);
          const wanted = (['bounced', 'opened', 'delivered', 'queued'] as const).find((kind) =>
            own.includes(kind),
          );
          expect(job).toMatchObject({
            state: proven.has(job.seq) ? 'succeeded' : 'unknown',
            delivery: wanted ?? null,
          });
        }
        expect(await world.problems()).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });
});

describe('receipts that a session reports by itself', () => {
  function reporting(contexts: OpenContext[]): FakeOptions['provider'] {
    return {
      open: (_credentials: never, context: OpenContext) => {
        contexts.push(context);
        return { process: () => succeeded() };
      },
    };
  }

  it('are recorded like those of a callback', async () => {
    const contexts: OpenContext[] = [];
    const engine = await world.started({ plugins: [fake({ provider: reporting(contexts) ?? {} })] });
    const id = await sent(engine, 2);
    contexts[0]?.report({ events: [receipt(`${id}.0`, 'delivered'), receipt(`${id}.1`, 'opened')] });
    await until('the receipts', async () => (await engine.getJob(`${id}.1`)).delivery === 'opened');
    expect((await engine.getJob(`${id}.0`)).delivery).toBe('delivered');
  });

  it('are written before the engine has stopped', async () => {
    const contexts: OpenContext[] = [];
    const engine = await world.started({ plugins: [fake({ provider: reporting(contexts) ?? {} })] });
    const id = await sent(engine, 200);
    for (let seq = 0; seq < 200; seq++) {
      contexts[0]?.report({ events: [receipt(`${id}.${seq}`, 'delivered')] });
    }
    await engine.stop();
    const [{ n }] = await world.sql(
      `SELECT count(*)::int AS n FROM batchsender.job_events WHERE kind = 'delivered'`,
    );
    expect(n).toBe(200);
  });

  it('are tried again while the database does not answer, and recorded once', async () => {
    const proxy = await chaosProxy(world.url);
    proxies.push(proxy);
    const contexts: OpenContext[] = [];
    const mail = fake({ provider: reporting(contexts) ?? {} });
    const engine = await world.started({ plugins: [mail], database: proxy.url });
    const id = await sent(engine);
    proxy.loseReplies(['bs_receipts', 'COMMIT'], 3);
    contexts[0]?.report({ events: [receipt(`${id}.0`, 'delivered')] });
    await until('the losses', () => proxy.lost === 3);
    await until('the receipt', async () => (await logOf()).includes('1 delivered'));
    await engine.stop();
    expect(await logOf()).toEqual(['1 succeeded', '1 delivered']);
  });
});
