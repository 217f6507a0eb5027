import { oneLine, parseAddress } from '../address.ts';
import type { EmailPayload } from '../payload.ts';

/** A header field of a message. */
export interface Header {
  readonly key: string;
  readonly value: string;
}

/** The fields that a payload adds to a message: its own `headers`, and those of `listUnsubscribe` (RFC 8058). */
export function extraHeaders({ headers = {}, listUnsubscribe }: EmailPayload): Header[] {
  const list = Object.entries(headers).map(([key, value]) => ({ key, value: oneLine(value) }));
  if (listUnsubscribe === undefined) return list;
  const { url, mailto } = listUnsubscribe;
  const mailbox = mailto === undefined ? undefined : parseAddress(mailto);
  const ways = [`<${url}>`];
  if (typeof mailbox === 'object') ways.push(`<mailto:${encodeURI(mailbox.address)}>`);
  return [
    ...list,
    { key: 'List-Unsubscribe', value: ways.join(', ') },
    { key: 'List-Unsubscribe-Post', value: 'List-Unsubscribe=One-Click' },
  ];
}
