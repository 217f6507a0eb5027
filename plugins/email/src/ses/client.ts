import type * as Sdk from '@aws-sdk/client-sesv2';
import { callError, type OpenContext } from '@batchsender/core/plugin';
import type { SesCredentials } from './credentials.ts';

/** A request as the SDK hands it over: https://smithy.io, "HTTP request". */
interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** The SDK with a client of it. */
export interface SesClient {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.SESv2Client;
}

/** Loads the SDK, which takes 30 MB, and gives it a transport that makes each call once and by the guarded fetch. */
export async function sesClient(
  credentials: SesCredentials,
  fetch: OpenContext['fetch'],
): Promise<SesClient> {
  const sdk = await import('@aws-sdk/client-sesv2');
  const { region, accessKeyId, secretAccessKey, sessionToken, baseUrl } = credentials;
  const client = new sdk.SESv2Client({
    region,
    credentials: {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
    ...(baseUrl === undefined ? {} : { endpoint: baseUrl }),
    // The engine repeats.
    maxAttempts: 1,
    requestHandler: {
      handle: (request: SdkRequest, { abortSignal }: { abortSignal?: AbortSignal } = {}) =>
        exchange(fetch, request, abortSignal),
      destroy: () => undefined,
    },
  });
  return { sdk, client };
}

/** @throws NotSentError or LostCallError if there is no complete answer. */
async function exchange(fetch: OpenContext['fetch'], request: SdkRequest, signal: AbortSignal | undefined) {
  // fetch writes them itself.
  const { host: _host, 'content-length': _length, ...headers } = request.headers;
  try {
    const response = await fetch(urlOf(request), {
      method: request.method,
      headers,
      ...(request.body === undefined ? {} : { body: request.body as NonNullable<RequestInit['body']> }),
      ...(signal === undefined ? {} : { signal }),
    });
    return {
      response: {
        statusCode: response.status,
        headers: Object.fromEntries(response.headers),
        body: new Uint8Array(await response.arrayBuffer()),
      },
    };
  } catch (error) {
    throw callError(error);
  }
}

function urlOf({ protocol, hostname, port, path, query = {} }: SdkRequest): URL {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`);
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) url.searchParams.append(name, one ?? '');
  }
  return url;
}
