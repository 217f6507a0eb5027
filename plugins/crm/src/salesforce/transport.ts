import { Duplex } from 'node:stream';
// All of jsforce would be twice as much to load; bulk2 adds itself to the core.
import { Connection } from '@jsforce/jsforce-node/lib/core.js';
import '@jsforce/jsforce-node/lib/api/bulk2.js';
import { Transport } from '@jsforce/jsforce-node/lib/transport.js';
import type { HttpRequest, HttpResponse } from '@jsforce/jsforce-node/lib/types/index.js';
import { StreamPromise } from '@jsforce/jsforce-node/lib/util/promise.js';
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
      const { stream, written } = collector();
      return { stream, promise: this.#send(request, written) };
    });
  }

  async #send(
    { url, method, headers = {}, body }: HttpRequest,
    written: Promise<Uint8Array<ArrayBuffer>>,
  ): Promise<HttpResponse> {
    this.last = undefined;
    const upload = method === 'PUT' && body === undefined ? await written : body;
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

/** A stream that keeps what is written into it, and has nothing to read. */
function collector(): { stream: Duplex; written: Promise<Uint8Array<ArrayBuffer>> } {
  const parts: Buffer[] = [];
  const { promise: written, resolve } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  const stream = new Duplex({
    autoDestroy: false,
    read() {
      this.push(null);
    },
    write(part: Buffer, _encoding, done) {
      parts.push(part);
      done();
    },
    final(done) {
      resolve(Buffer.concat(parts));
      done();
    },
  });
  return { stream, written };
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
