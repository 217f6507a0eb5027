import { attachmentParts } from '../message/attachments.ts';
import type { Mail } from '../message/mail.ts';
import { mailboxText } from '../message/mailbox-text.ts';
import type { EmailPayload } from '../payload.ts';
import { JOB_TAG, jobTag } from '../receipts/job-tag.ts';

/** An email as https://resend.com/docs/api-reference/emails/send-email describes it. */
export interface ResendEmail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly cc?: readonly string[];
  readonly bcc?: readonly string[];
  readonly reply_to?: readonly string[];
  readonly text?: string;
  readonly html?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tags: readonly { readonly name: string; readonly value: string }[];
  readonly attachments?: readonly ResendAttachment[];
}

interface ResendAttachment {
  readonly filename: string;
  /** Base64. */
  readonly content: string;
  readonly content_type?: string;
  readonly content_id?: string;
}

/**
 * A mail for Resend. It depends on the payload and the id of the job only, since Resend refuses a
 * repeat whose body is another one. A label of ours becomes a tag with the value `true`, for
 * Resend's tags have a name and a value.
 */
export function resendEmail(mail: Mail, payload: EmailPayload, jobId: string): ResendEmail {
  const { from, to, cc, bcc, replyTo, subject, bodies, headers, tags } = mail;
  const attachments = attachmentParts(payload).map(({ filename, content, contentType, cid }) => ({
    filename,
    content: content.toString('base64'),
    ...(contentType === undefined ? {} : { content_type: contentType }),
    ...(cid === undefined ? {} : { content_id: cid }),
  }));
  const labels = tags.filter((name) => name !== JOB_TAG).map((name) => ({ name, value: 'true' }));
  return {
    from: mailboxText(from),
    to: to.map(mailboxText),
    ...(cc.length === 0 ? {} : { cc: cc.map(mailboxText) }),
    ...(bcc.length === 0 ? {} : { bcc: bcc.map(mailboxText) }),
    ...(replyTo.length === 0 ? {} : { reply_to: replyTo.map(mailboxText) }),
    subject,
    ...bodies,
    ...(headers.length === 0
      ? {}
      : { headers: Object.fromEntries(headers.map(({ key, value }) => [key, value])) }),
    tags: [{ name: JOB_TAG, value: jobTag(jobId) }, ...labels],
    ...(attachments.length === 0 ? {} : { attachments }),
  };
}
