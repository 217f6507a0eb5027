import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closedVault, createVault } from '../../../src/engine/vault/vault.ts';
import { testKey } from '../../helpers/vendor-plugin.ts';

const a = testKey('a');
const b = testKey('b');

const codeOf = (work: () => unknown): unknown => {
  try {
    return { answered: work() };
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

const decoded = (sealed: string): string =>
  sealed
    .split('.')
    .map((part) => Buffer.from(part, 'base64url').toString('hex'))
    .join('.');

describe('a vault', () => {
  test('opens what it sealed, whatever it is, and seals the same text differently each time', () => {
    const vault = createVault({ current: a });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, row) => {
        const sealed = vault.seal(text, row);
        expect(vault.open(sealed, row)).toBe(text);
        expect(vault.seal(text, row)).not.toBe(sealed);
      }),
    );
  });

  test('names version and key, and shows nothing of the text', () => {
    const sealed = createVault({ current: a }).seal('hunter2-hunter2', 'con_1');
    expect(sealed).toMatch(/^v1\.key-a\.[\w-]{16}\.[\w-]{22}\.[\w-]{20}$/);
    expect(Buffer.from(sealed.split('.')[4] ?? '', 'base64url').toString('latin1')).not.toContain('hunter2');
  });

  test('opens it for no other row', () => {
    const vault = createVault({ current: a });
    expect(codeOf(() => vault.open(vault.seal('x', 'con_1'), 'con_2'))).toBe('secret_key_wrong');
  });

  test('notices each change of what was sealed', () => {
    const vault = createVault({ current: a });
    const sealed = vault.seal('password', 'con_1');
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom('A', 'B', 'w', '8', '.'), (at, char) => {
        const changed = sealed.slice(0, at) + char + sealed.slice(at + 1);
        // The last character of a base64 text may have bits that mean nothing.
        fc.pre(decoded(changed) !== decoded(sealed));
        expect(codeOf(() => vault.open(changed, 'con_1'))).toMatch(/^secret_key_(wrong|missing)$/);
      }),
    );
  });

  test('opens by previous keys, and tells a missing key from a wrong one', () => {
    const old = createVault({ current: a }).seal('x', 'con_1');
    expect(createVault({ current: b, previous: [a] }).open(old, 'con_1')).toBe('x');
    expect(codeOf(() => createVault({ current: b }).open(old, 'con_1'))).toBe('secret_key_missing');
    const other = { ...b, id: a.id };
    expect(codeOf(() => createVault({ current: other }).open(old, 'con_1'))).toBe('secret_key_wrong');
  });

  test('refuses two keys of one id', () => {
    expect(codeOf(() => createVault({ current: a, previous: [{ ...b, id: a.id }] }))).toBe(
      'secret_key_invalid',
    );
  });

  test('without keys it neither seals nor opens, and says how to mend it', () => {
    expect(() => closedVault().seal('x', 'con_1')).toThrow(/BATCHSENDER_SECRET_KEY/);
    expect(codeOf(() => closedVault().open('x', 'con_1'))).toBe('secret_key_missing');
  });
});
