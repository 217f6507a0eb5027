import { detectMimeType } from 'nodemailer/lib/mime-funcs/mime-types.js';
import type { Mailbox } from '../address.ts';
import { attachmentParts } from '../message/attachments.ts';
import type { Mail } from '../message/mail.ts';
import { mailboxText } from '../message/mailbox-text.ts';
import type { EmailPayload } from '../payload.ts';
import { JOB_TAG } from '../receipts/job-tag.ts';

/** A message as https://postmarkapp.com/developer/api/email-api describes it. */
export interface PostmarkMessage {
  readonly From: string;
  readonly To: string;
  readonly Cc?: string;
  readonly Bcc?: string;
  readonly ReplyTo?: string;
  readonly Subject: string;
  readonly TextBody?: string;
  readonly HtmlBody?: string;
  readonly Headers?: readonly { readonly Name: string; readonly Value: string }[];
  readonly Attachments?: readonly PostmarkAttachment[];
  readonly Tag?: string;
  readonly Metadata: Readonly<Record<string, string>>;
  readonly MessageStream: string;
}

interface PostmarkAttachment {
  readonly Name: string;
  /** Base64. */
  readonly Content: string;
  readonly ContentType: string;
  readonly ContentID?: string;
}

/**
 * A mail for Postmark. Its webhooks carry the metadata back
 * (https://postmarkapp.com/updates/custom-metadata-for-your-emails). Of our labels Postmark takes one.
 */
export function postmarkMessage(
  mail: Mail,
  payload: EmailPayload,
  { jobId, stream }: { jobId: string; stream: string },
): PostmarkMessage {
  const { from, to, cc, bcc, replyTo, subject, bodies, headers, tags } = mail;
  const [tag] = tags;
  const attachments = attachmentParts(payload).map(attachmentOf);
  return {
    From: mailboxText(from),
    To: list(to),
    ...(cc.length === 0 ? {} : { Cc: list(cc) }),
    ...(bcc.length === 0 ? {} : { Bcc: list(bcc) }),
    ...(replyTo.length === 0 ? {} : { ReplyTo: list(replyTo) }),
    Subject: subject,
    ...(bodies.text === undefined ? {} : { TextBody: bodies.text }),
    ...(bodies.html === undefined ? {} : { HtmlBody: bodies.html }),
    ...(headers.length === 0
      ? {}
      : { Headers: headers.map(({ key, value }) => ({ Name: key, Value: value })) }),
    ...(attachments.length === 0 ? {} : { Attachments: attachments }),
    ...(tag === undefined ? {} : { Tag: tag }),
    Metadata: { [JOB_TAG]: jobId },
    MessageStream: stream,
  };
}

/** Names are quoted, so that a comma in one ends no address. */
const list = (mailboxes: readonly Mailbox[]): string => mailboxes.map(mailboxText).join(', ');

function attachmentOf({
  filename,
  content,
  contentType,
  cid,
}: ReturnType<typeof attachmentParts>[number]): PostmarkAttachment {
  return {
    Name: filename,
    Content: content.toString('base64'),
    ContentType: contentType ?? detectMimeType(filename),
    ...(cid === undefined ? {} : { ContentID: `cid:${cid}` }),
  };
}
