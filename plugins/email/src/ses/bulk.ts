import type { BulkEmailEntry, SendBulkEmailCommandInput } from '@aws-sdk/client-sesv2';
import { groupAlone } from '../group-key.ts';
import type { Mail } from '../message/mail.ts';
import type { EmailPayload } from '../payload.ts';
import { addressesAt } from '../recipients.ts';
import { encodedMailbox } from './encoded-mailbox.ts';
import { tagsOf } from './tags.ts';

/** https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendBulkEmail.html */
export const BULK_SIZE = 50;

/**
 * Characters of the texts of a message in a bulk call. The values of an entry may have 262,144 as JSON
 * (API_ReplacementTemplate.html there): room for a plain text that is made, and for escapes.
 */
const MAX_TEXT = 100_000;

/** What the values of an entry may have. */
const MAX_VALUES = 262_144;

/** https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_BulkEmailEntry.html and API_MessageHeader.html */
const MAX_HEADERS = 15;
const MAX_HEADER_VALUE = 870;

/** A list of header fields of a payload is one longer for each of `List-Unsubscribe` and its `-Post`. */
const UNSUBSCRIBE_HEADERS = 2;

/**
 * Jobs of one group share a bulk call: the sender, where answers go, and whether there is HTML are of
 * the call. What a bulk entry cannot carry goes alone.
 */
export function groupKey(payload: EmailPayload): string {
  if (!fitsBulk(payload)) return groupAlone(payload);
  const { from, replyTo, html } = payload;
  return JSON.stringify([from, replyTo ?? null, Boolean(html)]);
}

/** True if a bulk entry can carry the message: one recipient, no attachments, and texts that are not too long. */
export function fitsBulk(payload: EmailPayload): boolean {
  const { cc, bcc, attachments = [], text = '', html = '', headers = {}, listUnsubscribe } = payload;
  if (cc !== undefined || bcc !== undefined || attachments.length > 0) return false;
  if (addressesAt(payload, 'to').length !== 1 || text.length + html.length > MAX_TEXT) return false;
  const values = Object.values(headers);
  const count = values.length + (listUnsubscribe === undefined ? 0 : UNSUBSCRIBE_HEADERS);
  return count <= MAX_HEADERS && values.every((value) => value !== '' && value.length <= MAX_HEADER_VALUE);
}

/** A job of a bulk call. */
export interface BulkPart {
  readonly jobId: string;
  readonly mail: Mail;
}

/**
 * A bulk call for messages that are ready: the template is nothing but places for their parts, with
 * three braces, so that none is escaped or read as a template again.
 */
export function bulkInput(
  parts: readonly [BulkPart, ...BulkPart[]],
  configurationSet: string | undefined,
): SendBulkEmailCommandInput {
  const [{ mail: first }] = parts;
  const html = first.bodies.html !== undefined;
  return {
    FromEmailAddress: encodedMailbox(first.from),
    ReplyToAddresses: first.replyTo.map(encodedMailbox),
    ...(configurationSet === undefined ? {} : { ConfigurationSetName: configurationSet }),
    DefaultContent: {
      Template: {
        TemplateContent: {
          Subject: '{{{subject}}}',
          Text: '{{{text}}}',
          ...(html ? { Html: '{{{html}}}' } : {}),
        },
        TemplateData: '{}',
      },
    },
    BulkEmailEntries: parts.map(entryOf),
  };
}

/** False for texts that grew too long while they were prepared. */
export const valuesFit = (mail: Mail): boolean => valuesOf(mail).length <= MAX_VALUES;

const valuesOf = ({ subject, bodies }: Mail): string => JSON.stringify({ subject, ...bodies });

function entryOf({ jobId, mail }: BulkPart): BulkEmailEntry {
  const { to, headers, tags } = mail;
  return {
    Destination: { ToAddresses: to.map(encodedMailbox) },
    ReplacementTags: tagsOf(jobId, tags),
    ReplacementEmailContent: { ReplacementTemplate: { ReplacementTemplateData: valuesOf(mail) } },
    ...(headers.length === 0
      ? {}
      : { ReplacementHeaders: headers.map(({ key, value }) => ({ Name: key, Value: value })) }),
  };
}
