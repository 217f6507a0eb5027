import {
  type Blocked,
  blocked,
  callError,
  classifyNetworkError,
  type guardedAgent,
  parseJson,
  readText,
} from '@batchsender/core/plugin';

/** Connections that obey the network policy. */
export type Pool = ReturnType<typeof guardedAgent>;

/** An answer of a provider's API. */
export interface JsonAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** With lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Undefined if the answer is not JSON, which has no such value. */
  readonly body: unknown;
}

/** A request to a provider's API; with a body it is a POST, else a GET. */
export interface JsonRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

/** Bytes of an answer that are read. Answers about 500 messages have some 150,000. */
const ANSWER_LIMIT = 4_000_000;

/** Some APIs refuse calls without it. */
const USER_AGENT = 'BatchSender';

/**
 * Makes one call of a JSON API, once. Where the connection's settings lead nowhere (a forbidden
 * address, a certificate that nobody should trust), the connection is blocked: no job is at fault.
 *
 * It does without `fetch`, whose streams took a tenth of the time of a call with 100 messages.
 * @throws NotSentError or LostCallError if there is no complete answer: the guarantee decides.
 */
export async function exchangeJson(
  pool: Pool,
  { url, headers, body, signal }: JsonRequest,
): Promise<JsonAnswer | Blocked> {
  try {
    const { origin, pathname, search } = new URL(url);
    const response = await pool.request({
      origin,
      path: pathname + search,
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'application/json',
        'user-agent': USER_AGENT,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      signal,
      // The signal has the deadline of the call.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const text = await readText(response.body, ANSWER_LIMIT);
    // What is longer is no answer of theirs.
    const answer = text === undefined ? undefined : parseJson(text);
    return { kind: 'answer', status: response.statusCode, headers: response.headers, body: answer };
  } catch (error) {
    const { permanent, code, message } = classifyNetworkError(error);
    if (permanent || code === 'tls_certificate') return blocked(code, { message });
    throw callError(error);
  }
}
