/** A reply of a server, without its text, which may quote addresses. */
export interface Reply {
  /** The three digits (RFC 5321, section 4.2). */
  readonly status: number;
  /** The enhanced code (RFC 3463), such as `5.1.1`, if it fits the first digit. */
  readonly enhanced: string | undefined;
}

/** Reads a reply; undefined if it is none. */
export function parseReply(response: string | undefined): Reply | undefined {
  const match = /^([2-5]\d\d)(?:[ -]|$)(?:([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$))?/.exec(response ?? '');
  if (match === null) return undefined;
  const [, status = '', kind, subject, detail] = match;
  // RFC 2034, section 4: the first digits of both codes are the same.
  const enhanced = kind === status[0] ? `${kind}.${subject}.${detail}` : undefined;
  return { status: Number(status), enhanced };
}

/** The reply in a few characters, such as `550 5.1.1`. */
export const replyText = ({ status, enhanced }: Reply): string =>
  enhanced === undefined ? String(status) : `${status} ${enhanced}`;

// What the common servers say when they took a message. The id is what their logs know it by.
const QUEUE_IDS = [
  /\bqueued as ([A-Za-z0-9.-]{4,80})/i, // Postfix, Mailpit, Postal
  /^250[ -]OK id=([A-Za-z0-9-]{4,80})/i, // Exim
  /^250 2\.0\.0 ([A-Za-z0-9]{6,80}) Message accepted for delivery/i, // Sendmail
  /^250 2\.0\.0 OK\s+\d+ ([a-z0-9.-]{6,80}) - gsmtp/i, // Gmail
  /^250 Ok ([0-9a-f]{8,}(?:-[0-9a-f]+)+)$/i, // Amazon SES
  /\bInternalId=(\d{4,40})\b/, // Exchange
];

/** The id under which a server keeps a message, if its reply names one in a form that is known. */
export function queueIdOf(response: string): string | undefined {
  for (const pattern of QUEUE_IDS) {
    const id = pattern.exec(response)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}
