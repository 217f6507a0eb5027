import { describe, expect, test } from 'vitest';
import {
  givenTokenTimes,
  lifeOf,
  missingGrant,
  tokenTimes,
  withTokens,
} from '../../../src/engine/oauth/tokens.ts';
import type { OAuth } from '../../../src/plugin/index.ts';

const oauth: OAuth = { authorizationUrl: 'https://a.example', tokenUrl: 'https://t.example', scopes: [] };

describe('tokens', () => {
  test.each([
    ['a fifth of their life before it ends', 3_600, 2_880],
    ['at least a minute before it', 200, 140],
    ['at half of it, if they are short-lived', 60, 30],
    ['at half of it, if they live for seconds', 2, 1],
  ])('are refreshed %s', (_when, lifeS, afterS) => {
    expect(tokenTimes(lifeS, true)).toEqual({ expiresInMs: lifeS * 1_000, refreshInMs: afterS * 1_000 });
  });

  test('are not refreshed without a refresh token', () => {
    expect(tokenTimes(60, false).refreshInMs).toBeNull();
  });

  test('live as long as the answer says, else the declaration, else an hour', () => {
    expect(lifeOf({ expires_in: 10 }, { ...oauth, expiresIn: 20 })).toBe(10);
    expect(lifeOf({}, { ...oauth, expiresIn: 20 })).toBe(20);
    expect(lifeOf({ expires_in: 0 }, oauth)).toBe(3_600);
  });

  test('that were given are refreshed at once where there is no access token', () => {
    expect(givenTokenTimes({ refreshToken: 'r' }, oauth)).toEqual({ expiresInMs: 0, refreshInMs: 0 });
    expect(givenTokenTimes({ accessToken: 'a', refreshToken: 'r' }, oauth)?.refreshInMs).toBe(2_880_000);
    expect(givenTokenTimes({ accessToken: 'a' }, oauth)).toBeUndefined();
    expect(givenTokenTimes({ refreshToken: 'r' }, undefined)).toBeUndefined();
  });

  test('replace the old ones; a refresh token that was not replaced stays', () => {
    const before = { clientId: 'c', accessToken: 'a1', refreshToken: 'r1' };
    expect(withTokens(before, { access_token: 'a2' }, oauth)).toEqual({ ...before, accessToken: 'a2' });
    const fields: OAuth = { ...oauth, fields: (tokens) => ({ url: String(tokens['instance_url']) }) };
    const answer = { access_token: 'a2', refresh_token: 'r2', instance_url: 'https://i.example' };
    expect(withTokens(before, answer, fields)).toEqual({
      clientId: 'c',
      accessToken: 'a2',
      refreshToken: 'r2',
      url: 'https://i.example',
    });
  });

  test('are missing where a client has none; another way in needs no grant', () => {
    expect(missingGrant({ clientId: 'c' }, oauth)?.code).toBe('not_authorized');
    expect(missingGrant({ clientId: 'c', refreshToken: 'r' }, oauth)).toBeNull();
    expect(missingGrant({ apiToken: 'x' }, oauth)).toBeNull();
    expect(missingGrant({ clientId: 'c' }, undefined)).toBeNull();
  });
});
