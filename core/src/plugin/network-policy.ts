import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { NetworkPolicy } from './contract.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** Raised for an address outside the public internet that the policy does not allow. */
export class AddressNotAllowedError extends Error {
  override readonly name = 'AddressNotAllowedError';
  readonly code = 'ADDRESS_NOT_ALLOWED';
  /** Structural mark: the connection was refused before a byte left. */
  readonly notSent = true;

  /** `host` as it stands in the URL; `range` as {@link checkAddress} names it. */
  constructor(host: string, range: string) {
    super(
      `Calls to ${host} are not allowed: it is not a public address (${range}). ` +
        'To deliver inside your own networks, list them in BATCHSENDER_ALLOW_NETWORKS (allowNetworks of the engine).',
    );
  }
}

const parsed = new WeakMap<NetworkPolicy, readonly Network[]>();

/**
 * Checks the allow list of a policy.
 * @throws Error naming the first entry that is neither an address nor a CIDR range.
 */
export function checkNetworkPolicy(policy: NetworkPolicy): void {
  networksOf(policy);
}

/**
 * Says why an address must not be dialled: the name of its range (`loopback`, `private`, …), or
 * undefined if it may be. Allowed is what is globally routable unicast, and what the policy
 * lists. An IPv6 address that carries an IPv4 address (NAT64, 6to4, mapped, compatible) is
 * allowed only if that one is allowed too.
 */
export function checkAddress(address: string, policy: NetworkPolicy): string | undefined {
  if (isIP(address) === 0) return 'not an IP address';
  return checkParsed(ipaddr.process(address), networksOf(policy));
}

/**
 * Checks the host of a URL as far as it can be told without DNS: an IP address in any notation
 * that the URL standard knows, or `localhost`. Answers the range's name if it is refused.
 * Undefined for other names: the addresses behind them are checked when they are dialled.
 */
export function checkHost(host: string, policy: NetworkPolicy): string | undefined {
  // The URL parser knows decimal, hexadecimal, octal and short forms, and trailing dots.
  const hostname = URL.parse(`http://${host}/`)?.hostname;
  if (hostname === undefined) return 'not a host name';
  const literal = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  if (isIP(literal) !== 0) return checkAddress(literal, policy);
  if (/(^|\.)localhost\.?$/.test(hostname)) {
    // RFC 6761, section 6.3: localhost is loopback, of either family.
    return checkAddress('127.0.0.1', policy) && checkAddress('::1', policy);
  }
  return undefined;
}

function checkParsed(address: Address, allow: readonly Network[]): string | undefined {
  const range = rangeOf(address);
  if (range !== undefined && !allow.some((network) => contains(network, address))) return range;
  const inner = embeddedIPv4(address);
  return inner === undefined ? undefined : checkParsed(inner, allow);
}

function rangeOf(address: Address): string | undefined {
  const range = address.range();
  if (range !== 'unicast') return range;
  // Global unicast is 2000::/3 (IANA, ipv6-address-space); the rest is unassigned or obsolete,
  // such as ::127.0.0.1, which ipaddr.js takes for unicast.
  if (address.kind() === 'ipv6' && ((address as ipaddr.IPv6).parts[0] ?? 0) >> 13 !== 1) return 'reserved';
  return undefined;
}

function contains([network, bits]: Network, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}

/** The IPv4 address that a translator or tunnel would dial for this one. */
function embeddedIPv4(address: Address): ipaddr.IPv4 | undefined {
  if (address.kind() === 'ipv4') return undefined;
  const bytes = address.toByteArray();
  const parts = (address as ipaddr.IPv6).parts;
  const range = address.range();
  if (range === '6to4') return new ipaddr.IPv4(bytes.slice(2, 6));
  // NAT64 (RFC 6052, RFC 8215) in its /96 form, RFC 6145, and the obsolete IPv4-compatible ::/96.
  const compatible = parts.slice(0, 6).every((part) => part === 0) && range === 'unicast';
  if (range === 'rfc6052' || range === 'rfc6145' || compatible) return new ipaddr.IPv4(bytes.slice(12));
  return undefined;
}

function networksOf(policy: NetworkPolicy): readonly Network[] {
  let networks = parsed.get(policy);
  if (networks === undefined) {
    networks = policy.allow.map(parseNetwork);
    parsed.set(policy, networks);
  }
  return networks;
}

function parseNetwork(entry: string): Network {
  const text = entry.trim();
  const [base = '', bits] = text.split('/');
  const family = isIP(base);
  const width = family === 4 ? 32 : 128;
  const size = bits === undefined ? width : Number(bits);
  const valid =
    family !== 0 &&
    text.split('/').length <= 2 &&
    (bits === undefined || /^\d{1,3}$/.test(bits)) &&
    size <= width;
  if (!valid) {
    throw new Error(
      `'${entry}' in the list of allowed networks is not an address or a CIDR range: write it like 10.1.0.0/16 or fd00::/8`,
    );
  }
  const address = ipaddr.parse(base);
  if (address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress()) {
    throw new Error(
      `'${entry}' in the list of allowed networks: write the range as IPv4, such as 10.1.0.0/16`,
    );
  }
  return [address, size];
}
