import { describe, expect, it } from 'vitest';
import type { SmtpCredentials } from '../../src/smtp/credentials.ts';
import { settingsOf } from '../../src/smtp/settings.ts';

const of = (credentials: SmtpCredentials) => {
  const settings = settingsOf(credentials);
  if (typeof settings === 'string') throw new Error(settings);
  return settings;
};

describe('settingsOf', () => {
  it.each<[SmtpCredentials, string, number]>([
    [{ host: 'smtp.example.com' }, 'starttls', 587],
    [{ host: 'smtp.example.com', port: 25 }, 'starttls', 25],
    [{ host: 'smtp.example.com', port: 465 }, 'implicit', 465],
    [{ host: 'smtp.example.com', tls: 'implicit' }, 'implicit', 465],
    [{ host: 'smtp.example.com', tls: 'none', port: 465 }, 'none', 465],
    [{ host: '10.0.0.1' }, 'starttls', 587],
    [{ host: 'localhost.evil.example' }, 'starttls', 587],
    [{ host: '127.0.0.1', port: 1025 }, 'none', 1025],
    [{ host: 'localhost', port: 1025 }, 'none', 1025],
    [{ host: '::1', port: 1025 }, 'none', 1025],
  ])('encrypts by default wherever a network is between: %j', (credentials, tls, port) => {
    expect(of(credentials)).toMatchObject({ tls, port });
  });

  it('checks certificates, and the name in them, unless it is told not to', () => {
    expect(of({ host: 'smtp.example.com' }).tlsOptions).toEqual({
      rejectUnauthorized: true,
      servername: 'smtp.example.com',
    });
    expect(
      of({ host: '192.0.2.1', tlsServername: 'a.example', tlsRejectUnauthorized: false }).tlsOptions,
    ).toEqual({
      rejectUnauthorized: false,
      servername: 'a.example',
    });
  });

  it('writes the id of a job into the sender of the envelope', () => {
    const { envelopeFrom } = of({ host: 'a.example', envelopeFrom: 'bounces+{job}@a.example' });
    expect(envelopeFrom?.('0195f3c8-7b1a-7000-8000-000000000000.7')).toBe(
      'bounces+0195f3c8-7b1a-7000-8000-000000000000.7@a.example',
    );
    expect(envelopeFrom?.('odd key\r\n')).toMatch(/^bounces\+[0-9a-f]{40}@a\.example$/);
    expect(settingsOf({ host: 'a.example', envelopeFrom: `${'a'.repeat(40)}{job}@a.example` })).toContain(
      'envelopeFrom',
    );
  });
});
