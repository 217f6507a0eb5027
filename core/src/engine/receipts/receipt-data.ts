import { scrubText } from '../../plugin/scrub.ts';

/** Most bytes of a receipt's data, as JSON. */
const MAX_BYTES = 4_096;
const MAX_DEPTH = 4;

const ADDRESS = /[^\s<>"'(),;:@]+@[^\s<>"'(),;:@]+/g;
const NUMBER = /\+\d[\d ().-]{5,18}\d/g;

/**
 * The data of a receipt as it is kept: JSON text of codes, ids and times. Vendors put addresses into their
 * diagnostic texts, so those that look like one are taken out, as are paths and queries of URLs. What is too
 * large is left out as a whole, and says so.
 */
export function receiptData(data: unknown, at: Date | undefined): string | null {
  const time = at instanceof Date && !Number.isNaN(at.getTime()) ? { at: at.toISOString() } : {};
  const clean = { ...time, ...(isObject(data) ? (scrub(data, 0) as object) : {}) };
  if (Object.keys(clean).length === 0) return null;
  const text = JSON.stringify(clean);
  return Buffer.byteLength(text) <= MAX_BYTES ? text : JSON.stringify({ ...time, truncated: true });
}

function scrub(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return scrubAddresses(value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'object' || depth >= MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return value.map((item) => scrub(item, depth + 1) ?? null);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, scrub(item, depth + 1)]));
}

const scrubAddresses = (text: string): string =>
  scrubText(text.slice(0, MAX_BYTES))
    .replaceAll(ADDRESS, '[address]')
    .replaceAll(NUMBER, '[number]')
    .toWellFormed();

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
