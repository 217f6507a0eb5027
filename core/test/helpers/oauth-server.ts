import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export const CLIENT = { clientId: 'client-1', clientSecret: 'client-secret-1' };

interface Code {
  readonly challenge: string;
  readonly redirectUri: string;
}

/** An authorization server with PKCE and rotated refresh tokens, after RFC 6749, 7636 and 9700. */
export interface OAuthServer {
  readonly url: string;
  /** Access tokens that are good. */
  readonly live: Set<string>;
  /** Refreshes that were answered with tokens. */
  refreshes: number;
  /** A refresh token was used twice: then it revokes all, as RFC 9700 (section 4.14.2) asks for. */
  reused: boolean;
  /** Seconds that access tokens live; undefined: the answer does not say. */
  lifeS: number | undefined;
  /** How long the token endpoint takes. Default 0. */
  delayMs: number;
  /** What the token endpoint does. */
  mode: 'normal' | 'down' | 'malformed' | 'endless' | 'refuse-client' | 'silent-about-refresh';
  /** Ends all grants. */
  revoke(): void;
  /** A person grants access, or refuses: answers where they are sent. */
  visit(url: string, answer?: 'grant' | 'deny'): Promise<URL>;
  close(): Promise<void>;
}

export async function oauthServer(): Promise<OAuthServer> {
  const codes = new Map<string, Code>();
  const refreshTokens = new Set<string>();
  const used = new Set<string>();
  const fresh = (kind: string): string => `${kind}-${randomBytes(8).toString('hex')}`;

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://oauth');
    if (url.pathname === '/authorize') authorize(url, response);
    else void token(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const state: OAuthServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    live: new Set(),
    refreshes: 0,
    reused: false,
    lifeS: 3_600,
    delayMs: 0,
    mode: 'normal',
    revoke() {
      refreshTokens.clear();
      state.live.clear();
    },
    async visit(url, answer = 'grant') {
      const at = new URL(url);
      if (answer === 'deny') at.searchParams.set('deny', '1');
      const response = await fetch(at, { redirect: 'manual' });
      const location = response.headers.get('location');
      if (location === null) throw new Error(`no redirect: ${response.status} ${await response.text()}`);
      return new URL(location);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  function authorize({ searchParams: query }: URL, response: ServerResponse): void {
    const wanted = { response_type: 'code', client_id: CLIENT.clientId, code_challenge_method: 'S256' };
    const wrong = Object.entries(wanted).find(([name, value]) => query.get(name) !== value);
    const [redirectUri, challenge, given] = ['redirect_uri', 'code_challenge', 'state'].map((name) =>
      query.get(name),
    );
    if (wrong !== undefined || !redirectUri || !challenge || !given) {
      response.writeHead(400).end(`wrong request: ${wrong?.[0] ?? 'a parameter is missing'}`);
      return;
    }
    const to = new URL(redirectUri);
    to.searchParams.set('state', given);
    if (query.has('deny')) to.searchParams.set('error', 'access_denied');
    else {
      const code = fresh('code');
      codes.set(code, { challenge, redirectUri });
      to.searchParams.set('code', code);
    }
    response.writeHead(302, { location: to.href }).end();
  }

  async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (state.mode === 'endless') {
      // Until nobody reads any more.
      Readable.from(endless()).pipe(response.writeHead(200));
      return;
    }
    await sleep(state.delayMs);
    const form = new URLSearchParams(body);
    const [status, answer] = answerTo(request, form);
    response.writeHead(status, { 'content-type': 'application/json' }).end(answer);
  }

  function answerTo(request: IncomingMessage, form: URLSearchParams): [number, string] {
    if (state.mode === 'down') return [503, '<html>later</html>'];
    if (state.mode === 'malformed') return [200, '{"token_type":"bearer"}'];
    const refused = (error: string): [number, string] => [400, JSON.stringify({ error })];
    if (request.headers['content-type'] !== 'application/x-www-form-urlencoded')
      return refused('invalid_request');
    const isClient =
      form.get('client_id') === CLIENT.clientId && form.get('client_secret') === CLIENT.clientSecret;
    if (!isClient || state.mode === 'refuse-client')
      return [401, JSON.stringify({ error: 'invalid_client' })];
    const isGood = form.get('grant_type') === 'refresh_token' ? takeRefreshToken(form) : takeCode(form);
    if (!isGood) return refused('invalid_grant');
    return [200, JSON.stringify(tokens(form.get('grant_type') === 'refresh_token'))];
  }

  function takeCode(form: URLSearchParams): boolean {
    const id = form.get('code') ?? '';
    const code = codes.get(id);
    codes.delete(id);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    return code?.challenge === challenge && code.redirectUri === form.get('redirect_uri');
  }

  function takeRefreshToken(form: URLSearchParams): boolean {
    const given = form.get('refresh_token') ?? '';
    if (used.has(given)) {
      state.reused = true;
      state.revoke();
      return false;
    }
    if (!refreshTokens.has(given)) return false;
    state.refreshes += 1;
    if (state.mode === 'silent-about-refresh') return true;
    refreshTokens.delete(given);
    used.add(given);
    return true;
  }

  function tokens(isRefresh: boolean): object {
    const accessToken = fresh('access');
    state.live.add(accessToken);
    const more = state.lifeS === undefined ? {} : { expires_in: state.lifeS };
    if (isRefresh && state.mode === 'silent-about-refresh') return { access_token: accessToken, ...more };
    const refreshToken = fresh('refresh');
    refreshTokens.add(refreshToken);
    return { access_token: accessToken, refresh_token: refreshToken, ...more, account: 'acme' };
  }

  return state;
}

function* endless(): Generator<string> {
  for (;;) yield 'x'.repeat(65_536);
}
