import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { benchPayload } from './payload.ts';
import type { ServerProcess } from './server-process.ts';

/** Jobs of one piece of an upload; some 64 kB. */
const LINES_A_PIECE = 200;

/** NDJSON of the benchmark's payloads, made while it is sent, so that the sender needs no memory either. */
export function* ndjson(count: number): Generator<Buffer> {
  for (let first = 0; first < count; first += LINES_A_PIECE) {
    let text = '';
    const end = Math.min(first + LINES_A_PIECE, count);
    for (let index = first; index < end; index++) text += `${JSON.stringify(benchPayload(index))}\n`;
    yield Buffer.from(text);
  }
}

/** An open batch of no-op jobs. Answers its id. */
export async function createBatch(server: ServerProcess): Promise<string> {
  const batch = await call<{ id: string }>(server, 'POST', '/v1/batches', { type: 'noop', sealed: false });
  return batch.id;
}

export async function sealBatch(server: ServerProcess, batchId: string): Promise<void> {
  await call(server, 'POST', `/v1/batches/${batchId}/seal`);
}

/** Waits until every job of the batch succeeded. */
export async function batchDone(server: ServerProcess, batchId: string, jobs: number): Promise<void> {
  for (;;) {
    const batch = await call<{ state: string; counts: { succeeded: number } }>(
      server,
      'GET',
      `/v1/batches/${batchId}`,
    );
    if (batch.state === 'completed') {
      if (batch.counts.succeeded === jobs) return;
      throw new Error(`${batch.counts.succeeded} of ${jobs} jobs succeeded`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Uploads lines and waits for the answer. @throws Error if not all of them were accepted. */
export async function uploadLines(
  server: ServerProcess,
  batchId: string,
  pieces: Iterable<Buffer>,
  jobs: number,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const outgoing = request(`${server.url}/v1/batches/${batchId}/jobs`, {
    method: 'POST',
    headers: { authorization: server.authorization, 'content-type': 'application/x-ndjson' },
  });
  outgoing.on('error', reject);
  outgoing.on('response', (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      text += part;
    });
    response.on('end', () => resolve(text));
  });
  await pipeline(Readable.from(pieces, { objectMode: false }), outgoing);
  const answer = await promise;
  const { accepted } = JSON.parse(answer) as { accepted?: number };
  if (accepted !== jobs) throw new Error(`The upload was answered with ${answer.slice(0, 500)}`);
}

async function call<T>(server: ServerProcess, method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      authorization: server.authorization,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`${method} ${path} was answered with ${response.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text) as T;
}
