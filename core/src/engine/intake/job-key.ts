import { hash } from 'node:crypto';
import type { JobPayload } from '../../plugin/index.ts';

/** What tells duplicates of a job: 32 hexadecimal digits, or null if it has no value to compare. */
export type JobKey = string | null;

const HEX_DIGITS = 32;

/**
 * The key by which jobs of a batch are told apart: 16 bytes of the SHA-256 of the values at the
 * paths. Values are equal if their JSON is, with the names of objects in any order: `1` and `1.0`
 * are equal, `1` and `"1"` or `A` and `a` are not, and numbers are compared as JavaScript reads
 * them. A missing value, null and an empty string are all "no value"; a job without a value at any
 * of the paths has no key. The batch's id is hashed too, so that keys of two batches tell nothing
 * about each other.
 */
export function jobKeyOf(batchId: string, paths: readonly string[]): (payload: JobPayload) => JobKey {
  const names = paths.map((path) => path.split('.'));
  return (payload) => {
    const values = names.map((path) => valueAt(payload, path));
    if (values.every((value) => value === undefined)) return null;
    const text = values.map((value) => (value === undefined ? '' : canonicalJson(value))).join(',');
    return hash('sha256', `${batchId}\n${text}`, 'hex').slice(0, HEX_DIGITS);
  };
}

/** Undefined for what is missing, null or empty. */
function valueAt(payload: JobPayload, names: readonly string[]): unknown {
  let value: unknown = payload;
  for (const name of names) {
    // Own fields only, and no `length` of a list.
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    if (Array.isArray(value) && !/^\d+$/.test(name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value === null || value === '' ? undefined : value;
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, typeof value === 'object' ? sortNames : undefined) ?? '';
}

function sortNames(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
