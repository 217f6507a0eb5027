import type { Upload } from '@batchsender/core';
import { LineError } from './line-error.ts';
import { lineProblem } from './line-problem.ts';
import { LineSplitter } from './line-splitter.ts';
import { parseLine } from './parse-line.ts';
import { SliceWriter } from './slice-writer.ts';

export interface ReceiveOptions {
  /** Longest line, in bytes. */
  readonly maxLineBytes: number;
  /** Rows that are written together. Default 1,000. */
  readonly sliceRows?: number;
}

/**
 * Reads NDJSON and writes its rows to an upload, with back-pressure. The caller commits, or
 * aborts if this throws.
 * @throws HttpProblem naming the first line that is wrong.
 */
export async function receiveNdjson(
  chunks: AsyncIterable<Buffer>,
  upload: Pick<Upload, 'write'>,
  options: ReceiveOptions,
): Promise<void> {
  const writer = new SliceWriter(upload, options.sliceRows ?? 1_000);
  const splitter = new LineSplitter(options.maxLineBytes, (text, line) => {
    writer.add({ payload: parseLine(text, line), text }, line);
  });
  try {
    for await (const chunk of chunks) {
      splitter.push(chunk);
      await writer.writeFull();
    }
    splitter.end();
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    // The rows before a bad line are checked first: an earlier line may be wrong too.
    await writer.finish();
    throw lineProblem(error);
  }
  await writer.finish();
}
