import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A message as the server got it. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Parameters of MAIL FROM. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly raw: string;
  readonly mail: Email;
}

/** A real SMTP server on 127.0.0.1. */
export interface MailServer {
  readonly port: number;
  readonly received: ReceivedMail[];
  /** Connections accepted so far, and most of them at once. */
  readonly connections: { total: number; open: number; most: number };
  close(): Promise<void>;
}

/** Starts a server that takes everything without a login, unless the options say otherwise. */
export async function mailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const connections = { total: 0, open: 0, most: 0 };
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onConnect(_session, callback) {
      connections.total++;
      connections.open++;
      connections.most = Math.max(connections.most, connections.open);
      callback();
    },
    onClose() {
      connections.open--;
    },
    onData(stream, { envelope }, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', async () => {
        const raw = Buffer.concat(chunks);
        const { mailFrom, rcptTo } = envelope;
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          parameters: mailFrom === false ? {} : (mailFrom.args as unknown as Record<string, unknown>),
          raw: raw.toString('latin1'),
          mail: await PostalMime.parse(raw),
        });
        callback(null, '2.0.0 Ok: queued as 4XyZ12abc');
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    received,
    connections,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
