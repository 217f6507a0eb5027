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

/** The addresses of a field. Those that are no addresses are left out. */
export function mailboxesAt(payload: EmailPayload, field: RecipientKind | 'from' | 'replyTo'): Mailbox[] {
  return addressesAt(payload, field)
    .map(({ input }) => parseAddress(input))
    .filter((mailbox): mailbox is Mailbox => typeof mailbox === 'object');
}

/** The addresses of persons in a payload, for suppression and erasure. */
export function recipients(payload: EmailPayload): string[] {
  return [...new Set(recipientsOf(payload).map(({ mailbox }) => normalForm(mailbox)))];
}

/**
 * The form of an address by which persons are found again: in lower case, the domain in ASCII.
 * RFC 5321, section 2.4 lets a server tell `Ada` from `ada` before the @. Hardly one does, and
 * providers report addresses in either form.
 */
const normalForm = ({ address }: Mailbox): string => address.toLowerCase();

/**
 * The normal form of an address as people write it and providers report it, such as `Ada <Ada@example.com>`; undefined
 * for what is none.
 */
export function normalizeRecipient(text: string): string | undefined {
  const inBrackets = /<([^<>]*)>\s*$/.exec(text)?.[1] ?? text;
  const mailbox = parseAddress(inBrackets.trim());
  return typeof mailbox === 'string' ? undefined : normalForm(mailbox);
}
