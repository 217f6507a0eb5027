import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { certificate } from '../../../../core/test/helpers/certificate.ts';

/** A request as the receiver saw it. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A real server on 127.0.0.1 that answers as it is told. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** Connections accepted so far. */
  readonly sockets: number;
  close(): Promise<void>;
}

export type Answer = (request: Received, response: ServerResponse) => void;

/** Answers 200 with a small body. */
export const ok: Answer = (_request, response) => {
  response.end('{"ok":true}');
};

export async function receiver(answer: Answer = ok, options: { tls?: boolean } = {}): Promise<Receiver> {
  const received: Received[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const seen = { method, path, headers, body: Buffer.concat(chunks).toString() };
      received.push(seen);
      answer(seen, response);
    });
  };
  const server = options.tls ? createTlsServer(certificate, listener) : createServer(listener);
  const started = await listen(server, options.tls ? 'https' : 'http');
  return Object.assign(started, { received });
}

/** A TCP server that does what it is told with each connection. */
export function tcpReceiver(onConnection: (socket: Socket) => void): Promise<Receiver> {
  return listen(createTcpServer(onConnection), 'http').then((server) =>
    Object.assign(server, { received: [] }),
  );
}

/** A port of 127.0.0.1 where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = await tcpReceiver((socket) => socket.destroy());
  await server.close();
  return server.port;
}

async function listen(server: Server, scheme: string): Promise<Omit<Receiver, 'received'>> {
  const open = new Set<Socket>();
  let sockets = 0;
  server.on('connection', (socket: Socket) => {
    sockets++;
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    get sockets() {
      return sockets;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
