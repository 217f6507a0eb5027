import { afterEach, describe, expect, it } from 'vitest';
import { certificate } from '../../../../core/test/helpers/certificate.ts';
import type { SmtpCredentials } from '../../src/smtp/credentials.ts';
import { type MailServer, mailServer } from '../helpers/mail-server.ts';
import { can, type RawServer, rawServer } from '../helpers/raw-server.ts';
import { openSender, type Sender } from '../helpers/session.ts';

let server: MailServer | RawServer | undefined;
let sender: Sender | undefined;

afterEach(async () => {
  await sender?.close();
  await server?.close();
});

const login = { user: 'ada', password: 'secret-91f2c7' };

async function send(port: number, credentials: Partial<SmtpCredentials>) {
  sender = await openSender(port, credentials);
  return sender.send();
}

const secure = { ...certificate, secure: true, disabledCommands: ['AUTH'] };
const upgradable = { ...certificate, disabledCommands: ['AUTH'] };

describe('a certificate', () => {
  it.each(['implicit', 'starttls'] as const)(
    'that is self-signed blocks the connection (%s)',
    async (tls) => {
      const mails = await mailServer(tls === 'implicit' ? secure : upgradable);
      server = mails;
      expect(await send(mails.port, { tls })).toMatchObject({ status: 'blocked', code: 'tls_certificate' });
      expect(mails.received).toEqual([]);
    },
  );

  it.each(['implicit', 'starttls', 'opportunistic'] as const)(
    'that is given by tlsCa is trusted (%s)',
    async (tls) => {
      const mails = await mailServer(tls === 'implicit' ? secure : upgradable);
      server = mails;
      expect(await send(mails.port, { tls, tlsCa: certificate.cert })).toMatchObject({ status: 'succeeded' });
      expect(mails.received).toHaveLength(1);
    },
  );

  it('for another name blocks the connection', async () => {
    const mails = await mailServer(secure);
    server = mails;
    const wrong = { tls: 'implicit', tlsCa: certificate.cert, tlsServername: 'mail.example.com' } as const;
    expect(await send(mails.port, wrong)).toMatchObject({
      status: 'blocked',
      code: 'tls_certificate',
      message: expect.stringContaining('another host name'),
    });
  });

  it('is not looked at if the settings say so', async () => {
    const mails = await mailServer(secure);
    server = mails;
    const careless = { tls: 'implicit', tlsRejectUnauthorized: false } as const;
    expect(await send(mails.port, careless)).toMatchObject({ status: 'succeeded' });
  });
});

describe('TLS that is not offered', () => {
  it('where it is required blocks the connection, and nothing is sent', async () => {
    const raw = await rawServer();
    server = raw;
    expect(await send(raw.port, { tls: 'starttls' })).toMatchObject({
      status: 'blocked',
      code: 'tls_not_offered',
    });
    expect(raw.commands.some((line) => line.startsWith('MAIL'))).toBe(false);
  });

  it('and refused for now is waited for', async () => {
    const raw = await rawServer({ ehlo: can('STARTTLS'), starttls: '454 4.7.0 TLS not available' });
    server = raw;
    expect(await send(raw.port, { tls: 'starttls' })).toMatchObject({
      status: 'throttled',
      code: 'starttls_unavailable',
    });
  });

  it('is done without where it is opportunistic, but no password is sent', async () => {
    const raw = await rawServer({ ehlo: can('AUTH PLAIN') });
    server = raw;
    expect(await send(raw.port, { tls: 'opportunistic' })).toMatchObject({ status: 'succeeded' });
    await sender?.close();
    expect(await send(raw.port, { tls: 'opportunistic', ...login })).toMatchObject({
      status: 'blocked',
      code: 'tls_not_offered',
    });
    expect(raw.commands.some((line) => line.startsWith('AUTH'))).toBe(false);
  });

  it('by a server that speaks plain text on a TLS port is a retry', async () => {
    const raw = await rawServer();
    server = raw;
    expect(await send(raw.port, { tls: 'implicit' })).toMatchObject({
      status: 'retry',
      code: 'tls_handshake',
    });
  });
});

describe('a login', () => {
  const guarded = {
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
    onAuth(
      auth: {
        username?: string | undefined;
        password?: string | undefined;
        validatePassword?(password: string): boolean;
      },
      _session: unknown,
      callback: (error: Error | null, response?: { user: string }) => void,
    ) {
      const right = auth.password === login.password || auth.validatePassword?.(login.password) === true;
      callback(right ? null : Object.assign(new Error('Wrong password'), { responseCode: 535 }), {
        user: 'ada',
      });
    },
  };

  it.each([undefined, 'PLAIN', 'LOGIN', 'CRAM-MD5'] as const)('works by %s', async (authMethod) => {
    const mails = await mailServer(guarded as never);
    server = mails;
    const method = authMethod === undefined ? {} : { authMethod };
    expect(await send(mails.port, { ...login, ...method })).toMatchObject({ status: 'succeeded' });
  });

  it('with a wrong password blocks the connection, without a word of the password', async () => {
    const mails = await mailServer(guarded as never);
    server = mails;
    const result = await send(mails.port, { ...login, password: 'wrong-password' });
    expect(result).toMatchObject({ status: 'blocked', code: 'auth_failed' });
    expect(JSON.stringify(result)).not.toContain('wrong-password');
  });

  it('that is missing where the server asks for it blocks the connection', async () => {
    const mails = await mailServer(guarded as never);
    server = mails;
    expect(await send(mails.port, {})).toMatchObject({ status: 'blocked', code: 'auth_required' });
  });

  it('is never left out in silence', async () => {
    const mails = await mailServer();
    server = mails;
    expect(await send(mails.port, login)).toMatchObject({ status: 'blocked', code: 'auth_not_offered' });
    expect(mails.received).toEqual([]);
  });

  it.each([
    [{ user: 'ada' }, 'user is set alone'],
    [{ password: 'secret-91f2c7' }, 'password is set alone'],
    [{ envelopeFrom: 'no address' }, 'envelopeFrom'],
  ])('with settings that contradict each other says which: %j', async (credentials, text) => {
    sender = await openSender(1, credentials);
    const expected = { code: 'invalid_settings', message: expect.stringContaining(text) };
    expect(await sender.send()).toMatchObject({ status: 'blocked', ...expected });
    expect(await sender.session.health?.(new AbortController().signal)).toMatchObject(expected);
  });
});
