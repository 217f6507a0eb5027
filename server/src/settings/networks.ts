import { isIP } from 'node:net';

/** Splits a list of CIDR networks; a lone address is the network of itself. Answers what is wrong as `invalid`. */
export function parseNetworks(list: string): {
  readonly networks: readonly string[];
  readonly invalid?: string;
} {
  const parts = list.split(',').flatMap((part) => part.trim() || []);
  const networks = parts.map(networkOf);
  const wrong = networks.indexOf(undefined);
  if (wrong !== -1) return { networks: [], invalid: parts[wrong] ?? '' };
  return { networks: networks.filter((network) => network !== undefined) };
}

function networkOf(text: string): string | undefined {
  const [address = '', prefix, ...more] = text.split('/');
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  if (bits === 0 || more.length > 0) return undefined;
  if (prefix === undefined) return `${address}/${bits}`;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits ? text : undefined;
}
