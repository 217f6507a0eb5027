import type { ResultColumn, Upload } from '@batchsender/core';
import { LineError } from '../ndjson/line-error.ts';
import { lineProblem } from '../ndjson/line-problem.ts';
import type { ReceiveOptions } from '../ndjson/receive.ts';
import { SliceWriter } from '../ndjson/slice-writer.ts';
import { CsvReader, type CsvReaderOptions } from './reader.ts';

/** How a CSV file is read, and how its rows are written. */
export type ReceiveCsvOptions = ReceiveOptions & Omit<CsvReaderOptions, 'maxRowChars'>;

/**
 * Reads CSV and writes its rows to an upload, with back-pressure. The caller commits, or aborts
 * if this throws. Answers the columns that went into the payloads.
 * @throws HttpProblem `invalid_header`, or naming the first line that is wrong.
 */
export async function receiveCsv(
  chunks: AsyncIterable<Buffer>,
  upload: Pick<Upload, 'write'>,
  options: ReceiveCsvOptions,
): Promise<{ columns: readonly ResultColumn[] }> {
  const writer = new SliceWriter(upload, options.sliceRows ?? 1_000, options.onInvalid);
  const reader = new CsvReader({ ...options, maxRowChars: options.maxLineBytes }, writer);
  try {
    for await (const chunk of chunks) {
      reader.push(chunk);
      await writer.writeFull();
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    // The rows before a bad line are checked first: an earlier line may be wrong too.
    await writer.finish();
    throw lineProblem(error);
  }
  await writer.finish();
  return { columns: reader.columns };
}
