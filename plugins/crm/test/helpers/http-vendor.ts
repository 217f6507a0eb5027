import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a vendor's server behaves. */
export type Mood = 'fine' | 'refuse' | 'throttle' | 'auth' | 'drop' | 'hang' | 'garbage' | 'broken';

/** A request as it came in. */
export interface VendorRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The body as JSON; undefined if it is none. */
  readonly json: unknown;
}

export interface VendorAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface HttpVendor {
  readonly url: string;
  readonly requests: VendorRequest[];
  /** Of all requests; those in `next` come first, one a request. */
  mood: Mood;
  readonly next: Mood[];
  /** Requests that the moods `drop`, `hang` and `garbage` are for. Default: all. */
  losable: (request: VendorRequest) => boolean;
  close(): Promise<void>;
}

/** A server that plays a vendor: `answer` is called for each request that the vendor works on. */
export async function httpVendor(
  answer: (request: VendorRequest, mood: Mood) => VendorAnswer | Promise<VendorAnswer>,
): Promise<HttpVendor> {
  const server = createServer((message, response) => void receive(message, response));
  const vendor: HttpVendor = {
    url: '',
    requests: [],
    mood: 'fine',
    next: [],
    losable: () => true,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  async function receive(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await read(message);
    vendor.requests.push(request);
    const mood = vendor.next.shift() ?? vendor.mood;
    if (mood === 'hang' && vendor.losable(request)) return;
    const { status, body, headers = {} } = await answer(request, mood);
    if (mood === 'drop' && vendor.losable(request)) response.destroy();
    else if (mood === 'garbage' && vendor.losable(request))
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Hello</html>');
    else write(response, status, body, headers);
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(vendor, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function read(message: IncomingMessage): Promise<VendorRequest> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString('utf8');
  const { method = '', headers, url = '/' } = message;
  return { method, headers, url: new URL(url, 'http://vendor'), text, json: parsed(text) };
}

function write(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string>,
): void {
  if (body === undefined) response.writeHead(status, headers).end();
  else if (typeof body === 'string') response.writeHead(status, headers).end(body);
  else
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
