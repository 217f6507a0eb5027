import { InvalidInputError, type Problem } from '../errors.ts';
import type { RejectedRow, UploadRow } from '../upload.ts';
import type { JobKey } from './job-key.ts';
import { MAX_PROBLEMS, type Rejections } from './rejections.ts';
import type { RowCheck } from './row-check.ts';

/** Rows that are right, as JSON texts, each with its key. */
export interface TakenRows {
  readonly texts: readonly string[];
  readonly keys: readonly JobKey[];
}

/**
 * Checks rows and takes the right ones. The wrong ones go into `rejections`; without it they are
 * thrown, with all of their problems, at most {@link MAX_PROBLEMS}.
 */
export function takeRows(
  rows: readonly (UploadRow | RejectedRow)[],
  firstIndex: number,
  check: RowCheck,
  rejections?: Rejections,
): TakenRows {
  const texts: string[] = [];
  const keys: JobKey[] = [];
  const wrong: Problem[] = [];
  for (let i = 0; i < rows.length && wrong.length < MAX_PROBLEMS; i++) {
    const row = rows[i] as UploadRow | RejectedRow;
    const { problems, key } = 'problem' in row ? { problems: [row.problem] } : check(row.payload);
    if (problems === undefined) {
      const { text, payload } = row as UploadRow;
      texts.push(text ?? JSON.stringify(payload));
      keys.push(key as JobKey);
      continue;
    }
    const place = row.line === undefined ? { index: firstIndex + i } : { line: row.line };
    const placed = problems.map((problem) => ({ ...place, ...problem }));
    if (rejections === undefined) wrong.push(...placed);
    else rejections.add(placed);
  }
  if (wrong.length > 0) throw invalid(wrong.slice(0, MAX_PROBLEMS));
  return { texts, keys };
}

function invalid(problems: readonly Problem[]): InvalidInputError {
  const { index, line, path, message } = problems[0] as Problem;
  const place = line === undefined ? `Job ${index}` : `Line ${line}`;
  const text = `${place} is invalid at '${path}': ${message}. Nothing was stored`;
  return new InvalidInputError('invalid_payload', text, problems);
}

/** Leaves out the rows whose key an earlier one of them has. */
export function withoutDuplicates({ texts, keys }: TakenRows): TakenRows {
  const seen = new Set<JobKey>();
  const isFirst = keys.map((key) => {
    if (key === null) return true;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  const kept = (_: unknown, at: number): boolean => isFirst[at] === true;
  return { texts: texts.filter(kept), keys: keys.filter(kept) };
}
