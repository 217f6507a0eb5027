import { type Failed, failed } from '@batchsender/core/plugin';
import { type Mailbox, oneLine } from '../address.ts';
import type { EmailPayload } from '../payload.ts';
import { mailboxesAt, type RecipientKind, recipientsOf } from '../recipients.ts';
import { validate } from '../validate.ts';
import { type Bodies, bodiesOf } from './bodies.ts';
import { extraHeaders, type Header } from './headers.ts';
import type { PlainText } from './plain-text.ts';

/** The parts of a message, for a provider that builds it itself. */
export interface Mail {
  readonly from: Mailbox;
  /** At least one; nobody is in two of these lists. */
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  readonly bcc: readonly Mailbox[];
  readonly replyTo: readonly Mailbox[];
  readonly subject: string;
  readonly bodies: Bodies;
  readonly headers: readonly Header[];
  /** Each once. */
  readonly tags: readonly string[];
}

/**
 * Takes a payload apart. Answers a failure for one that {@link validate} refuses, which the engine
 * would not have passed on; its message has places and codes only, for it is kept.
 */
export function mailOf(payload: EmailPayload, plainText: PlainText): Mail | Failed {
  const [problem] = validate(payload);
  if (problem !== undefined) return invalid(`${problem.path}: ${problem.code}`);
  const [from] = mailboxesAt(payload, 'from');
  const recipients = recipientsOf(payload);
  const ofKind = (wanted: RecipientKind) =>
    recipients.filter(({ kind }) => kind === wanted).map(({ mailbox }) => mailbox);
  const to = ofKind('to');
  if (from === undefined || to.length === 0) return invalid('/to: nobody is left to send to');
  return {
    from,
    to,
    cc: ofKind('cc'),
    bcc: ofKind('bcc'),
    replyTo: mailboxesAt(payload, 'replyTo'),
    subject: oneLine(payload.subject),
    bodies: bodiesOf(payload, plainText),
    headers: extraHeaders(payload),
    tags: [...new Set(payload.tags)],
  };
}

/** True for what {@link mailOf} answers in place of a mail. */
export const isFailure = (mail: Mail | Failed): mail is Failed => 'status' in mail;

const invalid = (message: string): Failed => failed('invalid_payload', { message });
