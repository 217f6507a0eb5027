import { unusedPort } from '@batchsender/core/testing';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Action,
  can,
  cut,
  type RawServer,
  rawServer,
  type Script,
  silence,
} from '../helpers/raw-server.ts';
import { openSender, type Sender } from '../helpers/session.ts';

let server: RawServer;
let sender: Sender;

async function start(script: Script, credentials: Parameters<typeof openSender>[1] = {}): Promise<void> {
  server = await rawServer(script);
  sender = await openSender(server.port, credentials);
}

afterEach(async () => {
  await sender?.close();
  await server?.close();
});

const login = { user: 'ada', password: 'secret-91f2c7' };
const offersLogin = can('PIPELINING', 'AUTH PLAIN LOGIN');

describe('a refusal', () => {
  it.each<[name: string, script: Script, status: string, code: string]>([
    ['greeting 554', { greeting: '554 5.7.1 Go away' }, 'blocked', 'server_refused'],
    ['greeting 421', { greeting: '421 4.3.2 Later' }, 'throttled', 'server_unavailable'],
    ['EHLO 550', { ehlo: '550 Who are you' }, 'blocked', 'server_refused'],
    ['MAIL 550', { mail: '550 5.7.1 <news@sender.example> not yours' }, 'failed', 'sender_refused'],
    ['MAIL 553', { mail: '553 5.1.8 Bad sender' }, 'failed', 'sender_refused'],
    ['MAIL 530', { mail: '530 5.7.0 Authentication required' }, 'blocked', 'auth_required'],
    ['MAIL 552', { mail: '552 5.3.4 Too big' }, 'failed', 'message_too_large'],
    ['MAIL 451', { mail: '451 4.3.0 Try later' }, 'retry', 'server_error'],
    ['MAIL 421', { mail: '421 4.7.0 Too many' }, 'throttled', 'policy_refused'],
    ['MAIL 451 4.7.0', { mail: '451 4.7.0 Slow down' }, 'throttled', 'policy_refused'],
    ['MAIL 503', { mail: '503 5.5.1 Bad sequence' }, 'retry', 'bad_sequence'],
    ['RCPT 550 5.1.1', { rcpt: '550 5.1.1 <ada@example.com>: no such user' }, 'failed', 'mailbox_unknown'],
    ['RCPT 550', { rcpt: '550 No' }, 'failed', 'mailbox_unavailable'],
    ['RCPT 552 5.2.2', { rcpt: '552 5.2.2 Full' }, 'failed', 'mailbox_full'],
    ['RCPT 452 4.2.2', { rcpt: '452 4.2.2 Full' }, 'retry', 'mailbox_full'],
    ['RCPT 450 4.7.1', { rcpt: '450 4.7.1 Greylisted' }, 'retry', 'policy_refused'],
    ['RCPT 452 4.5.3', { rcpt: '452 4.5.3 Too many' }, 'retry', 'too_many_recipients'],
    ['RCPT 556', { rcpt: '556 5.1.10 Null MX' }, 'failed', 'domain_takes_no_mail'],
    ['DATA 554', { data: '554 5.5.1 No' }, 'failed', 'message_refused'],
    ['DATA 451', { data: '451 Later' }, 'retry', 'server_error'],
    ['dot 554 5.7.1', { dot: '554 5.7.1 Spam' }, 'failed', 'policy_refused'],
    ['dot 550 5.7.26', { dot: '550 5.7.26 No SPF' }, 'failed', 'sender_not_authenticated'],
    ['dot 552', { dot: '552 5.3.4 Too big' }, 'failed', 'message_too_large'],
    ['dot 451', { dot: '451 4.3.0 Error' }, 'retry', 'server_error'],
    ['dot 421', { dot: '421 4.3.2 Shutting down' }, 'throttled', 'server_unavailable'],
    ['dot 452 4.3.1', { dot: '452 4.3.1 Disk full' }, 'retry', 'server_full'],
  ])('%s', async (_name, script, status, code) => {
    await start(script);
    const result = await sender.send();
    expect(result).toMatchObject({ status, code });
    expect(JSON.stringify(result)).not.toMatch(/example\.com|sender\.example|secret/);
  });

  it.each<[Action, string, string]>([
    ['535 5.7.8 Wrong password of ada', 'blocked', 'auth_failed'],
    ['534 5.7.9 Mechanism too weak', 'blocked', 'auth_failed'],
    ['504 5.5.4 Unknown mechanism', 'blocked', 'auth_failed'],
    ['454 4.7.0 Temporary authentication failure', 'throttled', 'auth_unavailable'],
    ['421 4.7.0 Too many logins', 'throttled', 'auth_unavailable'],
    [cut, 'retry', 'connection_closed'],
  ])('of a login, %s, is about the connection', async (auth, status, code) => {
    await start({ ehlo: offersLogin, auth }, { ...login, tls: 'none' });
    expect(await sender.send()).toMatchObject({ status, code });
    expect(server.commands.some((line) => line.startsWith('MAIL'))).toBe(false);
  });

  it('says by code and step what happened, for people who count', async () => {
    await start({ rcpt: '550 5.1.1 <ada@example.com> is unknown' });
    expect(await sender.send()).toEqual({
      status: 'failed',
      code: 'mailbox_unknown',
      message: 'The server refused the recipient (550 5.1.1)',
      data: { smtpStatus: 550, enhancedStatus: '5.1.1', step: 'rcpt' },
    });
  });

  it('leaves a deferred mailbox at least five minutes', async () => {
    await start({ rcpt: '450 4.7.1 Greylisted' });
    expect(await sender.send()).toMatchObject({ status: 'retry', afterMs: 300_000 });
  });

  it('does not cost the connection', async () => {
    await start({ rcpt: '550 5.1.1 No' });
    await sender.send();
    server.script = {};
    expect(await sender.send()).toMatchObject({ status: 'succeeded' });
    expect(server.connections).toBe(1);
    expect(server.commands).toContain('RSET');
  });

  it.each([can('PIPELINING'), can()])('of MAIL means that no message follows (%s)', async (ehlo) => {
    await start({ ehlo, mail: '550 No', data: '354 Go on all the same' });
    expect(await sender.send()).toMatchObject({ status: 'failed', code: 'sender_refused' });
    expect(server.messages).toEqual([]);
  });
});

describe('a connection that ends', () => {
  it.each<[name: string, script: Script, status: string]>([
    ['before the greeting', { greeting: cut }, 'retry'],
    ['at EHLO', { ehlo: cut }, 'retry'],
    ['at MAIL', { mail: cut }, 'retry'],
    ['at RCPT', { rcpt: cut }, 'retry'],
    ['at DATA', { data: cut }, 'retry'],
    ['after the final dot', { dot: cut }, 'unknown'],
  ])('%s', async (_name, script, status) => {
    await start(script);
    const result = await sender.send();
    expect(result).toMatchObject({ status, code: expect.stringMatching(/^connection_(closed|reset)$/) });
    expect(result).not.toHaveProperty('possibleDuplicate');
    expect(server.connections).toBe(1);
  });

  const large = Array.from({ length: 10 }, (_, at) => ({
    filename: `${at}.bin`,
    content: Buffer.alloc(1_400_000, at).toString('base64'),
  }));

  it('in the middle of the message has not delivered it', async () => {
    await start({
      data: (socket) => {
        socket.write('354 Go on\r\n');
        socket.removeAllListeners('data');
        socket.once('data', () => socket.destroy());
      },
    });
    expect(await sender.send({ attachments: large })).toMatchObject({
      status: 'retry',
      code: expect.stringMatching(/^connection_(closed|reset)$/),
    });
    expect(server.messages).toEqual([]);
  });

  it('with a refusal in the middle of the message is not used again', async () => {
    await start({
      data: (socket) => {
        socket.write('354 Go on\r\n');
        socket.removeAllListeners('data');
        socket.once('data', () => {
          socket.pause();
          socket.write('552 5.3.4 Too big\r\n');
        });
      },
    });
    expect(await sender.send({ attachments: large })).toMatchObject({
      status: 'failed',
      code: 'message_too_large',
    });
    server.script = {};
    expect(await sender.send()).toMatchObject({ status: 'succeeded' });
    expect(server.connections).toBe(2);
  });
});

describe('a server that stalls', () => {
  it.each<[name: string, script: Script, status: string]>([
    ['at the greeting', { greeting: silence }, 'retry'],
    ['at EHLO', { ehlo: silence }, 'retry'],
    ['at MAIL', { mail: silence }, 'retry'],
    ['at RCPT', { rcpt: silence }, 'retry'],
    ['at DATA', { data: silence }, 'retry'],
    ['after the final dot', { dot: silence }, 'unknown'],
  ])('%s: the deadline ends the call', async (_name, script, status) => {
    await start(script);
    expect(await sender.send({}, { signal: AbortSignal.timeout(300) })).toMatchObject({
      status,
      code: 'timeout',
    });
  });

  it('is left after the time for a connection or a reply', async () => {
    await start({ greeting: silence }, { connectTimeoutMs: 200, replyTimeoutMs: 200 });
    expect(await sender.send()).toMatchObject({ status: 'retry', code: 'timeout' });
    server.script = { mail: silence };
    expect(await sender.send()).toMatchObject({ status: 'retry', code: 'timeout' });
    server.script = { dot: silence };
    expect(await sender.send()).toMatchObject({ status: 'unknown', code: 'timeout' });
  });

  it('is left when the process stops', async () => {
    await start({ dot: silence });
    const stop = new AbortController();
    const sent = sender.send({}, { signal: stop.signal });
    await expect.poll(() => server.messages.length).toBe(1);
    stop.abort(Object.assign(new Error('stop'), { name: 'AbortError' }));
    expect(await sent).toMatchObject({ status: 'unknown', code: 'aborted' });
  });
});

describe('a server that answers garbage', () => {
  it.each<[name: string, script: Script, status: string]>([
    ['as greeting', { greeting: '<html>' }, 'retry'],
    ['at EHLO', { ehlo: 'HTTP/1.1 400 Bad Request' }, 'retry'],
    ['at MAIL', { mail: 'what?' }, 'retry'],
    ['at RCPT', { rcpt: 'what?' }, 'retry'],
    ['at DATA', { data: 'what?' }, 'retry'],
    ['at the final dot', { dot: '<html>200 OK</html>' }, 'unknown'],
    ['that looks like success', { dot: '2fine' }, 'unknown'],
    ['that asks for more', { dot: '354 More' }, 'unknown'],
  ])('%s', async (_name, script, status) => {
    await start(script);
    expect(await sender.send()).toMatchObject({ status });
  });

  it('without an end is cut off', async () => {
    await start({ greeting: (socket) => socket.write('220-x'.repeat(50_000)) });
    expect(await sender.send()).toMatchObject({ status: 'retry', code: 'invalid_response' });
  });
});

describe('a server that is not there', () => {
  it('is a retry', async () => {
    server = await rawServer();
    sender = await openSender(await unusedPort());
    expect(await sender.send()).toMatchObject({ status: 'retry', code: 'connection_refused' });
  });

  it('is a retry when its name does not exist', async () => {
    server = await rawServer();
    sender = await openSender(server.port, { host: 'mail.invalid', tls: 'none' });
    expect(await sender.send()).toMatchObject({ status: 'retry', code: expect.stringMatching(/^dns_/) });
  });

  it.each(['127.0.0.1', 'localhost', '0x7f.1', '2130706433', '::ffff:127.0.0.1'])(
    'blocks the connection where %s is not allowed',
    async (host) => {
      server = await rawServer();
      sender = await openSender(server.port, { host }, { allow: [] });
      expect(await sender.send()).toMatchObject({
        status: 'blocked',
        code: 'address_not_allowed',
        message: expect.stringContaining('BATCHSENDER_ALLOW_NETWORKS'),
      });
      expect(server.connections).toBe(0);
    },
  );
});
