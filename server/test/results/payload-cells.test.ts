import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonCell } from '../../src/results/csv-cell.ts';
import { payloadCells } from '../../src/results/payload-cells.ts';
import { learnShape } from '../../src/results/payload-shape.ts';
import { pointerReader } from '../../src/results/pointer.ts';

const PATHS = ['/to', '/order', '/order/id', '/tags', '/tags/0', '/tags/length', '/a~1b', '', '/none'];

/** As it is without shapes. */
const parsed = (text: string): string[] =>
  PATHS.map((path) => jsonCell(pointerReader(path)(JSON.parse(text))));

const scalar = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('=1+1', "'x", 'a,b', 'say "hi"', '\ud800', ' ', '１＋１', '＝１'),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(null, true, false, -0, 0.1, 1e21, 1e-7),
);
/** Payloads of an upload: mostly of one kind. */
const similar = fc.record({
  to: scalar,
  order: fc.record({ id: scalar, total: scalar }),
  tags: fc.tuple(scalar, scalar),
});
const any = fc.dictionary(
  fc.constantFrom('to', 'order', 'tags', 'a/b', '10', '2', '__proto__', ''),
  fc.oneof(
    scalar,
    fc.array(scalar),
    fc.dictionary(fc.constantFrom('id', '7', 'x', '__proto__'), scalar),
    fc.jsonValue(),
  ),
);
const written = fc
  .tuple(fc.oneof({ weight: 4, arbitrary: similar }, any), fc.constantFrom(undefined, undefined, 1, '\t'))
  .map(([payload, indent]) => JSON.stringify(payload, null, indent));

test('cells that are cut out of a payload are those that the parser would give', () => {
  fc.assert(
    fc.property(fc.array(written, { minLength: 1, maxLength: 12 }), (texts) => {
      const cells = payloadCells(PATHS);
      for (const text of texts) expect(cells(text)).toEqual(parsed(text));
    }),
    { numRuns: 500 },
  );
});

describe('a row of another shape is parsed:', () => {
  const first = '{"to":"ada","order":{"id":1,"total":"2.50"},"tags":["a","b"]}';

  test.each([
    ['another order of fields', '{"order":{"id":1,"total":"2.50"},"to":"ada","tags":["a","b"]}'],
    ['a field more', '{"to":"ada","order":{"id":1,"total":"2.50"},"tags":["a","b"],"x":1}'],
    ['a field less', '{"to":"ada","order":{"id":1,"total":"2.50"}}'],
    ['an element more', '{"to":"ada","order":{"id":1,"total":"2.50"},"tags":["a","b","c"]}'],
    ['another kind of value', '{"to":null,"order":{"id":"1","total":2.5},"tags":["a",1]}'],
    ['an escape', String.raw`{"to":"a\"d\u00e4","order":{"id":1,"total":"2.50"},"tags":["a","b"]}`],
    ['numbers in other words', '{"to":"ada","order":{"id":1.0,"total":"2.50"},"tags":["a","b"]}'],
    ['a number with an exponent', '{"to":"ada","order":{"id":1e3,"total":"2.50"},"tags":["a","b"]}'],
    ['minus nought', '{"to":"ada","order":{"id":-0,"total":"2.50"},"tags":["a","b"]}'],
    ['a long number', '{"to":"ada","order":{"id":12345678901234567890,"total":"2.50"},"tags":["a","b"]}'],
    ['a field twice', '{"to":"ada","to":"bob","order":{"id":1,"total":"2.50"},"tags":["a","b"]}'],
    ['space', '{ "to" : "ada", "order":{"id":1,"total":"2.50"},"tags":["a","b"]} '],
  ])('%s', (_what, other) => {
    const cells = payloadCells(PATHS);
    for (const text of [first, other, first, other]) expect(cells(text)).toEqual(parsed(text));
  });
});

test('rows of a few kinds, and of more kinds than are kept, are read as they are', () => {
  const cells = payloadCells(PATHS);
  for (let row = 0; row < 300; row++) {
    const kind = row % (row < 100 ? 3 : 40);
    const text = JSON.stringify({ to: `user${row}`, [`field${kind}`]: row, order: { id: row } });
    expect(cells(text)).toEqual(parsed(text));
  }
});

describe('a shape', () => {
  test('reads rows that differ in their values only', () => {
    const shape = learnShape('{"to":"ada","order":{"id":1,"x":null}}', ['/to', '/order', '/order/x']);
    expect(shape?.('{"to":"b,c","order":{"id":-27.5,"x":true}}')).toEqual([
      '"b,c"',
      '"{""id"":-27.5,""x"":true}"',
      'true',
    ]);
    expect(shape?.('{"to":"","order":{"id":0,"x":null}}')).toEqual(['', '"{""id"":0,""x"":null}"', '']);
    expect(shape?.('{"to":"ada","order":{"id":"1","x":null}}')).toBeUndefined();
    expect(shape?.('{"to":"ada","order":{"id":1,"x":null},"y":1}')).toBeUndefined();
  });

  test('is not made of what has too many values or levels, or a field twice', () => {
    expect(learnShape(JSON.stringify(Array.from({ length: 1_000 }, (_, at) => at)), ['/0'])).toBeUndefined();
    expect(learnShape(`${'['.repeat(5_000)}${']'.repeat(5_000)}`, ['/0'])).toBeUndefined();
    expect(learnShape('{"a":1,"a":2}', ['/a'])).toBeUndefined();
    expect(learnShape('{"10":1,"2":2}', ['/2'])).toBeUndefined();
  });
});
