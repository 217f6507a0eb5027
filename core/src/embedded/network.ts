import { connect, createServer } from 'node:net';
import { EmbeddedPostgresError, hasCode } from './errors.ts';

const HOST = '127.0.0.1';

/** Protocol 3.0 and a user: enough to make a server say whether it takes connections. */
function startupMessage(): Buffer {
  const body = Buffer.from('user\0batchsender\0\0', 'latin1');
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(196_608, 4);
  return Buffer.concat([head, body]);
}

/**
 * True if a Postgres on this port takes connections now. It answers a startup message with `R`
 * (asks for the password); with `E` while it starts up or shuts down.
 */
export function acceptsConnections(port: number, timeoutMs = 1_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port });
    const settle = (accepts: boolean) => {
      socket.destroy();
      resolve(accepts);
    };
    socket.setTimeout(timeoutMs, () => settle(false));
    socket.once('connect', () => socket.write(startupMessage()));
    socket.once('data', (answer) => settle(answer[0] === 'R'.charCodeAt(0)));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
  });
}

/**
 * A port on 127.0.0.1 that nothing listens on: `wanted`, or any.
 * @throws EmbeddedPostgresError `port_taken` if something listens on the wanted one.
 */
export function freePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => reject(hasCode(error, 'EADDRINUSE') ? portTaken(wanted) : error));
    server.listen({ host: HOST, port: wanted, exclusive: true }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : wanted;
      server.close(() => resolve(port));
    });
  });
}

/** The error for a fixed port that something else listens on. */
export const portTaken = (port: number): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    'port_taken',
    `Port ${port} on ${HOST} is taken by another program, so the embedded Postgres cannot use it. ` +
      'Leave the port out to get a free one, or stop the other program.',
  );
