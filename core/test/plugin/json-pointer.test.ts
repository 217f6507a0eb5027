import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapePointer, parsePointer } from '../../src/plugin/index.ts';

describe('a name in a JSON pointer', () => {
  it('has its tilde and slash escaped', () => expect(escapePointer('a/b~c/')).toBe('a~1b~0c~1'));
});

describe('a JSON pointer', () => {
  it('is read back into the names that it was made of', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (names) => {
        expect(parsePointer(names.map((name) => `/${escapePointer(name)}`).join(''))).toEqual(names);
      }),
    );
  });

  it('takes ~01 for ~1 and not for a slash', () => expect(parsePointer('/a~01b')).toEqual(['a~1b']));

  it('of nothing means the whole', () => expect(parsePointer('')).toEqual([]));
});
