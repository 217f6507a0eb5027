import { afterEach, describe, expect, it } from 'vitest';
import type { SmtpCredentials } from '../../src/smtp/credentials.ts';
import { smtp } from '../../src/smtp/smtp-provider.ts';
import { type MailServer, mailServer } from '../helpers/mail-server.ts';
import { cut, type RawServer, rawServer, silence } from '../helpers/raw-server.ts';
import { openSender, type Sender } from '../helpers/session.ts';

let server: MailServer | RawServer | undefined;
let sender: Sender;

afterEach(async () => {
  await sender?.close();
  await server?.close();
});

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));

describe('connections', () => {
  it('are used again, and no more are open than the settings allow', async () => {
    const mails = await mailServer();
    server = mails;
    sender = await openSender(mails.port, { maxConnections: 3 });
    const results = await Promise.all(times(60, (at) => sender.send({}, { id: `job.${at}` })));
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['succeeded']));
    expect(mails.received).toHaveLength(60);
    expect(mails.connections.most).toBeLessThanOrEqual(3);
    expect(mails.connections.total).toBeLessThanOrEqual(3);
  });

  it('E7: are as many as the engine makes calls at once, so that no call waits for one', async () => {
    const mails = await mailServer();
    server = mails;
    const concurrency = smtp.concurrency as (credentials: SmtpCredentials) => number;
    for (const settings of [{}, { maxConnections: 4 }]) {
      const calls = concurrency({ host: '127.0.0.1', ...settings });
      sender = await openSender(mails.port, settings);
      mails.connections.most = 0;
      await Promise.all(times(calls, (at) => sender.send({}, { id: `job.${at}` })));
      expect(mails.connections.most).toBe(calls);
      await sender.close();
      await expect.poll(() => mails.connections.open).toBe(0);
    }
  });

  it('are given up after so many messages as the settings say', async () => {
    const mails = await mailServer();
    server = mails;
    sender = await openSender(mails.port, { maxConnections: 1, maxMessagesPerConnection: 5 });
    for (const at of times(12, (index) => index)) await sender.send({}, { id: `job.${at}` });
    expect(mails.received).toHaveLength(12);
    expect(mails.connections.total).toBe(3);
  });

  it('that the server closed while they were idle cost no job anything', async () => {
    const raw = await rawServer({ dot: (socket) => socket.end('250 2.0.0 Ok\r\n') });
    server = raw;
    sender = await openSender(raw.port, { maxConnections: 1 });
    for (const at of times(5, (index) => index)) {
      expect(await sender.send({}, { id: `job.${at}` })).toMatchObject({ status: 'succeeded' });
    }
    expect(raw.messages).toHaveLength(5);
  });

  it.each([['421 4.4.2 Idle too long'], ['421 4.7.0 Too many messages in this session']])(
    'on which the server hangs up with %s are replaced within the call',
    async (reply) => {
      const raw = await rawServer();
      server = raw;
      sender = await openSender(raw.port, { maxConnections: 1 });
      await sender.send();
      raw.script = {
        mail: (socket) => {
          raw.script = {};
          socket.end(`${reply}\r\n`);
        },
      };
      expect(await sender.send()).toMatchObject({ status: 'succeeded' });
      expect(raw.messages).toHaveLength(2);
      expect(raw.connections).toBe(2);
    },
  );

  it('are replaced only once in a call', async () => {
    const raw = await rawServer();
    server = raw;
    sender = await openSender(raw.port, { maxConnections: 1 });
    await sender.send();
    raw.script = { mail: cut };
    expect(await sender.send()).toMatchObject({ status: 'retry' });
    expect(raw.connections).toBe(2);
  });

  it('never repeat a message that was handed over', async () => {
    const raw = await rawServer();
    server = raw;
    sender = await openSender(raw.port, { maxConnections: 1 });
    await sender.send();
    raw.script = { dot: cut };
    expect(await sender.send()).toMatchObject({ status: 'unknown' });
    expect(raw.messages).toHaveLength(2);
  });

  it('are waited for no longer than the call may take', async () => {
    const raw = await rawServer({ dot: silence });
    server = raw;
    sender = await openSender(raw.port, { maxConnections: 1 });
    const first = sender.send({}, { signal: AbortSignal.timeout(600) });
    await expect.poll(() => raw.messages.length).toBe(1);
    expect(await sender.send({}, { signal: AbortSignal.timeout(100) })).toMatchObject({
      status: 'retry',
      code: 'timeout',
    });
    expect(await first).toMatchObject({ status: 'unknown' });
    raw.script = {};
    expect(await sender.send()).toMatchObject({ status: 'succeeded' });
  });

  it('are made again after a server was gone', async () => {
    const raw = await rawServer({ greeting: cut });
    server = raw;
    sender = await openSender(raw.port, { maxConnections: 2 });
    const gone = await Promise.all(times(6, (at) => sender.send({}, { id: `job.${at}` })));
    expect(new Set(gone.map(({ status }) => status))).toEqual(new Set(['retry']));
    raw.script = {};
    expect(await sender.send()).toMatchObject({ status: 'succeeded' });
  });
});

describe('the pace', () => {
  it('gives back to the engine what would have to wait for more than a second', async () => {
    const mails = await mailServer();
    server = mails;
    sender = await openSender(mails.port, { maxPerSecond: 2 });
    const results = await Promise.all(times(6, (at) => sender.send({}, { id: `job.${at}` })));
    expect(results.map(({ status }) => status)).toEqual([
      ...times(3, () => 'succeeded'),
      ...times(3, () => 'throttled'),
    ]);
    expect(mails.received).toHaveLength(3);
  });
});

describe('health', () => {
  it('tells a server that works from one that does not', async () => {
    const raw = await rawServer();
    server = raw;
    sender = await openSender(raw.port);
    const { signal } = new AbortController();
    expect(await sender.session.health?.(signal)).toBeUndefined();
    raw.script = { greeting: '554 No' };
    expect(await sender.session.health?.(signal)).toMatchObject({ code: 'server_refused' });
    raw.script = { greeting: '421 Later' };
    expect(await sender.session.health?.(signal)).toMatchObject({ code: 'server_unavailable' });
    expect(raw.messages).toEqual([]);
  });
});
