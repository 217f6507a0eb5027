import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MEDIA_TYPES, type RowFormat } from './rows.ts';
import type { ServerProcess } from './server-process.ts';

/** An open batch. Answers its id. */
export async function createBatch(server: ServerProcess, type: 'noop' | 'paced' = 'noop'): Promise<string> {
  const batch = await call<{ id: string }>(server, 'POST', '/v1/batches', { type, sealed: false });
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

/** What is uploaded, in the form that it says. */
export interface Upload {
  readonly format: RowFormat;
  readonly pieces: Iterable<Buffer>;
  /** The jobs in it. */
  readonly jobs: number;
}

/** Uploads rows and waits for the answer. @throws Error if not all of them were accepted. */
export async function uploadRows(
  server: ServerProcess,
  batchId: string,
  { format, pieces, jobs }: Upload,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const outgoing = request(`${server.url}/v1/batches/${batchId}/jobs`, {
    method: 'POST',
    headers: { authorization: server.authorization, 'content-type': MEDIA_TYPES[format] },
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

/**
 * Reads the results of a batch to their end. Answers the lines that came, of a CSV without its header.
 * @throws Error if the answer is an error or is cut.
 */
export async function exportRows(server: ServerProcess, batchId: string, format: RowFormat): Promise<number> {
  const incoming = request(`${server.url}/v1/batches/${batchId}/results`, {
    headers: { authorization: server.authorization, accept: MEDIA_TYPES[format] },
  });
  incoming.end();
  const [response] = (await once(incoming, 'response')) as [IncomingMessage];
  let lines = format === 'csv' ? -1 : 0;
  for await (const piece of response as AsyncIterable<Buffer>) lines += lineEnds(piece);
  if (response.statusCode !== 200) throw new Error(`The export was answered with ${response.statusCode}`);
  return lines;
}

const LINE_END = 10;

function lineEnds(piece: Buffer): number {
  let count = 0;
  for (let at = piece.indexOf(LINE_END); at >= 0; at = piece.indexOf(LINE_END, at + 1)) count += 1;
  return count;
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
