import type { Call } from '@batchsender/core/plugin';
import type { Dispatcher } from 'undici';
import type { HookRequest } from './request.ts';

/** Bytes of a response body that are read unless a call says otherwise. A longer one is cut, and its connection closed. */
export const BODY_LIMIT = 65_536;

/** An answer that is complete, or as much of it as is read. */
export interface Answer {
  readonly kind: 'answer';
  readonly status: number;
  /** With lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Empty unless it was asked for. */
  readonly body: Buffer;
  /** True if there was more than the limit. */
  readonly truncated: boolean;
}

/** An exchange without an answer. `sent`: the request, or a part of it, was written to a socket. */
export type Outcome =
  | Answer
  | { readonly kind: 'broken'; readonly error: unknown; readonly sent: boolean }
  | { readonly kind: 'aborted'; readonly sent: boolean };

/** What a call of the connection pool needs besides the request. */
export interface ExchangeOptions {
  /** The call whose abort stops the exchange. */
  readonly call: Pick<Call, 'onAbort'>;
  readonly keepBody: boolean;
  /** Bytes of the body that are read. Default {@link BODY_LIMIT}. */
  readonly bodyLimit?: number;
}

/**
 * Sends one request and waits for its whole answer, or for the abort of its call. Never rejects.
 *
 * It speaks undici's dispatch protocol itself: no stream object is made for a body that nobody
 * reads, and it learns the moment before the first byte is written, on which `sent` depends.
 */
export function exchange(pool: Dispatcher, request: HookRequest, options: ExchangeOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    const handler = new Exchange(resolve, options);
    options.call.onAbort(() => handler.stop());
    if (handler.done) return;
    pool.dispatch(
      {
        origin: request.place.origin,
        path: request.place.path,
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        // The call has a deadline of its own; undici's would come on top of it.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      handler,
    );
  });
}

const EMPTY = Buffer.alloc(0);

/** Reason given to undici for a call whose outcome is settled; nobody sees it. */
const STOPPED = new Error('The call is over');

class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (outcome: Outcome) => void;
  readonly #options: ExchangeOptions;
  readonly #limit: number;
  #controller: Dispatcher.DispatchController | undefined;
  #done = false;
  #status = 0;
  #headers: Answer['headers'] = {};
  #bytes = 0;
  #chunks: Buffer[] = [];

  constructor(resolve: (outcome: Outcome) => void, options: ExchangeOptions) {
    this.#resolve = resolve;
    this.#options = options;
    this.#limit = options.bodyLimit ?? BODY_LIMIT;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Stops the exchange wherever it is. */
  stop(): void {
    if (this.#done) return;
    const controller = this.#controller;
    this.#finish({ kind: 'aborted', sent: controller !== undefined });
    controller?.abort(STOPPED);
  }

  /** Called when a connection is there, just before the request is written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#done) controller.abort(STOPPED);
    else this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Answer['headers'],
  ): void {
    // Interim answers (1xx) come this way too; the final one overwrites them.
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#done) return;
    this.#bytes += chunk.length;
    if (this.#options.keepBody) this.#chunks.push(chunk);
    if (this.#bytes <= this.#limit) return;
    this.#answer();
    controller.abort(STOPPED);
  }

  onResponseEnd(): void {
    this.#answer();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#finish({ kind: 'broken', error, sent: this.#controller !== undefined });
  }

  #answer(): void {
    this.#finish({
      kind: 'answer',
      status: this.#status,
      headers: this.#headers,
      body: this.#chunks.length === 0 ? EMPTY : Buffer.concat(this.#chunks).subarray(0, this.#limit),
      truncated: this.#bytes > this.#limit,
    });
  }

  #finish(outcome: Outcome): void {
    if (this.#done) return;
    this.#done = true;
    this.#resolve(outcome);
  }
}
