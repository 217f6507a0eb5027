import { connect, isIPv6, type Socket } from 'node:net';
import {
  AddressNotAllowedError,
  checkAddress,
  checkHost,
  guardedLookup,
  type NetworkPolicy,
} from '@batchsender/core/plugin';

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly network: NetworkPolicy;
  /** Ends the attempt; its reason is the error. */
  readonly signal: AbortSignal;
}

/**
 * Opens a TCP connection that obeys the network policy, as core's `guardedAgent` does for HTTP: a
 * host is a setting, and whoever may make connections must not reach our own machines by one.
 * Literal addresses, every address that DNS answers, and the peer at the end are checked.
 * @throws AddressNotAllowedError for an address that is not public and not allowed.
 */
export function dial({ host, port, network, signal }: DialOptions): Promise<Socket> {
  const range = checkHost(isIPv6(host) ? `[${host}]` : host, network);
  if (range !== undefined) return Promise.reject(new AddressNotAllowedError(host, range));
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const socket = connect({ host, port, lookup: guardedLookup(network), noDelay: true });
    const end = (error: Error) => {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      reject(error);
    };
    const abort = () => end(signal.reason as Error);
    signal.addEventListener('abort', abort);
    socket.once('error', end);
    socket.once('connect', () => {
      const peer = checkAddress(socket.remoteAddress ?? '', network);
      if (peer !== undefined) return end(new AddressNotAllowedError(host, peer));
      signal.removeEventListener('abort', abort);
      socket.removeListener('error', end);
      resolve(socket);
    });
  });
}
