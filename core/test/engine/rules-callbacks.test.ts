import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/api.ts';
import type { IncomingCallback } from '../../src/engine/callbacks.ts';
import { type CallbackContext, type CallbackRequest, callbackRefused } from '../../src/plugin/index.ts';
import { ended, testWorld } from '../helpers/engine-world.ts';
import { type Fake, type FakeOptions, fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

type Handle = (request: CallbackRequest, context: CallbackContext<never>) => never;

/** A provider whose callbacks do what the test says. */
const answering = (handle: (...args: Parameters<Handle>) => unknown, options: FakeOptions = {}): Fake =>
  fake({ ...options, provider: { ...options.provider, callbacks: { handle: handle as Handle } } });

const TARGET = { type: 'mail', provider: 'fake', connectionId: 'mail.fake' };

const incoming = (more: Partial<IncomingCallback> = {}): IncomingCallback => ({
  method: 'POST',
  path: '/v1/callbacks/mail/fake/mail.fake',
  headers: { host: 'localhost:3000' },
  body: new Uint8Array(),
  ...more,
});

async function sent(engine: Engine): Promise<string> {
  const { id } = await engine.submit({ type: 'mail', jobs: numbered(1) });
  await ended(engine, id);
  return id;
}

describe('a callback', () => {
  it('is handed to its provider with the credentials, and recorded before it is answered', async () => {
    const seen: CallbackContext<never>[] = [];
    const response = { status: 200, headers: { 'content-type': 'text/xml' }, body: '<ok/>' };
    const mail = answering((request, context) => {
      seen.push(context);
      const jobId = Buffer.from(request.body).toString();
      return { events: [{ jobId, kind: 'delivered', eventId: 'e1' }], response };
    });
    const engine = await world.started({ plugins: [mail], credentials: () => ({ token: 'secret' }) });
    const id = await sent(engine);
    expect(await engine.callback(TARGET, incoming({ body: Buffer.from(`${id}.0`) }))).toEqual(response);
    expect((await engine.getJob(`${id}.0`)).delivery).toBe('delivered');
    expect(seen[0]).toMatchObject({ credentials: { token: 'secret' }, connectionId: 'mail.fake' });
  });

  it('is answered by 204 if the provider says nothing', async () => {
    const engine = world.engine({ plugins: [answering(() => ({ events: [] }))] });
    expect(await engine.callback(TARGET, incoming())).toEqual({ status: 204 });
  });

  it('has the address that the provider called: the public one, with the whole query', async () => {
    const urls: string[] = [];
    const mail = answering(({ url }) => {
      urls.push(url.href);
      return { events: [] };
    });
    const path = '/v1/callbacks/mail/fake/mail.fake?job=a%2Fb&x=1&x=2';
    const behind = world.engine({ plugins: [mail], publicUrl: 'https://send.example/batch/' });
    await behind.callback(TARGET, incoming({ path }));
    const direct = world.engine({ plugins: [mail] });
    await direct.callback(TARGET, incoming({ path }));
    expect(urls).toEqual([`https://send.example/batch${path}`, `http://localhost:3000${path}`]);
  });

  it.each([
    [401, 'callback_refused'],
    [400, 'callback_invalid'],
  ] as const)('that is refused with %i is told in the audit log', async (status, code) => {
    const mail = answering(() => {
      throw callbackRefused(status, 'invalid_signature', 'The signature is wrong');
    });
    const engine = world.engine({ plugins: [mail] });
    await expect(engine.callback(TARGET, incoming())).rejects.toMatchObject({
      code,
      message: 'The signature is wrong',
    });
    await engine.stop();
    expect(
      await world.sql('SELECT tenant_id, action, actor, target, count, data FROM batchsender.audit_log'),
    ).toEqual([
      {
        tenant_id: 'default',
        action: 'callback.refused',
        actor: 'provider',
        target: 'mail.fake',
        count: 1,
        data: { code: 'invalid_signature', message: 'The signature is wrong' },
      },
    ]);
  });

  it('that is refused a thousand times in a minute makes one entry with a count', async () => {
    const mail = answering(({ url }) => {
      throw callbackRefused(401, url.search === '' ? 'missing' : 'stale', 'no');
    });
    const engine = world.engine({ plugins: [mail] });
    const refused = (path: string) => engine.callback(TARGET, incoming({ path })).catch(() => undefined);
    await Promise.all(Array.from({ length: 1_000 }, () => refused('/')));
    await refused('/?old');
    await engine.stop();
    expect(await world.sql('SELECT count, data FROM batchsender.audit_log ORDER BY count')).toEqual([
      { count: 1, data: { code: 'stale', message: 'no' } },
      { count: 1_000, data: { code: 'missing', message: 'no' } },
    ]);
  });

  it('whose handler fails is the fault of the plugin, and no word of the body is told', async () => {
    const mail = answering(({ body }) => JSON.parse(Buffer.from(body).toString()));
    const engine = world.engine({ plugins: [mail] });
    const body = Buffer.from('ann@example.com is the secret');
    const error = await engine.callback(TARGET, incoming({ body })).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: expect.stringMatching(/^Plugin plugin-fake: .+SyntaxError at /) });
    expect(JSON.stringify([error, (error as Error).stack])).not.toMatch(/ann|secret/);
    expect(error).not.toHaveProperty('code');
    expect(world.log).toMatchObject([
      { level: 'error', fields: { provider: 'mail.fake', threw: 'SyntaxError' } },
    ]);
    expect(JSON.stringify(world.log)).not.toMatch(/ann|secret/);
  });

  it.each([
    ['an unknown connection', { ...TARGET, connectionId: 'mail.none' }],
    ['a connection of another provider', { ...TARGET, connectionId: 'other.fake' }],
    ['another type', { ...TARGET, type: 'other' }],
    ['a provider without callbacks', { type: 'other', provider: 'fake', connectionId: 'other.fake' }],
    ['strange names', { type: '__proto__', provider: 'constructor', connectionId: '__proto__.constructor' }],
  ])('for %s is not found', async (_name, target) => {
    const engine = world.engine({ plugins: [answering(() => ({ events: [] })), fake({ type: 'other' })] });
    await expect(engine.callback(target, incoming())).rejects.toMatchObject({ code: 'callback_not_found' });
  });

  it('whose answer is no answer is an error, not a success', async () => {
    const engine = world.engine({ plugins: [answering(() => undefined)] });
    await expect(engine.callback(TARGET, incoming())).rejects.toThrow(/callbacks\.handle/);
  });

  it('whose events are malformed keeps what can be kept', async () => {
    const events: unknown[] = [];
    const engine = await world.started({ plugins: [answering(() => ({ events }))] });
    const jobId = `${await sent(engine)}.0`;
    events.push(
      null,
      7,
      {},
      { jobId },
      { jobId, kind: 'delivered' },
      { jobId, kind: 'delivered', eventId: '' },
    );
    events.push({ jobId, kind: 'opened', eventId: 'e', at: new Date(Number.NaN), data: 'text' });
    await engine.callback(TARGET, incoming());
    expect((await engine.getJob(jobId)).events.map(({ kind, data }) => [kind, data])).toEqual([
      ['succeeded', null],
      ['opened', null],
    ]);
  });
});
