import type { ResultRow } from '@batchsender/core';

/** One way to write results: what comes first, and a text for each block. */
export interface ResultFormat {
  readonly start: string;
  rows(block: readonly ResultRow[]): string;
}
