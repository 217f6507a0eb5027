import { Duplex, PassThrough, Readable } from 'node:stream';
import { Connection, type HttpRequest, type HttpResponse, StreamPromise } from '@jsforce/jsforce-node';
import { Transport } from '@jsforce/jsforce-node/lib/transport.js';
import { readAnswer, type TextAnswer } from '../http-text.ts';
import type { Access } from './access.ts';

/** Most bytes of an answer that are read: the results of a bulk job hold all that was uploaded (150 MB at most). */
const ANSWER_LIMIT = 200_000_000;

/**
 * Carries jsforce's requests over the guarded fetch, so that they obey the network policy and end
 * with the signal. jsforce's own transport would repeat a GET, a PUT or a DELETE up to five times;
 * this one repeats nothing.
 */
class GuardedTransport extends Transport {
  /** The latest answer; jsforce keeps neither status nor headers in its errors. */
  last: TextAnswer | undefined;
  readonly #fetch: typeof globalThis.fetch;
  readonly #signal: AbortSignal;

  constructor(fetch: typeof globalThis.fetch, signal: AbortSignal) {
    super();
    this.#fetch = fetch;
    this.#signal = signal;
  }

  override httpRequest(request: HttpRequest): StreamPromise<HttpResponse> {
    return StreamPromise.create(() => {
      // jsforce writes an upload into the stream; everything else comes as the body.
      const input = new PassThrough();
      const stream = Duplex.from({ readable: Readable.from([]), writable: input });
      return { stream, promise: this.#send(request, input) };
    });
  }

  async #send({ url, method, headers = {}, body }: HttpRequest, input: Readable): Promise<HttpResponse> {
    this.last = undefined;
    const upload = method === 'PUT' && body === undefined ? await readAll(input) : body;
    const response = await this.#fetch(url, {
      method,
      headers,
      signal: this.#signal,
      ...(upload === undefined ? {} : { body: upload as string | Uint8Array<ArrayBuffer> }),
    });
    const answer = await readAnswer(response, ANSWER_LIMIT);
    this.last = answer;
    return { statusCode: answer.status, headers: { ...answer.headers }, body: answer.text };
  }
}

async function readAll(input: Readable): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  for await (const part of input) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** jsforce for one call, and the latest answer that it got. */
export interface Salesforce {
  readonly connection: Connection;
  last(): TextAnswer | undefined;
}

/** A connection of jsforce that is logged in already; it never asks for a token by itself. */
export function connect(
  { accessToken, instanceUrl }: Access,
  { version, fetch, signal }: { version: string; fetch: typeof globalThis.fetch; signal: AbortSignal },
): Salesforce {
  const connection = new Connection({ accessToken, instanceUrl: instanceUrl.replace(/\/+$/, ''), version });
  const transport = new GuardedTransport(fetch, signal);
  connection._transport = transport;
  return { connection, last: () => transport.last };
}
