import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { ResultRow } from '@batchsender/core';
import type { ResultFormat } from './result-format.ts';

type Block = readonly ResultRow[];

/** Rows that are written at one go, in about 2 ms: other requests, and the reading of the next block, have their turn. */
const ROWS_AT_ONCE = 250;

/**
 * The body of an export. The next block is asked for when the client has taken the last one, and
 * none after it went away. The first block is there before the body begins, so that a failure can
 * still be answered; a later one destroys the stream, and with it the connection: a file that is
 * cut must not look complete.
 */
export async function resultBody(
  results: AsyncIterable<Block>,
  format: ResultFormat,
  onCut: (error: unknown) => void,
): Promise<Readable> {
  const blocks = results[Symbol.asyncIterator]();
  const first = await blocks.next();
  return Readable.from(texts(first, blocks, format, onCut), { objectMode: false });
}

async function* texts(
  first: IteratorResult<Block>,
  blocks: AsyncIterator<Block>,
  format: ResultFormat,
  onCut: (error: unknown) => void,
): AsyncGenerator<Buffer> {
  try {
    if (format.start !== '') yield Buffer.from(format.start);
    for (let block = first; block.done !== true; block = await blocks.next()) {
      for (let at = 0; at < block.value.length; at += ROWS_AT_ONCE) {
        yield Buffer.from(format.rows(block.value.slice(at, at + ROWS_AT_ONCE)));
        await setImmediate();
      }
    }
  } catch (error) {
    onCut(error);
    throw error;
  } finally {
    await blocks.return?.();
  }
}
