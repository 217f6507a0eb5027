import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { authorizationOf } from '../../src/vonage/authorization.ts';
import { API_KEY, APPLICATION_ID, claimsOf, PRIVATE_KEY } from '../helpers/vonage-server.ts';

const credentials = { apiKey: API_KEY, applicationId: APPLICATION_ID, privateKey: PRIVATE_KEY };

describe('the token of an application', () => {
  it('is made anew before it expires, and when the clock goes back', () => {
    const authorization = authorizationOf(credentials);
    if (typeof authorization === 'string') throw new Error(authorization);
    const start = 1_800_000_000_000;
    const first = authorization(start);
    expect(authorization(start + 599_999)).toBe(first);
    const second = authorization(start + 600_000);
    expect(second).not.toBe(first);
    expect(claimsOf(second)).toMatchObject({
      iat: (start + 600_000) / 1_000,
      exp: (start + 1_500_000) / 1_000,
    });
    expect(authorization(start)).not.toBe(second);
    expect(claimsOf(first)?.['jti']).not.toBe(claimsOf(second)?.['jti']);
  });

  it('is signed by an RSA key and no other', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(authorizationOf({ ...credentials, privateKey: pem })).toMatch(/no private key/);
  });
});
