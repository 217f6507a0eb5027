import { Readable } from 'node:stream';
import type { ResultRow } from '@batchsender/core';
import type { ResultFormat } from './result-format.ts';

type Block = readonly ResultRow[];

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
    let block = first;
    let start = format.start;
    while (block.done !== true) {
      yield Buffer.from(start + format.rows(block.value));
      start = '';
      block = await blocks.next();
    }
    if (start !== '') yield Buffer.from(start);
  } catch (error) {
    onCut(error);
    throw error;
  } finally {
    await blocks.return?.();
  }
}
