import { expect, test } from 'vitest';
import { entryOf, importConditions } from '../../src/plugin-loader/entry.ts';

const conditions = importConditions([], '');
const entry = (exports: unknown, more: Iterable<string> = []): string | undefined =>
  entryOf('/p', { exports }, new Set([...more, ...conditions]));

test.each([
  ['./a.js', '/p/a.js'],
  [{ '.': './a.js' }, '/p/a.js'],
  [{ '.': { types: './a.d.ts', import: './a.mjs', require: './a.cjs' } }, '/p/a.mjs'],
  [{ import: { node: './n.js', default: './d.js' } }, '/p/n.js'],
  [{ '.': { browser: './b.js', default: './d.js' } }, '/p/d.js'],
  [{ '.': [{ deno: './x.js' }, './y.js'] }, '/p/y.js'],
  [{ '.': { require: './a.cjs' } }, undefined],
  [{ './other': './o.js' }, undefined],
])('the exports %j lead to %s', (exports, file) => {
  expect(entry(exports)).toBe(file);
});

test('a package without exports has its main file', () => {
  expect(entryOf('/p', { main: 'lib/x.js' }, conditions)).toBe('/p/lib/x.js');
  expect(entryOf('/p', {}, conditions)).toBe('/p/index.js');
});

test('the conditions of this process come first where the package has them', () => {
  const exports = { '.': { '@batchsender/source': './src/index.ts', default: './dist/index.js' } };
  expect(entry(exports)).toBe('/p/dist/index.js');
  expect(entry(exports, ['@batchsender/source'])).toBe('/p/src/index.ts');
});

test.each([
  [['--conditions=one', '-C', 'two'], ''],
  [['--conditions', 'one', '-C=two'], ''],
  [[], '--max-old-space-size=100 --conditions=one -C two'],
])('conditions are read from %j and NODE_OPTIONS=%s', (execArgv, nodeOptions) => {
  expect([...importConditions(execArgv, nodeOptions)].slice(0, 2)).toEqual(['one', 'two']);
});
