import { encodeWords } from 'nodemailer/lib/mime-funcs';
import type { Mailbox } from '../address.ts';
import { mailboxText } from '../message/mailbox-text.ts';

/**
 * An address as SES takes it: a name in other letters than ASCII is an encoded word (RFC 2047), see
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html, FromEmailAddress.
 */
export function encodedMailbox(mailbox: Mailbox): string {
  const { address, name } = mailbox;
  if (/^[\x20-\x7e]*$/.test(name)) return mailboxText(mailbox);
  return `${encodeWords(name, 'B', 52, true)} <${address}>`;
}
