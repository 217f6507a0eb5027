import { AsyncLocalStorage } from 'node:async_hooks';
import { guardedAgent, type NetworkPolicy, parseRetryAfter } from '@batchsender/core/plugin';
import type { Twilio } from 'twilio';
import { readObject } from '../read-text.ts';
import type { TwilioCredentials } from './credentials.ts';

/** What Twilio answered to one call. */
export interface TwilioAnswer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
}

/** One call of the client, as its transport sees it. */
interface Exchange {
  readonly signal: AbortSignal;
  answer: TwilioAnswer | undefined;
}

/** How a call of the client ended. `answer` is undefined if none came. */
export type Outcome<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'error'; readonly error: unknown; readonly answer: TwilioAnswer | undefined };

/** Twilio's client on the host's guarded connections. */
export interface TwilioConnection {
  /** Makes one call, which ends with the signal. Never rejects. */
  call<T>(signal: AbortSignal, use: (client: Twilio) => Promise<T>): Promise<Outcome<T>>;
  close(): Promise<void>;
}

interface Login {
  readonly username: string;
  readonly password: string;
}

/** Loads Twilio's client, which takes 30 MB, and gives it a transport that never repeats a call. */
export async function connect(
  credentials: TwilioCredentials,
  { username, password }: Login,
  network: NetworkPolicy,
  connections: number,
): Promise<TwilioConnection> {
  const { default: twilio } = await import('twilio');
  const pool = guardedAgent(network, { connections });
  // The client's transport has no argument for a signal.
  const exchanges = new AsyncLocalStorage<Exchange>();
  const { accountSid, edge, region, baseUrl } = credentials;
  const httpClient = { request: transport(pool, exchanges, baseUrl) };
  const client = twilio(username, password, {
    accountSid,
    ...(edge === undefined ? {} : { edge }),
    ...(region === undefined ? {} : { region }),
    // Of the class that it names, the client calls this one method.
    httpClient: httpClient as unknown as NonNullable<ClientOptions['httpClient']>,
  });
  return {
    async call(signal, use) {
      const exchange: Exchange = { signal, answer: undefined };
      try {
        return { kind: 'value', value: await exchanges.run(exchange, () => use(client)) };
      } catch (error) {
        return { kind: 'error', error, answer: exchange.answer };
      }
    },
    close: () => pool.destroy(),
  };
}

type ClientOptions = NonNullable<ConstructorParameters<typeof Twilio>[2]>;
type Pool = ReturnType<typeof guardedAgent>;

/** What the client asks of its transport. */
interface ClientRequest {
  readonly method: string;
  readonly uri: string;
  readonly username: string;
  readonly password: string;
  readonly headers: Record<string, string>;
  readonly params?: Record<string, string>;
  readonly data?: Record<string, string>;
}

function transport(pool: Pool, exchanges: AsyncLocalStorage<Exchange>, baseUrl: string | undefined) {
  return async (request: ClientRequest): Promise<{ statusCode: number; body: unknown; headers: object }> => {
    const exchange = exchanges.getStore();
    const { origin, path } = placeOf(request, baseUrl);
    const login = Buffer.from(`${request.username}:${request.password}`).toString('base64');
    const { statusCode, headers, body } = await pool.request({
      origin,
      path,
      method: request.method.toUpperCase() as 'GET' | 'POST',
      headers: { ...request.headers, authorization: `Basic ${login}` },
      ...(request.data === undefined ? {} : { body: new URLSearchParams(request.data).toString() }),
      ...(exchange === undefined ? {} : { signal: exchange.signal }),
      // The signal is the deadline.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const answer = await readObject(body);
    const retryAfter = headers['retry-after'];
    if (exchange !== undefined) {
      exchange.answer = {
        status: statusCode,
        retryAfterMs: parseRetryAfter(typeof retryAfter === 'string' ? retryAfter : undefined, Date.now()),
      };
    }
    return { statusCode, headers, body: answer };
  };
}

function placeOf(
  { uri, params }: ClientRequest,
  baseUrl: string | undefined,
): { origin: string; path: string } {
  const url = new URL(uri);
  for (const [name, value] of Object.entries(params ?? {})) url.searchParams.set(name, value);
  if (baseUrl === undefined) return { origin: url.origin, path: url.pathname + url.search };
  const base = new URL(baseUrl);
  return { origin: base.origin, path: base.pathname.replace(/\/$/, '') + url.pathname + url.search };
}
