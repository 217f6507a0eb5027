import { describe, expect, it } from 'vitest';
import { type Module, secret, Type } from '../../src/plugin/index.ts';
import { findLeak, personalData, secretsOf, wrongSecrets } from '../../src/testing/leaks.ts';
import { samplePlugin } from '../helpers/sample-plugin.ts';

const [module] = samplePlugin({ guarantee: { kind: 'at-least-once' }, batchSize: 1 }).modules as [Module];
const Schema = Type.Object({ user: Type.String(), keys: Type.Array(Type.Object({ key: secret() })) });
const VALUE = { user: 'ada', keys: [{ key: 'first-key' }, { key: 'second-key' }] };

describe('secretsOf', () => {
  it('finds the values of secret fields at any depth, with their place', () => {
    expect(secretsOf(VALUE, Schema, 'credentials')).toEqual([
      { text: 'first-key', from: 'credentials.keys.0.key' },
      { text: 'second-key', from: 'credentials.keys.1.key' },
    ]);
  });
});

describe('wrongSecrets', () => {
  it('changes the secrets and nothing else', () => {
    expect(wrongSecrets(VALUE, Schema)).toEqual({
      user: 'ada',
      keys: [{ key: 'wwwwwwwww' }, { key: 'wwwwwwwwww' }],
    });
  });
});

describe('personalData', () => {
  it('takes long strings, recipients, and what follows the host of a URL', () => {
    const payload = {
      to: 'a@b.c',
      text: 'see https',
      link: 'https://example.com/users/ada?x=1',
      n: 123_456,
      tag: 'welcome',
    };
    const texts = personalData(module, payload, ['welcome']).map(({ text }) => text);
    expect(texts).toEqual(['see https', 'https://example.com/users/ada?x=1', '/users/ada?x=1', '123456']);
  });
});

describe('findLeak', () => {
  const canaries = [{ text: 'Secret-Text', from: 'payload.text' }];

  it.each([
    ['in a message', { message: 'it said: secret-text!' }],
    ['in a name', { data: { 'secret-text': 1 } }],
    ['in a list', [['x', { y: 'SECRET-TEXT' }]]],
    ['in an error', new Error('secret-text')],
    ['in the cause of an error', { err: new Error('x', { cause: new Error('secret-text') }) }],
  ])('finds a text %s', (_where, kept) => {
    expect(findLeak(canaries, kept)).toEqual(canaries[0]);
  });

  it('ends for values that refer to themselves', () => {
    const value: Record<string, unknown> = {};
    value['self'] = value;
    expect(findLeak(canaries, value)).toBeUndefined();
  });
});
