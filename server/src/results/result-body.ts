import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { ResultRow } from '@batchsender/core';
import type { ResultFormat } from './result-format.ts';

type Block = readonly ResultRow[];

/** Rows that are written at one go, in less than 1 ms: other requests, and the reading of the next block, have their turn. */
const MOST_ROWS = 250;
/**
 * Characters of payloads that are written at one go. A text of more than 128 KB is an object of its own for V8, with
 * memory that is asked for anew each time: it took four times as long to write (Node 24.21, Linux).
 */
const MOST_CHARACTERS = 50_000;

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
      for (const piece of pieces(block.value)) {
        yield Buffer.from(format.rows(piece));
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

/** The rows of a block, as many at a time as are written at one go. */
function* pieces(block: Block): Generator<Block> {
  let first = 0;
  let characters = 0;
  for (const [at, { payloadText }] of block.entries()) {
    characters += payloadText.length;
    if (characters < MOST_CHARACTERS && at - first + 1 < MOST_ROWS) continue;
    yield block.slice(first, at + 1);
    first = at + 1;
    characters = 0;
  }
  if (first < block.length) yield block.slice(first);
}
