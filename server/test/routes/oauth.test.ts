import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLIENT, type OAuthServer, oauthServer } from '../../../core/test/helpers/oauth-server.ts';
import { testKey, vendor } from '../../../core/test/helpers/vendor-plugin.ts';
import { startApp, type TestApp } from '../helpers/app.ts';

let oauth: OAuthServer;
let server: TestApp;
beforeAll(async () => {
  oauth = await oauthServer();
  const parcel = vendor({
    accepts: oauth.live,
    oauth: { authorizationUrl: `${oauth.url}/authorize`, tokenUrl: `${oauth.url}/token`, scopes: ['all'] },
  });
  server = await startApp({
    plugins: [parcel.plugin],
    secretKeys: { current: testKey('a') },
    allowNetworks: ['127.0.0.0/8'],
    publicUrl: 'https://batchsender.example',
  });
});
afterAll(async () => {
  await server.stop();
  await oauth.close();
});

async function begin(name: string, returnUrl?: string): Promise<{ id: string; url: string }> {
  const { id } = (
    await server.api('/v1/connections', { type: 'parcel', provider: 'cloud', name, credentials: CLIENT })
  ).body;
  const { body } = await server.api(
    `/v1/connections/${id}/authorize`,
    returnUrl === undefined ? {} : { returnUrl },
  );
  return { id, url: body.url };
}

/** The person's browser, on its way back: without an API key. */
async function comeBack(url: string, answer?: 'deny'): Promise<Response> {
  const back = await oauth.visit(url, answer);
  expect(back.origin + back.pathname).toBe('https://batchsender.example/v1/oauth/callback');
  return fetch(`${server.url}${back.pathname}${back.search}`, { redirect: 'manual' });
}

const codeOf = async (answer: Response): Promise<unknown> =>
  ((await answer.json()) as { code?: unknown }).code;

test('a person grants access in the browser, and is sent to the return URL', async () => {
  const { id, url } = await begin('main', 'https://app.example/done');
  const answer = await comeBack(url);
  expect([answer.status, answer.headers.get('location')]).toEqual([
    303,
    `https://app.example/done?connection=${id}`,
  ]);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
  expect((await server.api(`/v1/connections/${id}`)).body).toMatchObject({ state: 'ok' });
});

test('without a return URL there is a page of one line', async () => {
  const answer = await comeBack((await begin('page')).url);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
  expect(await answer.text()).toMatch(/^Access was granted/);
});

test('a refusal, and a state that is not known, are problems that say nothing of the request', async () => {
  const denied = await comeBack((await begin('denied')).url, 'deny');
  expect([denied.status, await codeOf(denied)]).toEqual([502, 'oauth_refused']);
  const unknown = await fetch(`${server.url}/v1/oauth/callback?state=canary-state&code=canary-code`);
  const text = await unknown.text();
  expect([unknown.status, JSON.parse(text).code]).toEqual([400, 'oauth_state_invalid']);
  expect(text + server.log()).not.toMatch(/canary-(state|code)/);
  const none = await fetch(`${server.url}/v1/oauth/callback`);
  expect([none.status, await codeOf(none)]).toEqual([400, 'invalid_query']);
});

test('a default connection cannot be granted access', async () => {
  await server.api('/v1/jobs', { type: 'parcel', provider: 'sandbox', payload: { n: 1 } });
  const { status, body } = await server.api('/v1/connections/parcel.sandbox/authorize', {});
  expect([status, body.code]).toEqual([409, 'connection_is_default']);
});
