import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { recipientHasher } from '../../../src/engine/suppression/recipient-hash.ts';

function settingsWith(value?: unknown) {
  const kept = new Map<string, unknown>(value === undefined ? [] : [['suppression_key', value]]);
  return {
    kept,
    get: async (name: string) => kept.get(name),
    setOnce: async (name: string, given: unknown) => {
      if (!kept.has(name)) kept.set(name, given);
      return kept.get(name);
    },
  };
}

describe('the hash of a recipient', () => {
  it('is 16 bytes of an HMAC-SHA256 over tenant, type and recipient', async () => {
    const key = 'ab'.repeat(32);
    const hash = await recipientHasher(settingsWith(key))();
    const whole = createHmac('sha256', Buffer.from(key, 'hex'))
      .update('["t","mail","ann@x.y"]')
      .digest('hex');
    expect(hash('t', 'mail', 'ann@x.y')).toBe(whole.slice(0, 32));
  });

  it('differs by tenant, type and recipient, however they are cut', async () => {
    const hash = await recipientHasher(settingsWith())();
    const all = [
      hash('a', 'b', 'c'),
      hash('ab', '', 'c'),
      hash('a', 'bc', ''),
      hash('a","b', 'c', ''),
      hash('', 'b', 'c'),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('has a key that is made once, and kept', async () => {
    const settings = settingsWith();
    const first = (await recipientHasher(settings)())('t', 'mail', 'ann');
    expect((await recipientHasher(settings)())('t', 'mail', 'ann')).toBe(first);
    expect(settings.kept.get('suppression_key')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is refused with a key that is none: other hashes would free everybody', async () => {
    await expect(recipientHasher(settingsWith('short'))()).rejects.toThrow(/suppression_key/);
  });

  it('is asked for again after the database did not answer', async () => {
    const settings = settingsWith();
    let isDown = true;
    const hasher = recipientHasher({
      ...settings,
      get: async (name) => {
        if (isDown) throw new Error('down');
        return settings.get(name);
      },
    });
    await expect(hasher()).rejects.toThrow('down');
    isDown = false;
    expect((await hasher())('t', 'mail', 'ann')).toMatch(/^[0-9a-f]{32}$/);
  });
});
