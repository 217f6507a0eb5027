import type { PayloadProblem } from '@batchsender/core/plugin';
import { hasControls } from './address.ts';
import { type EmailPayload, MAX_ATTACHMENT_BYTES } from './payload.ts';

type Attachment = NonNullable<EmailPayload['attachments']>[number];

// RFC 2045, section 5.1, with parameters as tokens or plain quoted strings.
const MEDIA_TYPE =
  /^[A-Za-z0-9][\w.+-]*\/[A-Za-z0-9][\w.+-]*(?:; ?[A-Za-z0-9-]+=(?:[\w.+-]+|"[\x20\x21\x23-\x5b\x5d-\x7e]*"))*$/;

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

// RFC 2392: an address-like id; these characters need no encoding in a `cid:` URL.
const CONTENT_ID = /^[\w.+-]+(?:@[\w.+-]+)?$/;

/** What is wrong with the attachments of a payload. */
export function* attachmentProblems(attachments: readonly Attachment[]): Generator<PayloadProblem> {
  let bytes = 0;
  const ids = new Set<string>();
  for (const [index, attachment] of attachments.entries()) {
    const path = `/attachments/${index}`;
    bytes += Math.floor((attachment.content.length * 3) / 4);
    yield* oneProblem(attachment, path);
    const { cid } = attachment;
    if (cid !== undefined && ids.has(cid)) {
      yield {
        path: `${path}/cid`,
        code: 'duplicate_cid',
        message: `the cid '${cid}' is taken: choose another`,
      };
    }
    if (cid !== undefined) ids.add(cid);
  }
  if (bytes > MAX_ATTACHMENT_BYTES) {
    yield {
      path: '/attachments',
      code: 'attachments_too_large',
      message: `the attachments have ${bytes} bytes together, and may have ${MAX_ATTACHMENT_BYTES}: link to large files instead`,
    };
  }
}

function* oneProblem(
  { filename, content, contentType, cid }: Attachment,
  path: string,
): Generator<PayloadProblem> {
  if (hasControls(filename) || /[/\\]/.test(filename)) {
    yield {
      path: `${path}/filename`,
      code: 'invalid_filename',
      message: 'filename is the name of a file without folders, line breaks and control characters',
    };
  }
  if (content.length % 4 !== 0 || !BASE64.test(content)) {
    yield {
      path: `${path}/content`,
      code: 'invalid_base64',
      message: 'content must be base64 (RFC 4648, section 4), with its padding and without line breaks',
    };
  }
  if (contentType !== undefined && (!MEDIA_TYPE.test(contentType) || /^multipart\//i.test(contentType))) {
    yield {
      path: `${path}/contentType`,
      code: 'invalid_content_type',
      message: 'contentType must be a media type such as application/pdf, and none of multipart/*',
    };
  }
  if (cid !== undefined && !CONTENT_ID.test(cid)) {
    yield {
      path: `${path}/cid`,
      code: 'invalid_cid',
      message: 'cid takes letters, digits, dots, hyphens and one @, such as logo or logo@example.com',
    };
  }
}
