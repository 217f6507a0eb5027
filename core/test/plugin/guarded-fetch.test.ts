import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classifyNetworkError, guardedFetch } from '../../src/plugin/index.ts';
import { type HttpReceiver, httpReceiver } from '../helpers/http-receiver.ts';

let target: HttpReceiver;
let redirecting: HttpReceiver;
const seen: (string | undefined)[][] = [];

beforeAll(async () => {
  target = await httpReceiver((request, response) => {
    const { authorization, cookie } = request.headers;
    seen.push([authorization, cookie, request.headers['x-trace'] as string | undefined]);
    response.end('arrived');
  });
  redirecting = await httpReceiver((request, response) => {
    response.writeHead(307, { location: decodeURIComponent(request.url?.slice(1) ?? '') }).end();
  });
});
afterAll(() => Promise.all([target.close(), redirecting.close()]));

const through = (url: string) => `${redirecting.url}/${encodeURIComponent(url)}`;
const fetchLocal = guardedFetch({ allow: ['127.0.0.1'] });

describe('guardedFetch', () => {
  it('refuses an address that is not public, as an error that can be classified', async () => {
    const error = await guardedFetch({ allow: [] })(target.url).catch((thrown: unknown) => thrown);
    expect(classifyNetworkError(error)).toMatchObject({
      code: 'address_not_allowed',
      permanent: true,
      notSent: true,
    });
  });

  it('follows no redirect unless asked', async () => {
    const answer = await fetchLocal(through(target.url));
    expect(answer.status).toBe(307);
    expect(answer.headers.get('location')).toBe(target.url);
  });

  it('follows a redirect when asked, without credentials for another origin', async () => {
    seen.length = 0;
    const answer = await fetchLocal(through(target.url), {
      redirect: 'follow',
      headers: { authorization: 'Bearer secret', cookie: 'a=b', 'x-trace': 'kept' },
    });
    expect(await answer.text()).toBe('arrived');
    expect(seen).toEqual([[undefined, undefined, 'kept']]);
  });

  it.each(['http://10.0.0.1/', 'http://[::1]:8099/', 'http://0x0a000001/', 'http://[64:ff9b::a00:1]/'])(
    'follows no redirect to %s',
    async (place) => {
      const error = await fetchLocal(through(place), { redirect: 'follow' }).catch(
        (thrown: unknown) => thrown,
      );
      expect(classifyNetworkError(error).code).toBe('address_not_allowed');
    },
  );

  it('follows no redirect to another scheme', async () => {
    await expect(fetchLocal(through('file:///etc/passwd'), { redirect: 'follow' })).rejects.toThrow(
      TypeError,
    );
  });
});
