import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { closedPort, type Receiver, receiver, tcpReceiver } from './helpers/receiver.ts';
import { openSender, type Sender } from './helpers/session.ts';

let sender: Sender;
const running: Receiver[] = [];

beforeAll(async () => {
  sender = await openSender();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});
afterAll(() => sender.close());

async function started(server: Promise<Receiver>): Promise<Receiver> {
  const ready = await server;
  running.push(ready);
  return ready;
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n';

describe('before a byte of the request left, a call', () => {
  it('is retried when the name does not exist', async () => {
    const result = await sender.send({ url: 'https://nobody.invalid/path?token=secret' });
    expect(result).toMatchObject({ status: 'retry', code: expect.stringMatching(/^dns_/) });
    expect(result).not.toHaveProperty('possibleDuplicate');
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  it('is retried when the connection is refused', async () => {
    expect(await sender.send({ url: `http://127.0.0.1:${await closedPort()}/` })).toEqual({
      status: 'retry',
      code: 'connection_refused',
      message: 'The connection was refused (ECONNREFUSED)',
    });
  });

  it('is retried when the certificate is not to be trusted', async () => {
    const server = await started(receiver(undefined, { tls: true }));
    expect(await sender.send({ url: server.url })).toEqual({
      status: 'retry',
      code: 'tls_certificate',
      message: "The receiver's certificate is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT)",
    });
    expect(server.received).toEqual([]);
  });

  it('is retried when the receiver does not speak TLS', async () => {
    const server = await started(receiver());
    const result = await sender.send({ url: server.url.replace('http:', 'https:') });
    expect(result).toMatchObject({ status: 'retry', code: 'tls_handshake' });
    expect(result).not.toHaveProperty('possibleDuplicate');
  });

  it('is retried when the connection is cut during the TLS handshake', async () => {
    const server = await started(
      tcpReceiver((socket) => socket.once('data', () => socket.resetAndDestroy())),
    );
    const result = await sender.send({ url: server.url.replace('http:', 'https:') });
    expect(result).toMatchObject({ status: 'retry', code: 'connection_reset' });
    expect(result).not.toHaveProperty('possibleDuplicate');
  });

  it('is retried when no connection is made in time', async () => {
    const silent = await started(tcpReceiver((socket) => socket.resume()));
    const result = await sender.send({ url: silent.url.replace('http:', 'https:'), timeoutMs: 200 });
    expect(result).toEqual({
      status: 'retry',
      code: 'connect_timeout',
      message: 'No connection was made within 200 ms',
    });
  });
});

describe('a call that may have been received is retried and flagged', () => {
  const flagged = { status: 'retry', possibleDuplicate: true };

  it('when the connection is reset before the answer', async () => {
    const server = await started(
      tcpReceiver((socket) => socket.once('data', () => socket.resetAndDestroy())),
    );
    expect(await sender.send({ url: server.url })).toMatchObject({ ...flagged, code: 'connection_reset' });
  });

  it('when the connection is closed without an answer', async () => {
    const server = await started(tcpReceiver((socket) => socket.once('data', () => socket.end())));
    expect(await sender.send({ url: server.url })).toMatchObject({ ...flagged, code: 'connection_reset' });
  });

  it('when no answer comes in time, and then the connection is closed', async () => {
    let closed = false;
    const server = await started(
      tcpReceiver((socket) => {
        socket.resume();
        socket.on('close', () => {
          closed = true;
        });
      }),
    );
    const before = performance.now();
    expect(await sender.send({ url: server.url, timeoutMs: 300 })).toEqual({
      ...flagged,
      code: 'timeout',
      message: 'No complete answer came within 300 ms',
    });
    expect(performance.now() - before).toBeLessThan(2_000);
    await expect.poll(() => closed).toBe(true);
  });

  it('when the connection is cut in the middle of the body', async () => {
    const server = await started(
      tcpReceiver((socket) =>
        socket.once('data', () => socket.write(`${HEAD}half`, () => socket.resetAndDestroy())),
      ),
    );
    expect(await sender.send({ url: server.url })).toMatchObject({ ...flagged, code: 'connection_reset' });
  });

  it('when the body ends too early', async () => {
    const server = await started(
      tcpReceiver((socket) => socket.once('data', () => socket.end(`${HEAD}half`))),
    );
    expect(await sender.send({ url: server.url })).toMatchObject(flagged);
  });

  it('when the body drips so slowly that it is not complete in time', async () => {
    const server = await started(
      tcpReceiver((socket) =>
        socket.once('data', () => {
          socket.write(HEAD);
          const drip = setInterval(() => socket.write('.'), 50);
          socket.on('close', () => clearInterval(drip));
        }),
      ),
    );
    expect(await sender.send({ url: server.url, timeoutMs: 400 })).toMatchObject({
      ...flagged,
      code: 'timeout',
    });
  });

  it('when the answer is not HTTP', async () => {
    const server = await started(
      tcpReceiver((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH\r\n'))),
    );
    expect(await sender.send({ url: server.url })).toMatchObject({ ...flagged, code: 'invalid_response' });
  });

  it('when the headers are huge', async () => {
    const huge = `HTTP/1.1 200 OK\r\nx-big: ${'x'.repeat(100_000)}\r\n\r\n`;
    const server = await started(tcpReceiver((socket) => socket.once('data', () => socket.write(huge))));
    expect(await sender.send({ url: server.url })).toMatchObject({ ...flagged, code: 'invalid_response' });
  });

  it('when the process stops during the call', async () => {
    const silent = await started(tcpReceiver((socket) => socket.resume()));
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('shutting down')), 100);
    expect(await sender.send({ url: silent.url }, { stop: stop.signal })).toMatchObject({
      ...flagged,
      code: 'aborted',
    });
  });
});

describe('a call', () => {
  it('is not made when the process has stopped already', async () => {
    const server = await started(receiver());
    const result = await sender.send({ url: server.url }, { stop: AbortSignal.abort() });
    expect(result).toMatchObject({ status: 'retry', code: 'aborted' });
    expect(result).not.toHaveProperty('possibleDuplicate');
    expect(server.received).toEqual([]);
  });

  it('succeeds over TLS with a certificate that the process trusts', async () => {
    const { setDefaultCACertificates, getCACertificates } = await import('node:tls');
    const { certificate } = await import('../../../core/test/helpers/certificate.ts');
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, certificate.cert]);
    const server = await started(receiver(undefined, { tls: true }));
    const trusting = await openSender();
    const result = await trusting.send({ url: server.url.replace('127.0.0.1', 'localhost') });
    setDefaultCACertificates(before);
    await trusting.close();
    expect(result).toMatchObject({ status: 'succeeded' });
  });

  it('reads a huge body only up to the limit, and judges by the status', async () => {
    let written = 0;
    const server = await started(
      receiver((_request, response) => {
        const pour = (): void => {
          while (!response.destroyed && written < 200_000_000) {
            written += 65_536;
            if (!response.write(Buffer.alloc(65_536, 'x'))) return void response.once('drain', pour);
          }
        };
        pour();
      }),
    );
    expect(await sender.send({ url: server.url })).toMatchObject({ status: 'succeeded' });
    await sleep(100);
    expect(written).toBeLessThan(50_000_000);
  });

  it('says that a huge body is too long to be checked', async () => {
    const server = await started(
      receiver((_request, response) => void response.end(`[${'1,'.repeat(100_000)}1]`)),
    );
    expect(await sender.send({ url: server.url, successBody: { jsonPointer: '/0' } })).toMatchObject({
      status: 'failed',
      code: 'body_check_failed',
      message: expect.stringContaining('64 kB'),
    });
    expect(await sender.send({ url: server.url, successBody: { contains: '1,1,1' } })).toMatchObject({
      status: 'succeeded',
    });
  });

  it('ignores interim answers', async () => {
    const server = await started(
      tcpReceiver((socket) =>
        socket.once('data', () =>
          socket.end(
            'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n',
          ),
        ),
      ),
    );
    expect(await sender.send({ url: server.url })).toMatchObject({ status: 'failed', code: 'http_404' });
  });
});
