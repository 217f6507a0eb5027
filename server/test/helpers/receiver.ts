import { httpReceiver } from '../../../core/test/helpers/http-receiver.ts';

/** A receiver of webhooks that counts how often each one came. */
export interface Receiver {
  readonly url: string;
  /** Calls by the value of their `webhook-id` header. */
  readonly counts: ReadonlyMap<string, number>;
  /** All calls. */
  readonly calls: number;
  close(): Promise<void>;
}

/** Starts a receiver that answers 204 after a while. */
export async function startReceiver(delayMs = 0): Promise<Receiver> {
  const counts = new Map<string, number>();
  let calls = 0;
  const server = await httpReceiver((request, response) => {
    const id = String(request.headers['webhook-id']);
    counts.set(id, (counts.get(id) ?? 0) + 1);
    calls += 1;
    request.resume();
    setTimeout(() => response.writeHead(204).end(), delayMs);
  });
  return {
    url: server.url,
    counts,
    get calls() {
      return calls;
    },
    close: () => server.close(),
  };
}
