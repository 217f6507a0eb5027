import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChaosEntry, entriesOf, LEDGER_PROVIDERS, type LedgerCall } from './ledger.ts';

/**
 * What the receiver does with a call. `drop`: it takes it and breaks the connection instead of
 * answering. `lose`: it breaks the connection and has taken nothing.
 */
export type CallFate = 'answer' | 'drop' | 'lose';

export interface ReceiverOptions {
  /** Default: every call is answered. */
  readonly fate?: (call: LedgerCall) => CallFate;
  /** How long a call takes, in milliseconds. Default 0. */
  readonly workMs?: number;
  /** A file that takes each entry as a line of JSON, before the call is answered. */
  readonly file?: string;
}

/** A provider's server that keeps a ledger of its own of all that it was called for. */
export interface LedgerReceiver {
  readonly url: string;
  readonly ledger: readonly ChaosEntry[];
  /** Calls that it took and did not answer. */
  readonly dropped: number;
  /** Calls that it has taken and not answered yet. */
  readonly working: number;
  close(): Promise<void>;
}

export async function ledgerReceiver(options: ReceiverOptions = {}): Promise<LedgerReceiver> {
  const ledger: ChaosEntry[] = [];
  const seen = new Set<string>();
  const delivered = new Set<string>();
  const file = options.file === undefined ? undefined : createWriteStream(options.file, { flags: 'a' });
  let dropped = 0;
  let working = 0;
  const take = (call: LedgerCall) => {
    const { guarantee } = LEDGER_PROVIDERS[call.provider];
    for (const entry of entriesOf(call, guarantee, takenOf(call, seen), performance.now())) {
      ledger.push(entry);
      if (entry.took) delivered.add(entry.jobId);
      file?.write(`${JSON.stringify(entry)}\n`);
    }
  };
  const answerCall = async (call: LedgerCall, response: ServerResponse) => {
    const fate = options.fate?.(call) ?? 'answer';
    if (fate === 'lose') return response.socket?.destroy();
    take(call);
    working += 1;
    if (options.workMs !== undefined) await sleep(options.workMs);
    working -= 1;
    if (fate === 'answer') return response.end('{}');
    dropped += 1;
    return response.socket?.destroy();
  };
  const server = createServer(async (request, response) => {
    const body = await read(request).catch(() => undefined);
    if (body === undefined) return response.destroy();
    if (request.url === '/call') return answerCall(body as LedgerCall, response);
    const { ids } = body as { ids: string[] };
    return response.end(JSON.stringify(ids.map((id) => delivered.has(id))));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ledger,
    get dropped() {
      return dropped;
    },
    get working() {
      return working;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      file?.end();
    },
  };
}

/** What a provider that keeps its word does with a repeat: one that knows keys delivers once. */
function takenOf({ provider, key, jobs }: LedgerCall, seen: Set<string>): boolean[] {
  const isKeyed = LEDGER_PROVIDERS[provider].guarantee.kind === 'keyed';
  return jobs.map(({ id }) => {
    const name = `${key} ${id}`;
    const took = !isKeyed || !seen.has(name);
    seen.add(name);
    return took;
  });
}

async function read(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return JSON.parse(Buffer.concat(pieces).toString());
}
