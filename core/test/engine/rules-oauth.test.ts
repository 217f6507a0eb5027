import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/api.ts';
import { ended, testWorld, until, type WorldEngineOptions } from '../helpers/engine-world.ts';
import { CLIENT, type OAuthServer, oauthServer } from '../helpers/oauth-server.ts';
import { parcels, testKey, type Vendor, vendor } from '../helpers/vendor-plugin.ts';

const world = testWorld();

let oauth: OAuthServer;
let parcel: Vendor;
beforeEach(async () => {
  oauth = await oauthServer();
  parcel = vendor({
    accepts: oauth.live,
    oauth: {
      authorizationUrl: `${oauth.url}/authorize?app=1`,
      tokenUrl: () => `${oauth.url}/token`,
      scopes: ['parcels.read', 'parcels.write'],
      parameters: { prompt: 'consent' },
      fields: ({ account }) => (account === undefined ? {} : { account }),
    },
  });
});
afterEach(() => oauth.close());

const options = (): WorldEngineOptions => ({
  plugins: [parcel],
  secretKeys: { current: testKey('a') },
  allowNetworks: ['127.0.0.0/8'],
  publicUrl: 'https://batchsender.example/base/',
  // Several chunks a batch, so that several engines work on it.
  tuning: { chunkSize: 5 },
});

const start = (): Promise<Engine> => world.started(options());

const create = (engine: Engine, name = 'main') =>
  engine.connections.create({ type: 'parcel', provider: 'cloud', name, credentials: CLIENT });

/** The parameters with which a person comes back. */
async function visit(url: string, answer?: 'grant' | 'deny') {
  const { searchParams } = await oauth.visit(url, answer);
  return Object.fromEntries(searchParams) as { state: string; code?: string; error?: string };
}

async function grant(engine: Engine, id: string): Promise<void> {
  const { url } = await engine.connections.authorize(id);
  await engine.connections.completeAuthorization(await visit(url));
}

const send = async (engine: Engine, count = 5): Promise<string> =>
  (await engine.submit({ type: 'parcel', connection: 'main', jobs: parcels(count) })).id;

describe('a grant', () => {
  it('turns a connection that waits for it into one that works, by a code, PKCE and a state', async () => {
    const engine = await start();
    const made = await create(engine);
    expect(made).toMatchObject({ state: 'blocked', code: 'not_authorized' });
    const batchId = await send(engine);
    expect((await engine.getBatch(batchId)).blocked?.code).toBe('not_authorized');
    await expect(engine.connections.unblock(made.id)).rejects.toMatchObject({
      code: 'connection_not_authorized',
    });

    expect(await engine.connections.test(made.id)).toMatchObject({ ok: false, code: 'not_authorized' });
    const { url } = await engine.connections.authorize(made.id);
    const { searchParams: query } = new URL(url);
    expect(Object.fromEntries(query)).toMatchObject({
      app: '1',
      prompt: 'consent',
      scope: 'parcels.read parcels.write',
      redirect_uri: 'https://batchsender.example/base/v1/oauth/callback',
    });
    const end = await engine.connections.completeAuthorization(await visit(url));
    expect(end).toEqual({ connectionId: made.id, returnUrl: undefined });
    expect(await engine.connections.get(made.id)).toMatchObject({
      state: 'ok',
      credentials: { clientId: CLIENT.clientId, account: 'acme' },
      secrets: ['/clientSecret', '/accessToken', '/refreshToken'],
    });
    expect((await ended(engine, batchId)).counts.succeeded).toBe(5);
    const [{ text }] = await world.sql(
      `SELECT string_agg(c::text, ' ') AS text FROM batchsender.connections AS c`,
    );
    for (const token of oauth.live) expect(text).not.toContain(token);
  });

  it('is good once, and neither for an unknown state nor after ten minutes', async () => {
    const engine = await start();
    const { id } = await create(engine);
    const invalid = { code: 'oauth_state_invalid' };
    const end = (answer: { state: string; code?: string }) =>
      engine.connections.completeAuthorization(answer);
    const first = await visit((await engine.connections.authorize(id)).url);
    await end(first);
    await expect(end(first)).rejects.toMatchObject(invalid);
    await expect(end({ state: 'made-up', code: 'x' })).rejects.toMatchObject(invalid);
    const late = await visit((await engine.connections.authorize(id)).url);
    await world.sql(`UPDATE batchsender.grant_requests SET expires_at = expires_at - interval '10 minutes'`);
    await expect(end(late)).rejects.toMatchObject(invalid);
    // The states themselves are not stored.
    const { state } = await visit((await engine.connections.authorize(id)).url);
    const [{ text }] = await world.sql(
      'SELECT g::text AS text FROM batchsender.grant_requests AS g WHERE expires_at > now()',
    );
    expect(text).not.toContain(state);
  });

  it('is refused for the code of another grant: its PKCE verifier does not fit', async () => {
    const engine = await start();
    const [one, two] = [await create(engine, 'one'), await create(engine, 'two')];
    const first = await visit((await engine.connections.authorize(one.id)).url);
    const second = await visit((await engine.connections.authorize(two.id)).url);
    const swapped = engine.connections.completeAuthorization({ ...first, code: second.code as string });
    await expect(swapped).rejects.toMatchObject({
      code: 'oauth_refused',
      message: expect.stringContaining('invalid_grant'),
    });
    expect((await engine.connections.get(one.id)).code).toBe('not_authorized');
  });

  it('that a person refuses, or the token endpoint does not grant, is told at the return URL', async () => {
    const engine = await start();
    const { id } = await create(engine);
    const returnUrl = 'https://app.example/settings?tab=2';
    const begin = () => engine.connections.authorize(id, { returnUrl });
    const end = async (answer?: 'deny') =>
      (await engine.connections.completeAuthorization(await visit((await begin()).url, answer))).returnUrl;
    expect(await end('deny')).toBe(`${returnUrl}&connection=${id}&error=access_denied`);
    oauth.mode = 'down';
    expect(await end()).toBe(`${returnUrl}&connection=${id}&error=token_endpoint_failed`);
    oauth.mode = 'malformed';
    expect(await end()).toBe(`${returnUrl}&connection=${id}&error=token_endpoint_failed`);
    oauth.mode = 'endless';
    expect(await end()).toBe(`${returnUrl}&connection=${id}&error=token_endpoint_failed`);
    oauth.mode = 'refuse-client';
    expect(await end()).toBe(`${returnUrl}&connection=${id}&error=invalid_client`);
    expect((await engine.connections.get(id)).code).toBe('not_authorized');
    oauth.mode = 'normal';
    expect(await end()).toBe(`${returnUrl}&connection=${id}`);
    expect((await engine.connections.get(id)).state).toBe('ok');
  });

  it('needs a public URL, a provider that has OAuth, and a return URL of the web', async () => {
    const { publicUrl: _none, ...hidden } = options();
    const engine = await world.started(hidden);
    const { id } = await create(engine);
    await expect(engine.connections.authorize(id)).rejects.toMatchObject({ code: 'public_url_missing' });
    const plain = await engine.connections.create({
      type: 'parcel',
      provider: 'vendor',
      name: 'plain',
      credentials: { host: 'h', password: 'word' },
    });
    const open = await start();
    await expect(open.connections.authorize(plain.id)).rejects.toMatchObject({ code: 'oauth_unsupported' });
    for (const returnUrl of ['javascript:alert(1)', '/settings', 'https://me:pw@app.example']) {
      await expect(open.connections.authorize(id, { returnUrl })).rejects.toMatchObject({
        code: 'invalid_connection',
        problems: [{ path: '/returnUrl' }],
      });
    }
  });
});

describe('tokens', () => {
  it('are refreshed in time, by one of many processes, while all of them work', async () => {
    oauth.lifeS = 2;
    // So long that others find the tokens due meanwhile.
    oauth.delayMs = 200;
    const engines = await Promise.all([start(), start(), start()]);
    const [engine] = engines as [Engine, ...Engine[]];
    const { id } = await create(engine);
    await grant(engine, id);
    parcel.callMs = 30;
    const batchId = await send(engine, 300);
    expect((await ended(engine, batchId)).counts).toMatchObject({ succeeded: 300, failed: 0, unknown: 0 });
    await until('three refreshes', () => oauth.refreshes >= 3);
    // A refresh token that came twice would have ended the grant.
    expect(oauth.reused).toBe(false);
    expect((await engine.connections.get(id)).state).toBe('ok');
  });

  it('are refreshed by housekeeping where nobody uses them, and keep a refresh token that is not replaced', async () => {
    const engine = await start();
    const { id } = await create(engine);
    await grant(engine, id);
    oauth.mode = 'silent-about-refresh';
    for (const times of [1, 2]) {
      await world.sql('UPDATE batchsender.connection_tokens SET refresh_at = now()');
      await until(`refresh ${times}`, () => oauth.refreshes === times);
    }
    await until(
      'the end of it',
      async () => (await world.sql('SELECT version FROM batchsender.connections'))[0].version === 4,
    );
  });

  it('whose refresh fails for a while block nothing while the old ones live', async () => {
    const engine = await start();
    const { id } = await create(engine);
    await grant(engine, id);
    oauth.mode = 'down';
    await world.sql('UPDATE batchsender.connection_tokens SET refresh_at = now()');
    expect((await ended(engine, await send(engine))).counts.succeeded).toBe(5);
    await until(
      'a failure',
      async () => (await world.sql('SELECT failures FROM batchsender.connection_tokens'))[0].failures >= 1,
    );
    expect((await engine.connections.get(id)).state).toBe('ok');
    oauth.mode = 'normal';
    await world.sql('UPDATE batchsender.connection_tokens SET refresh_at = now()');
    await until(
      'the refresh',
      async () => (await world.sql('SELECT failures FROM batchsender.connection_tokens'))[0].failures === 0,
    );
    expect(oauth.refreshes).toBe(1);
  });

  it('that have ended are not used; what waits goes on when there are others', async () => {
    const engine = await start();
    const { id } = await create(engine);
    await grant(engine, id);
    oauth.mode = 'down';
    oauth.live.clear();
    await world.sql('UPDATE batchsender.connection_tokens SET refresh_at = now(), expires_at = now()');
    const batchId = await send(engine);
    await until(
      'a failure',
      async () => (await world.sql('SELECT failures FROM batchsender.connection_tokens'))[0].failures > 0,
    );
    await until('that all wait', async () => (await engine.getBatch(batchId)).counts.waiting === 5);
    expect((await engine.getBatch(batchId)).blocked).toBeNull();
    expect(parcel.calls).toEqual([]);
    oauth.mode = 'normal';
    await world.sql('UPDATE batchsender.connection_tokens SET refresh_at = now()');
    expect((await ended(engine, batchId)).counts).toMatchObject({ succeeded: 5, failed: 0 });
  });

  it('E18: whose grant was revoked block the connection, until access is granted again', async () => {
    const engine = await start();
    const { id } = await create(engine);
    await grant(engine, id);
    expect((await ended(engine, await send(engine))).counts.succeeded).toBe(5);
    oauth.revoke();
    const batchId = await send(engine);
    const block = await until('the block', async () => (await engine.getBatch(batchId)).blocked);
    expect(block.code).toBe('grant_revoked');
    expect(block.message).toContain('/authorize');
    await grant(engine, id);
    expect((await ended(engine, batchId)).counts).toMatchObject({ succeeded: 5, failed: 0, unknown: 0 });
  });

  it('E18: that the provider refuses are refreshed first, once; then it blocks', async () => {
    const engine = await start();
    const { id } = await create(engine);
    await grant(engine, id);
    oauth.live.clear();
    const batchId = await send(engine);
    expect((await ended(engine, batchId)).counts).toMatchObject({ succeeded: 5, failed: 0, unknown: 0 });
    expect(oauth.refreshes).toBe(1);
    expect((await engine.connections.get(id)).state).toBe('ok');

    oauth.live.clear();
    const next = await send(engine);
    const block = await until('the block', async () => (await engine.getBatch(next)).blocked);
    expect(block).toMatchObject({ code: 'bad_password', message: 'The password [redacted] is wrong' });
    expect(oauth.refreshes).toBe(1);
  });

  it('that are about to end are refreshed before a test', async () => {
    const engine = await start();
    const { id } = await create(engine);
    await grant(engine, id);
    await engine.stop();
    const other = world.engine(options());
    await world.sql('UPDATE batchsender.connection_tokens SET refresh_at = now(), expires_at = now()');
    expect(await other.connections.test(id)).toMatchObject({ ok: true });
    expect(oauth.refreshes).toBe(1);
    expect(oauth.live.has(parcel.open.at(-1) ?? '')).toBe(true);
  });
});
