import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the press behaves. */
export type Mood = 'fine' | 'strict' | 'busy' | 'locked' | 'clumsy' | 'asleep' | 'confused';

/** The invented postcard press, as a real server on this machine. */
export interface PostcardService {
  readonly url: string;
  /** Cards that were printed, by their idempotency key. */
  readonly cards: ReadonlyMap<string, { readonly id: string; readonly text: string }>;
  /** The idempotency key of each request, in order. */
  readonly keys: readonly string[];
  mood: Mood;
  close(): Promise<void>;
}

/**
 * Starts the press: `POST /v1/cards` with a bearer key and an `Idempotency-Key` prints a card and
 * answers `{"id":"card_1"}`. A key that it has seen prints nothing, and gets the same answer.
 */
export async function startPostcardService(apiKey: string, port = 0): Promise<PostcardService> {
  const cards = new Map<string, { id: string; text: string }>();
  const keys: string[] = [];
  const server = createServer((request, response) => void serve(request, response));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const service: PostcardService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cards,
    keys,
    mood: 'fine',
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    const key = String(request.headers['idempotency-key']);
    keys.push(key);
    const refusal = refuse(service.mood, request.headers.authorization === `Bearer ${apiKey}`);
    if (refusal !== undefined) answer(response, ...refusal);
    else if (service.mood === 'confused') response.end('<html>Welcome to our hotel</html>');
    else print(key, JSON.parse(body) as Record<string, string>, response);
  }

  function print(
    key: string,
    { country, address, text }: Record<string, string>,
    response: ServerResponse,
  ): void {
    const { mood } = service;
    if (mood === 'strict' || country === 'XX') {
      answer(response, 422, { error: `no such address: ${address}` });
      return;
    }
    const card = cards.get(key) ?? { id: `card_${cards.size + 1}`, text: String(text) };
    cards.set(key, card);
    if (mood === 'clumsy') response.destroy();
    else if (mood !== 'asleep') answer(response, 201, { id: card.id });
  }

  return service;
}

type Answer = readonly [status: number, body: object, headers?: Record<string, string>];

function refuse(mood: Mood, hasKey: boolean): Answer | undefined {
  if (mood === 'locked' || !hasKey) return [401, { error: 'unknown key' }];
  return mood === 'busy' ? [429, { error: 'slow down' }, { 'retry-after': '1' }] : undefined;
}

function answer(response: ServerResponse, ...[status, body, headers]: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

if (import.meta.main) {
  const service = await startPostcardService('press-demo-key', 4010);
  console.log(`The postcard press listens on ${service.url}`);
  let printed = 0;
  setInterval(() => {
    for (const { id, text } of [...service.cards.values()].slice(printed))
      console.log(`printed ${id}: ${text}`);
    printed = service.cards.size;
  }, 200);
}
