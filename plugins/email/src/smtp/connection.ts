import type { NetworkPolicy } from '@batchsender/core/plugin';
import SMTPConnection, { type SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection';
import { dial } from './dial.ts';
import type { SmtpSettings } from './settings.ts';

/** An error of nodemailer, as far as it decides. Its text may quote addresses: it is never passed on. */
export interface SmtpError extends Error {
  /** nodemailer's kind: `EAUTH`, `ECONNECTION`, `EENVELOPE` … */
  readonly code?: string;
  /** Code of the system's error behind it, such as `ECONNREFUSED`. */
  readonly originalCode?: string;
  readonly command?: string;
  readonly response?: string;
  readonly responseCode?: number;
  readonly recipient?: string;
  readonly rejectedErrors?: readonly SmtpError[];
}

/** Raised where nodemailer would go on although the settings ask for more. */
class SetupError extends Error {
  override readonly name = 'SetupError';
  readonly code: 'tls_not_offered' | 'auth_not_offered' | 'connection_closed';

  constructor(code: SetupError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Opens a connection that is ready for a message: TCP, TLS and login are done.
 * @throws SmtpError, SetupError, AddressNotAllowedError or the signal's reason. Nothing of a message was sent.
 */
export async function openConnection(
  settings: SmtpSettings,
  network: NetworkPolicy,
  signal: AbortSignal,
): Promise<SMTPConnection> {
  const socket = await dial({ ...settings, network, signal });
  const connection = new SMTPConnection({ ...optionsOf(settings), connection: socket });
  // What goes wrong between messages is seen by `destroyed`; without a listener it would be thrown.
  connection.on('error', () => undefined);
  try {
    await step(connection, signal, (done) => connection.connect(done));
    const { auth } = settings;
    if (auth !== undefined) {
      checkLogin(connection, settings);
      await step(connection, signal, (done) => connection.login({ ...auth }, done));
    }
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function optionsOf(settings: SmtpSettings): SMTPConnectionOptions {
  const { host, port, tls, tlsOptions, clientName, connectTimeoutMs, replyTimeoutMs } = settings;
  return {
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    opportunisticTLS: tls === 'opportunistic',
    ignoreTLS: tls === 'none',
    tls: tlsOptions,
    name: clientName,
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    socketTimeout: replyTimeoutMs,
    // A closed connection is of no more use to anybody, and its peer may never answer.
    socketCloseTimeout: 0,
    maxResponseSize: 65_536,
  };
}

/** A password goes nowhere unencrypted unless the settings say so, and no login is left out in silence. */
function checkLogin(connection: SMTPConnection, { tls }: SmtpSettings): void {
  if (!connection.secure && tls !== 'none') {
    throw new SetupError('tls_not_offered', 'The server offers no TLS, so the password was not sent');
  }
  if (!connection.allowsAuth) {
    throw new SetupError('auth_not_offered', 'The server offers no login, but user and password are set');
  }
}

/** A step of the dialogue: it ends with its callback, an error, the end of the connection, or the signal. */
export function step(
  connection: SMTPConnection,
  signal: AbortSignal,
  start: (done: (error?: Error | null) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error | null) => {
      connection.off('error', settle);
      connection.off('end', ended);
      signal.removeEventListener('abort', abort);
      if (error) reject(error);
      else resolve();
    };
    const ended = () => settle(new SetupError('connection_closed', 'The server closed the connection'));
    const abort = () => {
      settle(signal.reason as Error);
      connection.close();
    };
    connection.on('error', settle);
    connection.on('end', ended);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    start(settle);
  });
}

/** True if the server said in EHLO that it knows an extension. */
export function offers(connection: SMTPConnection, extension: string): boolean {
  // nodemailer has no public way to ask before a message is sent. Without this list we take it for not offered.
  const { _supportedExtensions: known } = connection as unknown as {
    _supportedExtensions?: readonly string[];
  };
  return known?.includes(extension) === true;
}
