import type { EmailPayload } from '../payload.ts';

/** An attachment as nodemailer takes it: content only, never a path or a URL. */
export interface AttachmentPart {
  readonly filename: string;
  readonly content: Buffer;
  readonly contentType?: string;
  readonly cid?: string;
}

/** The attachments of a payload. */
export function attachmentParts({ attachments = [] }: EmailPayload): AttachmentPart[] {
  return attachments.map(({ filename, content, contentType, cid }) => {
    const bytes = Buffer.from(content, 'base64');
    const isMessage = isMessageType(contentType, filename);
    const type = isMessage && !isPlain(bytes) ? 'application/octet-stream' : contentType;
    return {
      filename: filename.toWellFormed(),
      content: isMessage && isPlain(bytes) ? withLineEnds(bytes) : bytes,
      ...(type === undefined ? {} : { contentType: type }),
      ...(cid === undefined ? {} : { cid }),
    };
  });
}

/**
 * A message as an attachment may not be encoded (RFC 2046, section 5.2.1), and not every server
 * takes 8-bit lines. So one that is not plain ASCII travels as a file without a meaning.
 */
function isMessageType(contentType: string | undefined, filename: string): boolean {
  return contentType === undefined
    ? /\.(eml|mht|mhtml|nws|mime)$/i.test(filename)
    : /^message\//i.test(contentType);
}

function isPlain(bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: 7-bit text is what is looked for
  return /^[\x01-\x7f]*$/.test(text) && text.split(/\r\n|\r|\n/).every((line) => line.length <= 998);
}

function withLineEnds(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/\r\n?|\n/g, '\r\n'), 'latin1');
}
