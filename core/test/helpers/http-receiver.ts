import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A real HTTP server on 127.0.0.1. */
export interface HttpReceiver {
  readonly url: string;
  readonly port: number;
  /** Connections accepted so far. */
  readonly sockets: number;
  close(): Promise<void>;
}

export async function httpReceiver(listener: RequestListener, host = '127.0.0.1'): Promise<HttpReceiver> {
  const server: Server = createServer(listener);
  let sockets = 0;
  server.on('connection', () => sockets++);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    get sockets() {
      return sockets;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
