import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { NetworkPolicy } from './contract.ts';
import { AddressNotAllowedError, checkAddress } from './network-policy.ts';

/**
 * A `lookup` for sockets that answers only addresses that the network policy allows to be dialled.
 * `lookup` resolves the names; default: `dns.lookup`. Sockets do not ask it for literal addresses:
 * check those with {@link checkHost}. It fails with an {@link AddressNotAllowedError} if no address is left.
 */
export function guardedLookup(
  policy: NetworkPolicy,
  lookup: typeof systemLookup = systemLookup,
): LookupFunction {
  return (hostname, options, callback) => {
    const all: LookupOptions & { all: true } = { ...options, all: true };
    lookup(hostname, all, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const allowed = addresses.filter(({ address }) => checkAddress(address, policy) === undefined);
      const [first] = allowed;
      if (first === undefined) {
        return callback(refusedAnswer(hostname, addresses, policy), '', 0);
      }
      if (options.all === true) return callback(null, allowed);
      callback(null, first.address, first.family);
    });
  };
}

function refusedAnswer(hostname: string, addresses: readonly LookupAddress[], policy: NetworkPolicy): Error {
  const [first] = addresses;
  if (first === undefined) {
    return Object.assign(new Error(`getaddrinfo ENODATA ${hostname}`), { code: 'ENODATA' });
  }
  return new AddressNotAllowedError(hostname, checkAddress(first.address, policy) ?? 'unknown');
}
