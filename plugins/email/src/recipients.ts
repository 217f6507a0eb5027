import { type Mailbox, parseAddress } from './address.ts';
import type { AddressInput, EmailPayload } from './payload.ts';

/** The field that an address comes from. */
export type RecipientKind = 'to' | 'cc' | 'bcc';

/** One recipient of the envelope. */
export interface Recipient {
  readonly kind: RecipientKind;
  /** Position in its field, from 0. */
  readonly index: number;
  readonly mailbox: Mailbox;
}

/** An address of a payload with its place. */
export interface PlacedAddress {
  readonly path: string;
  readonly index: number;
  readonly input: AddressInput;
}

const KINDS = ['to', 'cc', 'bcc'] as const;

/** The addresses of a field that takes one or a list. */
export function addressesAt(
  payload: EmailPayload,
  field: RecipientKind | 'from' | 'replyTo',
): PlacedAddress[] {
  const value = payload[field];
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [{ path: `/${field}`, index: 0, input: value as AddressInput }];
  return value.map((input, index) => ({ path: `/${field}/${index}`, index, input }));
}

/** Who gets the message: each address once, where it stands first. Those that are no addresses are left out. */
export function recipientsOf(payload: EmailPayload): Recipient[] {
  const found = new Map<string, Recipient>();
  for (const kind of KINDS) {
    for (const { input, index } of addressesAt(payload, kind)) {
      const mailbox = parseAddress(input);
      if (typeof mailbox === 'string' || found.has(mailbox.address)) continue;
      found.set(mailbox.address, { kind, index, mailbox });
    }
  }
  return [...found.values()];
}

/**
 * The addresses of persons in a payload, for suppression and erasure: in lower case, since providers report
 * them so, and hardly a mailbox tells `Ann@` from `ann@` (RFC 5321, section 2.4, advises against it).
 */
export function recipients(payload: EmailPayload): string[] {
  return [...new Set(recipientsOf(payload).map(({ mailbox }) => mailbox.address.toLowerCase()))];
}

/** What people and providers write, in the form of {@link recipients}: `Ann <Ann@EXAMPLE.com>` is `ann@example.com`. */
export function normalizeRecipient(text: string): string | undefined {
  const address = /<([^<>]+)>$/.exec(text)?.[1] ?? text;
  const mailbox = parseAddress(address);
  return typeof mailbox === 'string' ? undefined : mailbox.address.toLowerCase();
}
