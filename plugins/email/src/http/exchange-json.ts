import {
  type Blocked,
  blocked,
  callError,
  classifyNetworkError,
  parseJson,
  readText,
} from '@batchsender/core/plugin';

/** An answer of a provider's API. */
export interface JsonAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: Headers;
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
 * @throws NotSentError or LostCallError if there is no complete answer: the guarantee decides.
 */
export async function exchangeJson(
  fetch: typeof globalThis.fetch,
  { url, headers, body, signal }: JsonRequest,
): Promise<JsonAnswer | Blocked> {
  try {
    const response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'application/json',
        'user-agent': USER_AGENT,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      signal,
    });
    const text = await readText(response.body, ANSWER_LIMIT);
    // What is longer is no answer of theirs.
    const answer = text === undefined ? undefined : parseJson(text);
    return { kind: 'answer', status: response.status, headers: response.headers, body: answer };
  } catch (error) {
    const { permanent, code, message } = classifyNetworkError(error);
    if (permanent || code === 'tls_certificate') return blocked(code, { message });
    throw callError(error);
  }
}
