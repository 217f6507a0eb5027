import type { OnInvalid, Upload } from '@batchsender/core';
import { LineError } from './line-error.ts';
import { LineSplitter } from './line-splitter.ts';
import { parseLine } from './parse-line.ts';
import { SliceWriter } from './slice-writer.ts';

export interface ReceiveOptions {
  /** Longest line, in bytes. */
  readonly maxLineBytes: number;
  /** What the upload was begun with. Default `fail`. */
  readonly onInvalid?: OnInvalid | undefined;
  /** Rows that are written together. Default 1,000. */
  readonly sliceRows?: number;
}

/**
 * Reads NDJSON and writes its rows to an upload, with back-pressure. The caller commits, or
 * aborts if this throws.
 * @throws HttpProblem naming the first line that is wrong, unless such lines are skipped.
 */
export async function receiveNdjson(
  chunks: AsyncIterable<Buffer>,
  upload: Pick<Upload, 'write'>,
  options: ReceiveOptions,
): Promise<void> {
  const writer = new SliceWriter(upload, options.sliceRows ?? 1_000, options.onInvalid);
  const splitter = new LineSplitter(
    options.maxLineBytes,
    (text, line) => takeLine(writer, text, line),
    (error) => writer.reject(error),
  );
  for await (const chunk of chunks) {
    splitter.push(chunk);
    await writer.writeFull();
  }
  splitter.end();
  await writer.finish();
}

function takeLine(writer: SliceWriter, text: string, line: number): void {
  try {
    writer.add({ payload: parseLine(text, line), text }, line);
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    writer.reject(error);
  }
}
