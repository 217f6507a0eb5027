import type { Batch } from '@batchsender/core';

const MAX_NAME = 60;

/** A file name for an export that every system takes: ASCII letters, digits and hyphens. */
export function fileName(batch: Batch, states: readonly string[], extension: string): string {
  const name = plain(batch.name ?? '').slice(0, MAX_NAME) || batch.type;
  return `${['results', name, ...new Set(states), batch.id].join('-')}.${extension}`;
}

const plain = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
