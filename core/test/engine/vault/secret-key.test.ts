import { describe, expect, test } from 'vitest';
import { keyBytes, parseSecretKeys } from '../../../src/engine/vault/secret-key.ts';

const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7));
const base64 = bytes.toString('base64');

describe('a list of secret keys', () => {
  test.each([
    ['base64', base64],
    ['base64 without its end', base64.replace(/=+$/, '')],
    ['base64url', bytes.toString('base64url')],
    ['hex', bytes.toString('hex')],
  ])('takes 32 bytes as %s', (_form, text) => {
    expect(keyBytes(parseSecretKeys(`mine:${text}`).current)).toEqual(bytes);
  });

  test('the first one seals, the others open; a key without an id is named by its hash, wherever it stands', () => {
    const plain = parseSecretKeys(base64).current.id;
    expect(plain).toMatch(/^[0-9a-f]{8}$/);
    const { current, previous } = parseSecretKeys(`new:${bytes.toString('hex')}, ${base64}`);
    expect([current.id, previous?.map(({ id }) => id)]).toEqual(['new', [plain]]);
  });

  test.each([
    ['too few bytes', 'mine:c2hvcnQ='],
    ['no key', ''],
    ['an empty place in the list', `${base64},`],
    ['an id with a space', `my key:${base64}`],
    ['an id that is too long', `${'x'.repeat(33)}:${base64}`],
  ])('refuses %s, without showing it', (_what, text) => {
    expect(() => parseSecretKeys(text)).toThrow(expect.objectContaining({ code: 'secret_key_invalid' }));
    try {
      parseSecretKeys(text);
    } catch (error) {
      expect((error as Error).message).not.toContain(text.split(':')[1] ?? base64);
    }
  });
});
