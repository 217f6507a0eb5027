import { type KeyObject, X509Certificate } from 'node:crypto';
import { callbackRefused } from '@batchsender/core/plugin';

/** Certificates that are kept. There is one a region, and a new one now and then. */
const MAX_KEPT = 20;

/** How long a certificate is believed. It is fetched again then, so that one that was withdrawn goes. */
const KEEP_MS = 86_400_000;

/** How long a name that led nowhere is not asked for again: anybody may send such names. */
const FAILED_MS = 60_000;

const TIMEOUT_MS = 5_000;

interface Kept {
  readonly key: Promise<KeyObject | undefined>;
  readonly untilMs: number;
}

/** By address. Public keys of AWS are the same for all connections. */
const kept = new Map<string, Kept>();

/**
 * The host that serves the certificates of a topic's region. It comes from the settings: nothing
 * that a body names is ever dialled.
 */
export function snsHost(topicArn: string): string {
  const [, partition, , region] = topicArn.split(':');
  return `sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
}

/**
 * The key behind `SigningCertURL`. The URL must be one of the topic's region, and only the name of
 * its file is taken from the body.
 * @throws CallbackRefusedError (401) for any other URL.
 */
export async function signingKey(
  url: string | undefined,
  topicArn: string,
  fetch: typeof globalThis.fetch,
): Promise<KeyObject> {
  const host = snsHost(topicArn);
  const place = url === undefined ? null : URL.parse(url);
  const file = /^\/(SimpleNotificationService-[0-9a-f]{16,64}\.pem)$/.exec(place?.pathname ?? '')?.[1];
  if (place?.protocol !== 'https:' || place.host !== host || place.search !== '' || file === undefined) {
    throw callbackRefused(401, 'invalid_signature', `The certificate is not one of ${host}`);
  }
  const key = await keyAt(`https://${host}/${file}`, fetch);
  if (key === undefined) throw callbackRefused(401, 'invalid_signature', `${host} has no such certificate`);
  return key;
}

function keyAt(address: string, fetch: typeof globalThis.fetch): Promise<KeyObject | undefined> {
  const nowMs = Date.now();
  const known = kept.get(address);
  if (known !== undefined && known.untilMs > nowMs) return known.key;
  const key = load(address, fetch);
  keep(address, { key, untilMs: nowMs + KEEP_MS });
  key.then(
    (found) => {
      if (found === undefined) keep(address, { key, untilMs: nowMs + FAILED_MS });
    },
    // AWS could not be reached: that says nothing about the name.
    () => kept.delete(address),
  );
  return key;
}

function keep(address: string, entry: Kept): void {
  kept.delete(address);
  kept.set(address, entry);
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
}

/** Undefined if there is no such certificate. Throws if the host cannot be asked: then SNS tries again. */
async function load(address: string, fetch: typeof globalThis.fetch): Promise<KeyObject | undefined> {
  const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status >= 500) throw new Error(`The host of the certificate answered ${response.status}`);
  const text = response.ok ? await response.text() : '';
  try {
    const certificate = new X509Certificate(text);
    const nowMs = Date.now();
    const valid = Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo);
    return valid ? certificate.publicKey : undefined;
  } catch {
    return undefined;
  }
}
