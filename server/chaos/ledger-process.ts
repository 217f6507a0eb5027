/**
 * The provider's server: it keeps a ledger of its own, in a file, of every call that reaches it.
 * Argument: JSON of `LedgerSetup`. It tells its port to its parent, and ends with it.
 */
import { openSync, writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerCall } from '../../core/chaos/ledger.ts';
import { fateOf, takes } from './fates.ts';
import { type CallFate, type LedgerLine, PROVIDERS, TIMEOUT_MS } from './ledger.ts';
import type { LedgerSetup } from './ledger-server.ts';

const STATUS: Readonly<Partial<Record<CallFate, number>>> = { busy: 503, throttled: 429, rejected: 422 };

const setup = JSON.parse(process.argv[2] ?? '') as LedgerSetup;
const file = openSync(setup.file, 'a');
/** Calls so far of each job. */
const calls = new Map<number, number>();
/** Key and job of what was delivered under a key. */
const known = new Set<string>();
const delivered = new Set<string>();

function take(call: LedgerCall): { fate: CallFate; workMs: number } {
  const isKeyed = PROVIDERS[call.provider].guarantee.kind === 'keyed';
  const first = call.jobs[0];
  if (first === undefined) throw new Error('a call without jobs');
  const nth = (calls.get(first.n) ?? 0) + 1;
  for (const { n } of call.jobs) calls.set(n, (calls.get(n) ?? 0) + 1);
  const drawn = fateOf(setup.seed, first.n, nth, setup.workMs);
  // Who knows the key gives the answer of the first time.
  const isRepeat = isKeyed && call.jobs.every(({ id }) => known.has(`${call.key} ${id}`));
  const fate = isRepeat && !takes(drawn.fate) && drawn.fate !== 'lost' ? 'ok' : drawn.fate;
  const took = call.jobs.map(({ id }) => {
    const name = `${call.key} ${id}`;
    const takesIt = takes(fate) && !(isKeyed && known.has(name));
    if (takesIt) {
      known.add(name);
      delivered.add(id);
    }
    return takesIt;
  });
  const line: LedgerLine = { ...call, fate, atMs: Date.now(), took };
  writeSync(file, `${JSON.stringify(line)}\n`);
  return { fate, workMs: drawn.workMs };
}

async function answer(call: LedgerCall, response: ServerResponse): Promise<void> {
  const { fate, workMs } = take(call);
  if (fate === 'lost') {
    response.socket?.destroy();
    return;
  }
  const status = STATUS[fate] ?? 200;
  if (status === 200) await sleep(fate === 'late' ? TIMEOUT_MS + workMs : workMs);
  if (fate === 'dropped') response.socket?.destroy();
  else response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return JSON.parse(Buffer.concat(pieces).toString());
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A caller that is killed in the middle of its request has not called.
  const body = await bodyOf(request).catch(() => undefined);
  if (body === undefined) response.destroy();
  else if (request.url === '/call') await answer(body as LedgerCall, response);
  else response.end(JSON.stringify((body as { ids: string[] }).ids.map((id) => delivered.has(id))));
}

const server = createServer({ keepAliveTimeout: 3_600_000 }, (request, response) => {
  response.on('error', () => undefined);
  void serve(request, response);
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.once('disconnect', () => process.exit(0));
