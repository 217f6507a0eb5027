import type { lookup as systemLookup } from 'node:dns';
import type { ConnectionOptions } from 'node:tls';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import type { NetworkPolicy } from './contract.ts';
import { guardedLookup } from './guarded-lookup.ts';
import { AddressNotAllowedError, checkAddress, checkHost, checkNetworkPolicy } from './network-policy.ts';

export interface GuardedAgentOptions {
  /** Most sockets to one origin. Default 100. */
  readonly connections?: number;
  /** Time for DNS, TCP and TLS together, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** How long an idle socket is kept, in milliseconds, unless the server says less. Default 4,000. */
  readonly keepAliveMs?: number;
  /** Certificates and other options of `tls.connect`. */
  readonly tls?: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'minVersion'>;
  /** Resolves names to addresses; the answers are checked all the same. Default: `dns.lookup`. */
  readonly lookup?: typeof systemLookup;
}

/**
 * A pool of HTTP/1.1 connections for undici's API that obeys the network policy. Each address is
 * checked at the moment when it is dialled: literal hosts, every address that DNS answers (what
 * was checked is what is dialled), and the peer of the socket once more when it is connected. So
 * a redirect, or a name that changes its address, gains nothing. undici itself refuses everything
 * but `http:` and `https:`.
 *
 * A refused call ends with an {@link AddressNotAllowedError}.
 * @throws Error if the policy's allow list is broken, naming the entry.
 */
export function guardedAgent(policy: NetworkPolicy, options: GuardedAgentOptions = {}): Dispatcher {
  checkNetworkPolicy(policy);
  return new Agent({
    connections: options.connections ?? 100,
    keepAliveTimeout: options.keepAliveMs ?? 4_000,
    allowH2: false,
    connect: guardedConnector(policy, options),
  });
}

function guardedConnector(policy: NetworkPolicy, options: GuardedAgentOptions): buildConnector.connector {
  const connect = buildConnector({
    ...options.tls,
    allowH2: false,
    timeout: options.connectTimeoutMs ?? 10_000,
    lookup: guardedLookup(policy, options.lookup),
  });
  return (target, callback) => {
    // Sockets skip `lookup` for literal addresses, so they are checked here.
    const refused = refusal(target, policy);
    if (refused !== undefined) return process.nextTick(callback, refused, null);
    connect(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      const { remoteAddress } = socket;
      const range = remoteAddress === undefined ? undefined : checkAddress(remoteAddress, policy);
      if (range === undefined) return callback(null, socket);
      socket.destroy();
      callback(new AddressNotAllowedError(target.hostname, range), null);
    });
  };
}

function refusal({ hostname }: buildConnector.Options, policy: NetworkPolicy): Error | undefined {
  const host = hostname.includes(':') ? `[${hostname}]` : hostname;
  const range = checkHost(host, policy);
  return range === undefined ? undefined : new AddressNotAllowedError(hostname, range);
}
