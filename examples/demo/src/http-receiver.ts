import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger } from './ledger.ts';
import { listen } from './listen.ts';
import type { ShopUrls } from './orders.ts';

/** The shops that are called, and what they got. */
export interface HttpReceiver extends ShopUrls {
  readonly ledger: Ledger;
  close(): Promise<void>;
}

/** How the shops behave. */
export interface ShopOptions {
  /** Calls that the busy shop takes in a second. */
  readonly busyPerSecond: number;
}

/** A shop needs a moment to store an order. */
const STORE_MS = 60;

/** Starts the shops: most of them on one port, the busy one on a port of its own; see `orders.ts`. */
export async function startHttpReceiver({ busyPerSecond }: ShopOptions): Promise<HttpReceiver> {
  const ledger = new Ledger();
  const mayPass = perSecond(busyPerSecond);
  const listener: RequestListener = (request, response) => {
    void text(request).then((body) => {
      const key = String(request.headers['webhook-id']);
      const again = ledger.knows(key);
      const kind = request.url?.split('/')[1] ?? '';
      const status = statusOf(kind, again, mayPass);
      ledger.note({ key, taken: status === 200, mark: orderOf(body) });
      return answer(response, kind === 'slow' && !again ? undefined : status);
    }, ignore);
  };

  const shops = await listen(createServer(listener));
  const busyShop = await listen(createServer(listener));
  return {
    shops: `http://127.0.0.1:${shops.port}`,
    busyShop: `http://127.0.0.1:${busyShop.port}`,
    ledger,
    close: async () => {
      await Promise.all([shops.close(), busyShop.close()]);
    },
  };
}

/** Answers after a moment; never, if there is no status: then the order is stored, and the sender does not learn of it. */
async function answer(response: ServerResponse, status: number | undefined): Promise<void> {
  if (status === undefined) return;
  await sleep(STORE_MS);
  response.writeHead(status, status === 429 ? { 'retry-after': '1' } : {}).end();
}

/** A call that was cut before its end is no call. */
const ignore = (): void => undefined;

/** The number of the order in a call's body. */
const orderOf = (body: string): string => /"order":(\d+)/.exec(body)?.[1] ?? 'no order';

function statusOf(kind: string, again: boolean, mayPass: () => boolean): number {
  if (kind === 'closed') return 404;
  if (kind === 'flaky' && !again) return 500;
  return kind === 'busy' && !mayPass() ? 429 : 200;
}

/** Answers true so many times in each second. */
function perSecond(max: number): () => boolean {
  let windowEnd = 0;
  let count = 0;
  return () => {
    const now = performance.now();
    if (now >= windowEnd) {
      windowEnd = now + 1_000;
      count = 0;
    }
    count++;
    return count <= max;
  };
}
