import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { parseAddress } from '../address.ts';
import { safeKey } from '../message/message-id.ts';
import { DEFAULT_CONNECTIONS, type SmtpCredentials } from './credentials.ts';

/** How a connection is encrypted. */
export type TlsMode = NonNullable<SmtpCredentials['tls']>;

/** The credentials with all defaults in place. */
export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMode;
  readonly tlsOptions: ConnectionOptions;
  readonly auth:
    | { readonly user: string; readonly pass: string; readonly method: string | false }
    | undefined;
  readonly maxConnections: number;
  readonly maxMessagesPerConnection: number;
  readonly maxPerSecond: number | undefined;
  readonly clientName: string | undefined;
  /** The sender of the envelope for a job; undefined for the message's own. */
  readonly envelopeFrom: ((idempotencyKey: string) => string) | undefined;
  readonly tagHeader: string | undefined;
  readonly connectTimeoutMs: number;
  readonly replyTimeoutMs: number;
}

/** Reads the credentials. Answers what is wrong with them, and how to mend it, if they cannot work. */
export function settingsOf(credentials: SmtpCredentials): SmtpSettings | string {
  const { host, user, password, envelopeFrom } = credentials;
  if ((user === undefined) !== (password === undefined)) {
    return `${user === undefined ? 'password' : 'user'} is set alone: set user and password, or neither`;
  }
  const sender = envelopeFrom === undefined ? undefined : senderOf(envelopeFrom);
  if (typeof sender === 'string') return `envelopeFrom: ${sender}`;
  const tls = credentials.tls ?? defaultMode(host, credentials.port);
  return {
    host,
    tls,
    port: credentials.port ?? (tls === 'implicit' ? 465 : 587),
    tlsOptions: tlsOptionsOf(credentials),
    auth:
      user === undefined || password === undefined
        ? undefined
        : { user, pass: password, method: credentials.authMethod ?? false },
    maxConnections: credentials.maxConnections ?? DEFAULT_CONNECTIONS,
    maxMessagesPerConnection: credentials.maxMessagesPerConnection ?? 100,
    maxPerSecond: credentials.maxPerSecond,
    clientName: credentials.clientName,
    envelopeFrom: sender,
    tagHeader: credentials.tagHeader,
    connectTimeoutMs: credentials.connectTimeoutMs ?? 15_000,
    replyTimeoutMs: credentials.replyTimeoutMs ?? 100_000,
  };
}

/** RFC 8314, section 3: TLS always, on port 465 from the start. Only this machine needs none. */
function defaultMode(host: string, port: number | undefined): TlsMode {
  if (port === 465) return 'implicit';
  return isLoopback(host) ? 'none' : 'starttls';
}

function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || /^localhost\.?$/i.test(host);
}

function tlsOptionsOf({
  host,
  tlsCa,
  tlsServername,
  tlsRejectUnauthorized,
}: SmtpCredentials): ConnectionOptions {
  const servername = tlsServername ?? (isIP(host) === 0 ? host : undefined);
  return {
    rejectUnauthorized: tlsRejectUnauthorized ?? true,
    ...(tlsCa === undefined ? {} : { ca: tlsCa }),
    ...(servername === undefined ? {} : { servername }),
  };
}

const SAMPLE = '0195f3c8-7b1a-7000-8000-000000000000.1000000';

function senderOf(template: string): ((idempotencyKey: string) => string) | string {
  const write = (key: string) => template.replaceAll('{job}', safeKey(key));
  const mailbox = parseAddress(write(SAMPLE));
  if (typeof mailbox === 'string') return mailbox;
  if (mailbox.needsUtf8) return 'use an ASCII address';
  return (key) => {
    const sender = parseAddress(write(key));
    // An unusual key may be too long for an address; bounces then go to the plain one.
    return typeof sender === 'object' ? sender.address : template.replaceAll('{job}', 'unknown');
  };
}
