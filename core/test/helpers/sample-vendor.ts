import type { IncomingMessage, ServerResponse } from 'node:http';
import type { VendorHooks } from '../../src/testing/index.ts';
import { httpReceiver } from './http-receiver.ts';

type Mode = 'accept' | 'refuse' | 'throttle' | 'authFailure' | 'dropAfterAccept' | 'hang' | 'garbage';

interface Message {
  readonly to: string;
  readonly text: string;
  readonly key: string;
}

type Outcome = { readonly id: string } | { readonly code: string; readonly message: string };

export interface SampleVendor {
  readonly url: string;
  readonly respond: Required<VendorHooks>;
  close(): Promise<void>;
}

export const SECRET = 'sk_live_91f2c7';

/**
 * An invented vendor of messages on 127.0.0.1. `POST /messages` takes many at once, each with a
 * key; `GET /messages/<key>` finds one. Its errors are as talkative as those of real vendors.
 */
export async function sampleVendor(): Promise<SampleVendor> {
  const vendor = new Vendor();
  const server = await httpReceiver((request, response) => void vendor.serve(request, response));
  const set = (mode: Mode) => () => {
    vendor.mode = mode;
    vendor.refused = undefined;
  };
  const respond: Required<VendorHooks> = {
    accept: set('accept'),
    refuse: set('refuse'),
    refuseOnly: ({ to }) => {
      vendor.mode = 'accept';
      vendor.refused = to;
    },
    throttle: set('throttle'),
    authFailure: set('authFailure'),
    dropAfterAccept: set('dropAfterAccept'),
    hang: set('hang'),
    garbage: set('garbage'),
    calls: () => vendor.calls,
    keys: () => vendor.keys,
  };
  return { url: server.url, respond, close: () => server.close() };
}

class Vendor {
  mode: Mode = 'accept';
  refused: unknown;
  calls = 0;
  readonly keys: string[] = [];
  readonly #taken = new Map<string, string>();

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    this.calls++;
    const { authorization } = request.headers;
    const answer = (status: number, value: unknown, headers = {}) =>
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(value));
    if (this.mode === 'authFailure' || authorization !== `Bearer ${SECRET}`) {
      return void answer(401, {
        code: 'bad_key',
        message: `The key ${authorization} is unknown. You sent ${body}`,
      });
    }
    if (request.method === 'GET') {
      const id = this.#taken.get(decodeURIComponent(request.url?.split('/').at(-1) ?? ''));
      return void (id === undefined ? answer(404, { code: 'not_found' }) : answer(200, { id }));
    }
    if (this.mode === 'throttle')
      return void answer(429, { code: 'slow_down', message: body }, { 'retry-after': '2' });
    if (this.mode === 'garbage')
      return void response.writeHead(200).end(`<html>Welcome, ${authorization}. ${body}`);
    const outcomes = (JSON.parse(body) as { messages: Message[] }).messages.map((message) =>
      this.#take(message),
    );
    if (this.mode === 'dropAfterAccept') request.socket.destroy();
    else if (this.mode !== 'hang') answer(200, { results: outcomes });
  }

  #take({ to, key }: Message): Outcome {
    this.keys.push(key);
    if (this.mode === 'refuse' || to === this.refused)
      return { code: 'recipient_unknown', message: `${to} is unknown` };
    const id = this.#taken.get(key) ?? `msg_${this.#taken.size + 1}`;
    this.#taken.set(key, id);
    return { id };
  }
}
