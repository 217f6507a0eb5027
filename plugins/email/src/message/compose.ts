import MailComposer from 'nodemailer/lib/mail-composer';
import { type Mailbox, oneLine } from '../address.ts';
import type { EmailPayload } from '../payload.ts';
import { mailboxesAt, type Recipient, recipientsOf } from '../recipients.ts';
import { validate } from '../validate.ts';
import { attachmentParts } from './attachments.ts';
import { bodiesOf, withCrlf } from './bodies.ts';
import { extraHeaders, type Header } from './headers.ts';
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
  const [from] = mailboxesAt(payload, 'from');
  const recipients = recipientsOf(payload);
  if (from === undefined || recipients.length === 0)
    throw new InvalidMessageError('/to: nobody is left to send to');
  const messageId = messageIdOf(options.idempotencyKey, from.domain);
  const visible = { from: [from], to: mailboxesAt(payload, 'to'), cc: mailboxesAt(payload, 'cc') };
  const replyTo = mailboxesAt(payload, 'replyTo');
  const composer = new MailComposer({
    ...visible,
    replyTo,
    subject: oneLine(payload.subject),
    messageId,
    date: new Date(),
    headers: headerList(payload, options.tagHeader),
    ...withCrlf(bodiesOf(payload, options.plainText)),
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

function headerList(payload: EmailPayload, tagHeader: string | undefined): Header[] {
  const tags = tagHeader === undefined ? [] : (payload.tags ?? []);
  return [...extraHeaders(payload), ...tags.map((value) => ({ key: tagHeader as string, value }))];
}
