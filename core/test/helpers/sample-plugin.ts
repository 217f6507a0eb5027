import {
  callError,
  classifyHttp,
  defineModule,
  definePlugin,
  defineProvider,
  failed,
  type Guarantee,
  type Job,
  type JobResult,
  LostCallError,
  type OpenContext,
  type Plugin,
  type Resolution,
  type Session,
  secret,
  succeeded,
  Type,
  variables,
} from '../../src/plugin/index.ts';

export const MessagePayload = Type.Object(
  { to: Type.String({ minLength: 1 }), text: Type.String({ minLength: 1 }), variables: variables() },
  { additionalProperties: false },
);

const MessageCredentials = Type.Object(
  { apiKey: secret({ minLength: 6 }), baseUrl: Type.String() },
  { additionalProperties: false },
);

export type Message = { to: string; text: string };
export type Credentials = { apiKey: string; baseUrl: string };

export interface SampleOptions {
  readonly guarantee: Guarantee;
  readonly batchSize: number;
}

/** A plugin that does everything right, for the vendor of `sample-vendor.ts`. */
export function samplePlugin({ guarantee, batchSize }: SampleOptions): Plugin {
  const provider = defineProvider({
    title: 'Acme',
    payload: MessagePayload,
    credentials: MessageCredentials,
    guarantee,
    batchSize,
    endpointKey: () => 'acme',
    open: (credentials, context) => acmeSession(credentials, context, batchSize),
  });
  const module = defineModule({
    type: 'message',
    title: 'Message',
    version: 1,
    payload: MessagePayload,
    recipients: ({ to }) => [to],
    providers: { acme: provider },
  });
  return definePlugin({ name: 'plugin-sample', version: '1.0.0', contract: 1, modules: [module] });
}

function acmeSession(
  { apiKey, baseUrl }: Credentials,
  { fetch, logger }: OpenContext,
  batchSize: number,
): Session<Message> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const request = async (path: string, init: RequestInit) => {
    try {
      const response = await fetch(`${baseUrl}${path}`, { ...init, headers });
      return { response, body: await response.text() };
    } catch (error) {
      throw callError(error);
    }
  };
  const send = async (jobs: readonly Job<Message>[], signal: AbortSignal): Promise<JobResult[]> => {
    const messages = jobs.map(({ id, payload: { to, text } }) => ({ to, text, key: id }));
    const { response, body } = await request('/messages', {
      method: 'POST',
      body: JSON.stringify({ messages }),
      signal,
    });
    logger.debug({ status: response.status, jobs: jobs.length }, 'called Acme');
    if (response.ok) return readResults(body, jobs.length);
    const result = classifyHttp(response, { blocked: [401, 403], throttles: 'connection' });
    return jobs.map(() => result);
  };
  const rest = {
    async resolve(jobs: readonly Job<Message>[], { signal }: { signal: AbortSignal }): Promise<Resolution[]> {
      return Promise.all(
        jobs.map(async ({ id }): Promise<Resolution> => {
          const { response, body } = await request(`/messages/${encodeURIComponent(id)}`, { signal });
          if (response.status === 404) return { status: 'absent' };
          return response.ok ? succeeded((JSON.parse(body) as { id: string }).id) : { status: 'undecided' };
        }),
      );
    },
    async health(signal: AbortSignal): Promise<undefined | { code: string; message: string }> {
      const { response } = await request('/messages/none', { signal });
      return response.status === 401 ? { code: 'http_401', message: 'The key is refused' } : undefined;
    },
    close() {},
  };
  if (batchSize > 1) return { processBatch: (jobs, { signal }) => send(jobs, signal), ...rest };
  return { process: async (job, { signal }) => (await send([job], signal))[0] as JobResult, ...rest };
}

function readResults(body: string, count: number): JobResult[] {
  const results = parse(body)?.['results'];
  if (!Array.isArray(results) || results.length !== count) {
    throw new LostCallError('Acme answered something that is none of its answers', 'invalid_response');
  }
  return results.map((result: { id?: string; code?: string }) =>
    typeof result.id === 'string' ? succeeded(result.id) : failed('recipient_unknown'),
  );
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
