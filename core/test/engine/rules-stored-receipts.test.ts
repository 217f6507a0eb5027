import { expect, it } from 'vitest';
import type { Engine } from '../../src/engine/api.ts';
import {
  type CallbackRequest,
  callbackRefused,
  defineModule,
  definePlugin,
  defineProvider,
  secret,
  succeeded,
  Type,
} from '../../src/plugin/index.ts';
import { ended, testWorld } from '../helpers/engine-world.ts';
import { testKey } from '../helpers/vendor-plugin.ts';

const world = testWorld();

const Payload = Type.Object({ to: Type.String() });
const Credentials = Type.Object({ token: secret() });

/** A provider whose callbacks are believed by the token of their connection. */
const post = defineProvider({
  title: 'Post',
  payload: Payload,
  credentials: Credentials,
  guarantee: { kind: 'at-most-once' },
  open: () => ({ process: () => succeeded() }),
  callbacks: {
    handle: ({ headers, body }: CallbackRequest, { credentials }) => {
      if (headers['x-token'] !== credentials.token)
        throw callbackRefused(401, 'invalid_signature', 'The token is not that of the connection');
      const jobId = Buffer.from(body).toString();
      return {
        events: [{ jobId, kind: 'bounced', eventId: `bounce of ${jobId}` }],
        suppress: [{ recipient: 'ada', reason: 'bounced' }],
      };
    },
  },
});

const plugin = definePlugin({
  name: 'plugin-letter',
  version: '1.0.0',
  contract: 1,
  modules: [
    defineModule({
      type: 'letter',
      title: 'Letter',
      version: 1,
      payload: Payload,
      recipients: ({ to }) => [to],
      providers: { post },
    }),
  ],
});

const start = (): Promise<Engine> =>
  world.started({ plugins: [{ plugin }], secretKeys: { current: testKey('a') } });

const letters = async (engine: Engine, tenantId: string) => {
  const batch = await engine.submit(
    { type: 'letter', connection: 'main', jobs: [{ to: 'ada' }] },
    { tenantId },
  );
  await ended(engine, batch.id, { tenantId });
  return `${batch.id}.0`;
};

it('a callback is verified by the credentials of its stored connection, and concerns the jobs of its tenant only', async () => {
  const engine = await start();
  const made = (tenantId: string) =>
    engine.connections.create(
      { type: 'letter', provider: 'post', name: 'main', credentials: { token: `token of ${tenantId}` } },
      { tenantId },
    );
  const [ours, theirs] = [await made('a'), await made('b')];
  const [own, foreign] = [await letters(engine, 'a'), await letters(engine, 'b')];
  const call = (token: string, jobId: string, connectionId = ours.id) =>
    engine.callback(
      { type: 'letter', provider: 'post', connectionId },
      { method: 'POST', path: '/', headers: { 'x-token': token }, body: Buffer.from(jobId) },
    );

  await expect(call('token of b', own)).rejects.toMatchObject({ code: 'callback_refused' });
  await expect(call('token of a', own, theirs.id)).rejects.toMatchObject({ code: 'callback_refused' });
  await call('token of a', own);
  await call('token of a', foreign);
  expect((await engine.getJob(own, { tenantId: 'a' })).delivery).toBe('bounced');
  expect((await engine.getJob(foreign, { tenantId: 'b' })).delivery).toBeNull();

  // The suppression is that of the connection's tenant.
  const again = async (tenantId: string) =>
    (await engine.getJob(await letters(engine, tenantId), { tenantId })).state;
  expect([await again('a'), await again('b')]).toEqual(['failed', 'succeeded']);
  const audited = await engine.audit.list({ tenantId: 'a' });
  expect(audited.items.map(({ action }) => action)).toContain('callback.refused');

  // The next token counts at once, as soon as it is stored.
  await engine.connections.update(ours.id, { credentials: { token: 'another' } }, { tenantId: 'a' });
  await expect(call('token of a', own)).rejects.toMatchObject({ code: 'callback_refused' });
  await call('another', own);
});
