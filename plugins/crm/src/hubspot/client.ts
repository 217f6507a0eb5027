import {
  ApiException,
  BatchApi,
  createConfiguration,
  ResponseContext,
  ServerConfiguration,
  wrapHttpLibrary,
} from '@hubspot/api-client/lib/codegen/crm/objects/index.js';
import { readAnswer } from '../http-text.ts';
import { apiOf, type HubspotCredentials } from './credentials.ts';

/** Most bytes of an answer that are read: a hundred records with all that they have. */
const ANSWER_LIMIT = 20_000_000;

/** An error status, with what HubSpot says of it. */
export interface HubspotRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/**
 * HubSpot's client for one call: its requests go through the guarded fetch and end with the signal.
 * This part of the client repeats nothing; its wrapper `Client`, which can, is left out: it keeps
 * settings in a variable of the process, which all connections would share.
 */
export function batchApi(
  credentials: HubspotCredentials,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): BatchApi {
  const httpApi = wrapHttpLibrary({
    async send(request) {
      const body = request.getBody();
      const response = await fetch(request.getUrl(), {
        method: request.getHttpMethod(),
        headers: request.getHeaders(),
        signal,
        ...(typeof body === 'string' ? { body } : {}),
      });
      const { status, headers, text } = await readAnswer(response, ANSWER_LIMIT);
      const binary = async () => Buffer.from(text);
      return new ResponseContext(status, { ...headers }, { text: async () => text, binary });
    },
  });
  return new BatchApi(
    createConfiguration({
      baseServer: new ServerConfiguration(apiOf(credentials), {}),
      httpApi,
      authMethods: { oauth2: { accessToken: credentials.accessToken ?? '' } },
    }),
  );
}

/** What an error of the client says, if HubSpot answered with an error status. */
export function refusalIn(error: unknown): HubspotRefusal | undefined {
  if (!(error instanceof ApiException)) return undefined;
  const { code, headers, body } = error as ApiException<unknown>;
  // The client throws the same for a page of HTML that came with status 200.
  if (code < 300) return undefined;
  return { status: code, headers, body };
}
