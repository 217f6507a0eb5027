import { expect, it } from 'vitest';
import { sabotaged } from '../src/sabotage.ts';

const TAKEN = { key: 'a', taken: true };
const REFUSED = { key: 'b', taken: false };

it('falsifies one entry of a book, and leaves the book itself alone', () => {
  const book = [REFUSED, TAKEN];
  expect(sabotaged(book, undefined)).toEqual(book);
  expect(sabotaged(book, 'drop-one')).toEqual([REFUSED]);
  expect(sabotaged(book, 'double-one')).toEqual([REFUSED, TAKEN, TAKEN]);
  expect(sabotaged(book, 'accept-failed')).toEqual([{ key: 'b', taken: true }, TAKEN]);
  expect(book).toEqual([REFUSED, TAKEN]);
});

it('refuses to pass as sabotage where there is nothing to falsify', () => {
  expect(() => sabotaged([TAKEN], 'accept-failed')).toThrow('found nothing to falsify');
  expect(() => sabotaged([], 'drop-one')).toThrow('found nothing to falsify');
});
