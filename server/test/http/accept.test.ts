import { expect, test } from 'vitest';
import { preferredType } from '../../src/http/accept.ts';

const OFFERS = ['text/csv', 'application/x-ndjson'] as const;

test.each([
  [undefined, 'text/csv'],
  ['', 'text/csv'],
  ['*/*', 'text/csv'],
  ['text/csv', 'text/csv'],
  ['TEXT/CSV; charset=utf-8', 'text/csv'],
  ['application/x-ndjson', 'application/x-ndjson'],
  ['application/*', 'application/x-ndjson'],
  ['text/csv;q=0.5, application/x-ndjson', 'application/x-ndjson'],
  ['application/x-ndjson;q=0.1, text/*;q=0.2', 'text/csv'],
  ['text/csv;q=0, */*;q=0.1', 'application/x-ndjson'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/csv'],
  ['application/json', undefined],
  ['text/csv;q=0', undefined],
  ['text/csv;q=much', undefined],
  [';;,,=', undefined],
])('%j prefers %s', (accept, type) => {
  expect(preferredType(accept, OFFERS)).toBe(type);
});
