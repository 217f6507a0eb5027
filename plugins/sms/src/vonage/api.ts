import { type JobResult, type OpenContext, parseRetryAfter } from '@batchsender/core/plugin';
import { judgeLost } from '../judge-lost.ts';
import { readObject } from '../read-text.ts';

const BASE_URL = 'https://api.nexmo.com';

/** What Vonage answered. */
export interface Answer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** An object with whatever fields. */
  readonly body: object;
}

/** Makes one request; a result if no answer came. Never rejects. */
export type Post = (message: object, signal: AbortSignal) => Promise<Answer | { readonly result: JobResult }>;

/** The Messages API: https://developer.vonage.com/en/api/messages */
export function messagesApi(
  baseUrl: string | undefined,
  authorization: (nowMs: number) => string,
  fetch: OpenContext['fetch'],
): Post {
  const url = `${(baseUrl ?? BASE_URL).replace(/\/$/, '')}/v1/messages`;
  return async (message, signal) => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          authorization: authorization(Date.now()),
        },
        body: JSON.stringify(message),
        signal,
      });
      const body = await readObject(response.body);
      const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), Date.now());
      return { status: response.status, retryAfterMs, body };
    } catch (error) {
      return { result: judgeLost(error, signal) };
    }
  };
}
