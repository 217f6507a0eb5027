import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';
import type { NatsAuth, NatsSettings } from '../settings/nats.ts';

/** A server that is silent for two of these is taken as gone. */
const PING_MS = 5_000;
const RECONNECT_MS = 250;
const RECONNECT_JITTER_MS = 250;
const CONNECT_MS = 5_000;

/** What the client library is told. Once connected, it reconnects for ever. */
export function connectOptions(settings: NatsSettings): ConnectionOptions {
  const authenticator = authenticatorOf(settings.auth);
  return {
    name: 'batchsender',
    servers: [...settings.servers],
    ...(authenticator === undefined ? {} : { authenticator }),
    ...(settings.tls === undefined ? {} : { tls: { ...settings.tls } }),
    ignoreClusterUpdates: !settings.followsCluster,
    timeout: CONNECT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_JITTER_MS,
    reconnectJitterTLS: RECONNECT_JITTER_MS,
    // A password that is wrong now may be right when it was changed on both sides.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
  };
}

function authenticatorOf(auth: NatsAuth): Authenticator | undefined {
  const bytes = (text: string) => new TextEncoder().encode(text);
  switch (auth.kind) {
    case 'none':
      return undefined;
    case 'password':
      return usernamePasswordAuthenticator(auth.user, auth.password);
    case 'token':
      return tokenAuthenticator(auth.token);
    case 'nkey':
      return nkeyAuthenticator(bytes(auth.seed));
    case 'credentials':
      // The library reads no file whose last line has no end.
      return credsAuthenticator(bytes(`${auth.text}\n`));
  }
}
