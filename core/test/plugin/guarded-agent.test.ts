import type { lookup as systemLookup } from 'node:dns';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import type { Dispatcher } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { guardedAgent } from '../../src/plugin/index.ts';
import { certificate } from '../helpers/certificate.ts';
import { type HttpReceiver, httpReceiver } from '../helpers/http-receiver.ts';

const LOOPBACK = { allow: ['127.0.0.0/8', '::1'] };
const NOTHING = { allow: [] };

let receiver: HttpReceiver;
const agents: Dispatcher[] = [];

beforeAll(async () => {
  receiver = await httpReceiver((_request, response) => response.end('hello'));
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.destroy()));
});
afterAll(() => receiver.close());

function agentFor(...args: Parameters<typeof guardedAgent>): Dispatcher {
  const agent = guardedAgent(...args);
  agents.push(agent);
  return agent;
}

async function get(agent: Dispatcher, origin: string): Promise<string> {
  const answer = await agent.request({ origin, path: '/', method: 'GET' });
  return answer.body.text();
}

/** A name server whose answers are given one after the other; the last one stays. */
function nameServer(...answers: readonly { address: string; family: 4 | 6 }[][]): {
  lookup: typeof systemLookup;
  asked: number;
} {
  const server = {
    asked: 0,
    lookup: ((_host: string, _options: object, callback: (error: null, addresses: unknown) => void) => {
      const answer = answers[Math.min(server.asked++, answers.length - 1)];
      setImmediate(() => callback(null, answer));
    }) as unknown as typeof systemLookup,
  };
  return server;
}

const v4 = (address: string) => ({ address, family: 4 as const });
const v6 = (address: string) => ({ address, family: 6 as const });

describe('guardedAgent', () => {
  it.each([
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '0177.1',
    '127.1',
    '[::ffff:127.0.0.1]',
    '[::1]',
    '0',
    '[::]',
    'localhost',
    'localhost.',
  ])('refuses http://%s', async (host) => {
    const agent = agentFor(NOTHING);
    await expect(get(agent, `http://${host}:${receiver.port}`)).rejects.toMatchObject({
      code: 'ADDRESS_NOT_ALLOWED',
      notSent: true,
      message: expect.stringContaining('BATCHSENDER_ALLOW_NETWORKS'),
    });
  });

  it.each(['127.0.0.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]', 'localhost'])(
    'reaches http://%s when loopback is allowed',
    async (host) => {
      expect(await get(agentFor(LOOPBACK), `http://${host}:${receiver.port}`)).toBe('hello');
    },
  );

  it('refuses a name that resolves to a private address, naming the host only', async () => {
    const { lookup } = nameServer([v4('10.0.0.7'), v6('fd00::7')]);
    const agent = agentFor(NOTHING, { lookup });
    await expect(get(agent, 'http://intranet.example')).rejects.toThrow(
      'Calls to intranet.example are not allowed: it is not a public address (private).',
    );
  });

  it('dials the address that was checked, so that a name server cannot change its mind in between', async () => {
    const names = nameServer([v4('127.0.0.1')], [v4('10.0.0.7')]);
    const agent = agentFor(LOOPBACK, { lookup: names.lookup });
    expect(await get(agent, `http://rebind.example:${receiver.port}`)).toBe('hello');
    expect(names.asked).toBe(1);
  });

  it('checks every new connection again', async () => {
    const names = nameServer([v4('127.0.0.1')], [v4('10.0.0.7')]);
    const open = { origin: `http://rebind.example:${receiver.port}`, path: '/', method: 'GET' as const };
    const agent = agentFor(LOOPBACK, { lookup: names.lookup });
    await (await agent.request({ ...open, reset: true })).body.dump();
    await expect(agent.request(open)).rejects.toMatchObject({ code: 'ADDRESS_NOT_ALLOWED' });
  });

  it('dials only the allowed ones of several addresses', async () => {
    const { lookup } = nameServer([v6('fd00::7'), v4('10.0.0.7'), v4('127.0.0.1')]);
    const agent = agentFor({ allow: ['127.0.0.1'] }, { lookup });
    expect(await get(agent, `http://mixed.example:${receiver.port}`)).toBe('hello');
  });

  it('says that a name has no address', async () => {
    const { lookup } = nameServer([]);
    await expect(get(agentFor(NOTHING, { lookup }), 'http://empty.example')).rejects.toMatchObject({
      code: 'ENODATA',
    });
  });

  it('keeps connections', async () => {
    const agent = agentFor(LOOPBACK);
    const before = receiver.sockets;
    for (let i = 0; i < 10; i++) await get(agent, receiver.url);
    // undici frees a connection one turn of the event loop after its answer.
    expect(receiver.sockets - before).toBeLessThanOrEqual(2);
  });

  it('opens at most as many connections to an origin as it is told', async () => {
    const agent = agentFor(LOOPBACK, { connections: 3 });
    const before = receiver.sockets;
    await Promise.all(Array.from({ length: 20 }, () => get(agent, receiver.url)));
    expect(receiver.sockets - before).toBeLessThanOrEqual(3);
  });

  it('speaks TLS, and refuses a certificate that nobody vouches for', async () => {
    const server = createTlsServer(certificate, (_request, response) => response.end('safe'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
    const trusting = agentFor({ allow: ['127.0.0.1'] }, { tls: { ca: certificate.cert } });
    expect(await get(trusting, origin)).toBe('safe');
    await expect(get(agentFor(LOOPBACK), origin)).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    await expect(get(agentFor(NOTHING), origin)).rejects.toMatchObject({ code: 'ADDRESS_NOT_ALLOWED' });
    server.closeAllConnections();
    server.close();
  });

  it('gives up a connection that takes too long, the TLS handshake included', async () => {
    const silent = createServer((socket) => void socket.resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const origin = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const agent = agentFor(LOOPBACK, { connectTimeoutMs: 200 });
    await expect(get(agent, origin)).rejects.toMatchObject({ code: 'UND_ERR_CONNECT_TIMEOUT' });
    silent.close();
  });

  it.each(['ftp://example.com', 'file:///etc/passwd', 'gopher://example.com', 'data:text/plain,x'])(
    'does not speak %s',
    async (origin) => {
      await expect(get(agentFor(LOOPBACK), origin)).rejects.toMatchObject({ code: 'UND_ERR_INVALID_ARG' });
    },
  );

  it('names the broken entry of an allow list', () => {
    expect(() => guardedAgent({ allow: ['10.0.0.0/99'] })).toThrow("'10.0.0.0/99'");
  });
});
