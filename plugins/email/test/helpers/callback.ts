import type { CallbackAnswer, CallbackRequest, Callbacks } from '@batchsender/core/plugin';
import { guardedFetch } from '@batchsender/core/plugin';

export interface CallbackParts {
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** Calls a handler as a host does, with headers by lower-case name. */
export async function callBack<C>(
  callbacks: Callbacks<C> | undefined,
  credentials: C,
  { body, headers = {} }: CallbackParts,
  fetch: typeof globalThis.fetch = guardedFetch({ allow: [] }),
): Promise<CallbackAnswer> {
  if (callbacks === undefined) throw new Error('the provider takes no callbacks');
  const request: CallbackRequest = {
    method: 'POST',
    url: new URL('https://batchsender.example/v1/callbacks/email/x/c1'),
    headers,
    body: typeof body === 'string' ? Buffer.from(body) : body,
  };
  const silent = () => undefined;
  return callbacks.handle(request, {
    credentials,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    connectionId: 'c1',
    network: { allow: [] },
    fetch,
  });
}

/** What a refused callback looks like to the host. */
export const refused = (status: 400 | 401, code: string) => ({ callbackStatus: status, code });
