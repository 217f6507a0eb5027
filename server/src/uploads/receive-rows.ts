import type { OnInvalid, Registry, ResultColumn, Upload } from '@batchsender/core';
import { receiveCsv } from '../csv/receive.ts';
import type { Schema } from '../csv/schema-shape.ts';
import { receiveNdjson } from '../ndjson/receive.ts';
import { csvOptions, invalidParameter, refuseCsvOptions } from './csv-options.ts';
import type { UploadFormat } from './format.ts';

/** How the rows of an upload are read. */
export interface RowSource {
  readonly format: UploadFormat;
  /** The upload's parameters: of the query, or fields of a form. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly chunks: AsyncIterable<Buffer>;
}

/** What receiving needs to know of the server. */
export interface RowLimits {
  readonly registry: Registry;
  readonly maxLineBytes: number;
  /** What the upload was begun with. */
  readonly onInvalid: OnInvalid;
}

/**
 * Refuses parameters that are wrong, before a byte is read; answers what is to become of invalid rows.
 * @throws HttpProblem `invalid_query`.
 */
export function checkParameters({ format, parameters }: Omit<RowSource, 'chunks'>): OnInvalid {
  const { onInvalid = 'fail' } = parameters;
  if (onInvalid !== 'fail' && onInvalid !== 'skip')
    throw invalidParameter('onInvalid', 'It must be "fail" or "skip".');
  if (format === 'csv') csvOptions(parameters);
  else refuseCsvOptions(parameters);
  return onInvalid;
}

/**
 * Reads the rows of an upload in any format. Answers the columns that were uploaded; none for
 * NDJSON. @throws HttpProblem naming what is wrong: the header, or the first line.
 */
export async function receiveRows(
  { format, parameters, chunks }: RowSource,
  upload: Upload,
  { registry, maxLineBytes, onInvalid }: RowLimits,
): Promise<{ columns?: readonly ResultColumn[] }> {
  if (format === 'ndjson') {
    await receiveNdjson(chunks, upload, { maxLineBytes, onInvalid });
    return {};
  }
  const schema = (registry.get(upload.type)?.module.payload ?? {}) as Schema;
  const { defaults } = upload;
  return receiveCsv(chunks, upload, { ...csvOptions(parameters), schema, defaults, maxLineBytes, onInvalid });
}
