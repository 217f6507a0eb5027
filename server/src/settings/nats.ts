import { isIP } from 'node:net';
import { StartError } from '../cli/start-error.ts';
import type { VariableValues } from './variables.ts';

/** How this process proves to NATS who it is. */
export type NatsAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'nkey'; readonly seed: string }
  /** The text of a credentials file, with a JWT and a seed. */
  | { readonly kind: 'credentials'; readonly text: string };

/** Where NATS is, and how it is reached. */
export interface NatsSettings {
  /** `host:port`, without credentials. */
  readonly servers: readonly string[];
  /** PEM texts; undefined where the connection may be plain. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
  readonly auth: NatsAuth;
  /** Name of the stream, and first part of all subjects. */
  readonly stream: string;
  /** Servers of a cluster that keep the stream. */
  readonly replicas: number;
  /** Servers that the cluster names may be used too: with encryption, or where plaintext is allowed. */
  readonly followsCluster: boolean;
}

interface Address {
  readonly server: string;
  readonly host: string;
  readonly isTls: boolean;
  readonly auth: NatsAuth;
}

/** @throws StartError that says what to change. It never shows a secret. */
export function natsSettings(values: VariableValues): NatsSettings | undefined {
  const url = values.NATS_URL;
  if (url === undefined) return undefined;
  const addresses = url.split(',').map((part) => addressOf(part.trim()));
  const tls = tlsOf(values, addresses);
  const isPlainAllowed = values.BATCHSENDER_NATS_ALLOW_PLAINTEXT;
  if (tls === undefined && !isPlainAllowed) refusePlaintext(addresses);
  return {
    servers: addresses.map(({ server }) => server),
    tls,
    auth: authOf(values, addresses),
    stream: values.BATCHSENDER_NATS_STREAM,
    replicas: values.BATCHSENDER_NATS_REPLICAS,
    followsCluster: tls !== undefined || isPlainAllowed,
  };
}

const NOT_AN_ADDRESS =
  'NATS_URL: each address must be nats://host:port or tls://host:port, with commas between them. ' +
  'For example NATS_URL=tls://a.example.com:4222,tls://b.example.com:4222';

function addressOf(part: string): Address {
  const [, scheme = 'nats', rest = ''] = /^(?:([a-z]+):\/\/)?(.+)$/i.exec(part) ?? [];
  const url = URL.parse(`http://${rest}`);
  if (!/^(nats|tls)$/i.test(scheme) || url === null || url.pathname !== '/' || url.search !== '')
    throw new StartError(NOT_AN_ADDRESS);
  // `URL` hides the port 80 of its own scheme, and gives no port where there is none.
  const port = url.port || (/:80$/.test(rest) ? '80' : '4222');
  return {
    server: `${url.hostname}:${port}`,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    isTls: scheme.toLowerCase() === 'tls',
    auth: userInfoOf(url),
  };
}

function userInfoOf({ username, password }: URL): NatsAuth {
  const user = decoded(username);
  if (user === '') return { kind: 'none' };
  return password === ''
    ? { kind: 'token', token: user }
    : { kind: 'password', user, password: decoded(password) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new StartError(
      'NATS_URL: the user or the password has a % that encodes nothing. Write it as %25, or use ' +
        'BATCHSENDER_NATS_USER and BATCHSENDER_NATS_PASSWORD.',
      { cause },
    );
  }
}

function tlsOf(values: VariableValues, addresses: readonly Address[]): NatsSettings['tls'] {
  const ca = values.BATCHSENDER_NATS_TLS_CA;
  const cert = values.BATCHSENDER_NATS_TLS_CERT;
  const key = values.BATCHSENDER_NATS_TLS_KEY;
  if ((cert === undefined) !== (key === undefined)) {
    throw new StartError(
      'BATCHSENDER_NATS_TLS_CERT and BATCHSENDER_NATS_TLS_KEY belong together: set both, or none.',
    );
  }
  const isWanted = addresses.some(({ isTls }) => isTls) || ca !== undefined || cert !== undefined;
  if (!isWanted) return undefined;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}

function refusePlaintext(addresses: readonly Address[]): void {
  const far = addresses.filter(({ host }) => !isLoopback(host));
  if (far.length === 0) return;
  throw new StartError(
    `NATS_URL: ${far.map(({ server }) => server).join(', ')} would be reached without encryption. Use tls://, or, ` +
      'in a network that you trust, set BATCHSENDER_NATS_ALLOW_PLAINTEXT=true.',
  );
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

function authOf(values: VariableValues, addresses: readonly Address[]): NatsAuth {
  const user = values.BATCHSENDER_NATS_USER;
  const password = values.BATCHSENDER_NATS_PASSWORD;
  if ((user === undefined) !== (password === undefined)) {
    throw new StartError(
      'BATCHSENDER_NATS_USER and BATCHSENDER_NATS_PASSWORD belong together: set both, or none.',
    );
  }
  const token = values.BATCHSENDER_NATS_TOKEN;
  const seed = values.BATCHSENDER_NATS_NKEY_SEED;
  const text = values.BATCHSENDER_NATS_CREDENTIALS;
  const given: NatsAuth[] = [
    ...fromAddresses(addresses),
    ...(user === undefined || password === undefined ? [] : [{ kind: 'password', user, password } as const]),
    ...(token === undefined ? [] : [{ kind: 'token', token } as const]),
    ...(seed === undefined ? [] : [{ kind: 'nkey', seed } as const]),
    ...(text === undefined ? [] : [{ kind: 'credentials', text } as const]),
  ];
  if (given.length > 1) {
    throw new StartError(
      'NATS gets one proof of identity: a user with a password, a token (both also in NATS_URL), ' +
        'BATCHSENDER_NATS_NKEY_SEED or BATCHSENDER_NATS_CREDENTIALS. More than one is set. Keep one.',
    );
  }
  return given[0] ?? { kind: 'none' };
}

/** The user or token of the addresses; one that has none gets that of the others. */
function fromAddresses(addresses: readonly Address[]): NatsAuth[] {
  const known = new Map<string, NatsAuth>();
  for (const { auth } of addresses) if (auth.kind !== 'none') known.set(JSON.stringify(auth), auth);
  if (known.size > 1) {
    throw new StartError(
      'NATS_URL: the addresses have different users or tokens. All servers of a cluster need the same.',
    );
  }
  return [...known.values()];
}
