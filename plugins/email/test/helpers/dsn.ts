import { jobId } from './provider-session.ts';

/** Fields of a recipient's group in a report. */
export interface DsnGroup {
  readonly address?: string;
  readonly action?: string;
  readonly status?: string;
  readonly original?: string;
}

export interface DsnOptions {
  readonly groups?: readonly DsnGroup[];
  /** Of the message that came back; null for a report without its headers. */
  readonly messageId?: string | null;
  readonly to?: string;
  /** Media type of the part with what came back. */
  readonly returned?: 'message/rfc822' | 'text/rfc822-headers';
}

/** A report in the form of RFC 3464, section 6, as Postfix writes it. */
export function dsn({
  groups = [{}],
  messageId = `<${jobId(4)}@sender.example>`,
  to = 'bounces@sender.example',
  returned = 'text/rfc822-headers',
}: DsnOptions = {}): string {
  const parts = [
    'Content-Type: text/plain; charset=us-ascii\n\nYour message to ada@example.com came back.\n',
    `Content-Type: message/delivery-status\n\n${statusOf(groups)}`,
  ];
  if (messageId !== null) {
    const headers = `From: news@sender.example\nTo: ada@example.com\nMessage-ID: ${messageId}\nSubject: Hello\n`;
    parts.push(
      `Content-Type: ${returned}\n\n${headers}${returned === 'message/rfc822' ? '\nDear Ada\n' : ''}`,
    );
  }
  const body = parts.map((part) => `--XX\n${part}\n`).join('');
  return [
    'Date: Sun, 29 Nov 2026 09:00:00 +0000',
    'From: MAILER-DAEMON@mx.example (Mail Delivery System)',
    'Subject: Undelivered Mail Returned to Sender',
    `To: ${to}`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="XX"',
    'Message-Id: <20261129090000.3B1F2@mx.example>',
    '',
    `This is a MIME-encapsulated message.\n\n${body}--XX--\n`,
  ]
    .join('\n')
    .replaceAll('\n', '\r\n');
}

function statusOf(groups: readonly DsnGroup[]): string {
  const perMessage = 'Reporting-MTA: dns; mx.example\nArrival-Date: Sun, 29 Nov 2026 08:59:00 +0000\n';
  const perRecipient = groups.map(
    ({ address = 'Ada@Example.com', action = 'failed', status = '5.1.1', original }) =>
      [
        `Final-Recipient: rfc822; ${address}`,
        ...(original === undefined ? [] : [`Original-Recipient: rfc822;${original}`]),
        `Action: ${action}`,
        `Status: ${status} (bad\n destination mailbox address)`,
        'Diagnostic-Code: smtp; 550 5.1.1 <ada@example.com>: unknown',
        '',
      ].join('\n'),
  );
  return [perMessage, ...perRecipient].join('\n');
}
