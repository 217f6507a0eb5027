import type { CallbackContext, CallbackRequest } from '@batchsender/core/plugin';
import { fakeOpenContext } from '@batchsender/core/testing';

export const CALLBACK =
  'https://sms.example.com/v1/callbacks/sms/provider/0195f3c8-7b1a-7000-8000-00000000000c';

export interface RequestOptions {
  readonly url?: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Record<string, string>;
}

export function callbackRequest(body: string | Uint8Array, options: RequestOptions = {}): CallbackRequest {
  const { url = CALLBACK, method = 'POST', headers = {} } = options;
  return { method, url: new URL(url), headers, body: typeof body === 'string' ? Buffer.from(body) : body };
}

export function callbackContext<C>(credentials: C): CallbackContext<C> {
  const { logger, connectionId, network, fetch } = fakeOpenContext();
  return { credentials, logger, connectionId, network, fetch };
}

/** How a handler refused a request; throws if it did not. */
export function refusalOf(handle: () => unknown): { status: unknown; code: unknown; message: string } {
  try {
    handle();
  } catch (error) {
    const {
      callbackStatus: status,
      code,
      message,
    } = error as Error & { callbackStatus?: unknown; code?: unknown };
    return { status, code, message };
  }
  throw new Error('the request was taken');
}
