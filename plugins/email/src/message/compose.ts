import MailComposer from 'nodemailer/lib/mail-composer';
import { type Mailbox, oneLine, parseAddress } from '../address.ts';
import type { EmailPayload } from '../payload.ts';
import { addressesAt, type Recipient, recipientsOf } from '../recipients.ts';
import { validate } from '../validate.ts';
import { attachmentParts } from './attachments.ts';
import { messageIdOf } from './message-id.ts';
import type { PlainText } from './plain-text.ts';

/** A message that is ready to be sent. */
export interface Message {
  /** Headers and body, with CRLF line ends and before dots are doubled. */
  readonly raw: Buffer;
  readonly messageId: string;
  readonly from: Mailbox;
  /** At least one. */
  readonly recipients: readonly Recipient[];
  /** True if a header or the envelope needs a server with SMTPUTF8. */
  readonly needsUtf8: boolean;
}

export interface ComposeOptions {
  readonly idempotencyKey: string;
  readonly plainText: PlainText;
  /** Name of the header that carries the tags, one each. Default: they are left out. */
  readonly tagHeader?: string | undefined;
}

/**
 * Raised for a payload that {@link validate} refuses, which the engine would not have passed on.
 * Its message has places and codes only, for it is kept with the result.
 */
export class InvalidMessageError extends Error {
  override readonly name = 'InvalidMessageError';
  readonly code = 'invalid_payload';
}

/**
 * Builds the message of a job, once for all that is done with it.
 * @throws InvalidMessageError if the payload is not valid.
 */
export async function composeMessage(payload: EmailPayload, options: ComposeOptions): Promise<Message> {
  const [problem] = validate(payload);
  if (problem !== undefined) throw new InvalidMessageError(`${problem.path}: ${problem.code}`);
  const [from] = mailboxes(payload, 'from');
  const recipients = recipientsOf(payload);
  if (from === undefined || recipients.length === 0)
    throw new InvalidMessageError('/to: nobody is left to send to');
  const messageId = messageIdOf(options.idempotencyKey, from.domain);
  const visible = { from: [from], to: mailboxes(payload, 'to'), cc: mailboxes(payload, 'cc') };
  const replyTo = mailboxes(payload, 'replyTo');
  const composer = new MailComposer({
    ...visible,
    replyTo,
    subject: oneLine(payload.subject),
    messageId,
    date: new Date(),
    headers: headerList(payload, options.tagHeader),
    ...bodies(payload, options.plainText),
    attachments: attachmentParts(payload),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const all = [...Object.values(visible).flat(), ...replyTo, ...recipients.map(({ mailbox }) => mailbox)];
  return {
    raw: await composer.compile().build(),
    messageId,
    from,
    recipients,
    needsUtf8: all.some(({ needsUtf8 }) => needsUtf8),
  };
}

function mailboxes(payload: EmailPayload, field: 'from' | 'to' | 'cc' | 'replyTo'): Mailbox[] {
  return addressesAt(payload, field)
    .map(({ input }) => parseAddress(input))
    .filter((mailbox): mailbox is Mailbox => typeof mailbox === 'object');
}

function bodies({ text, html }: EmailPayload, plainText: PlainText): { text?: string; html?: string } {
  if (!html) return { text: lines(text) };
  return { text: lines(text || plainText(html)), html: lines(html) };
}

// Lines end with CRLF (RFC 5322, section 2.3), and half of a surrogate pair has no UTF-8 form.
const lines = (text = ''): string => text.replace(/\r\n?|\n/g, '\r\n').toWellFormed();

type Header = { key: string; value: string };

function headerList(payload: EmailPayload, tagHeader: string | undefined): Header[] {
  const { headers = {}, tags = [], listUnsubscribe } = payload;
  const list = Object.entries(headers).map(([key, value]) => ({ key, value: oneLine(value) }));
  if (tagHeader !== undefined) list.push(...tags.map((value) => ({ key: tagHeader, value })));
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
