import { headerProblems, type PayloadProblem } from '@batchsender/core/plugin';
import { hasControls, parseAddress } from './address.ts';
import { attachmentProblems } from './attachment-rules.ts';
import { headerProblem } from './header-rules.ts';
import { type EmailPayload, MAX_RECIPIENTS } from './payload.ts';
import { addressesAt } from './recipients.ts';

type AddProblem = (problem: PayloadProblem) => void;

const FIELDS = ['to', 'cc', 'bcc', 'from', 'replyTo'] as const;

/** What the schema cannot say about a payload. Answers every problem, with its place and the remedy. */
export function validate(payload: EmailPayload): readonly PayloadProblem[] {
  const problems: PayloadProblem[] = [];
  const add: AddProblem = (problem) => problems.push(problem);
  findAddressProblems(payload, add);
  findContentProblems(payload, add);
  const { headers, attachments, listUnsubscribe } = payload;
  if (headers !== undefined) problems.push(...headerProblems(headers, headerProblem));
  if (listUnsubscribe !== undefined) findUnsubscribeProblems(listUnsubscribe, headers, add);
  if (attachments !== undefined) problems.push(...attachmentProblems(attachments));
  return problems;
}

function findAddressProblems(payload: EmailPayload, add: AddProblem): void {
  let count = 0;
  for (const field of FIELDS) {
    const addresses = addressesAt(payload, field);
    if (field !== 'from' && field !== 'replyTo') count += addresses.length;
    for (const { path, input } of addresses) {
      const mailbox = parseAddress(input);
      if (typeof mailbox === 'string') add({ path, code: 'invalid_address', message: mailbox });
    }
  }
  if (count > MAX_RECIPIENTS) {
    add({
      path: '/to',
      code: 'too_many_recipients',
      message: `to, cc and bcc have ${count} addresses, and a message at most ${MAX_RECIPIENTS}: make a job of each recipient`,
    });
  }
}

function findContentProblems({ subject, text, html }: EmailPayload, add: AddProblem): void {
  if (hasControls(subject)) {
    add({
      path: '/subject',
      code: 'invalid_subject',
      message: 'a subject is one line, without line breaks and control characters: remove them',
    });
  }
  if (!text && !html) {
    add({ path: '/text', code: 'no_content', message: 'the message is empty: give text, html or both' });
  }
}

function findUnsubscribeProblems(
  { url, mailto }: NonNullable<EmailPayload['listUnsubscribe']>,
  headers: EmailPayload['headers'],
  add: AddProblem,
): void {
  // RFC 8058, section 3.1: an HTTPS URI. The characters are those of a URI, none that would end it in the header.
  if (!/^https:\/\/[\x21\x23-\x3b\x3d\x3f-\x7e]+$/.test(url) || URL.parse(url) === null) {
    add({
      path: '/listUnsubscribe/url',
      code: 'invalid_url',
      message: 'url must be an https URL with all other characters percent-encoded (RFC 8058)',
    });
  }
  const mailbox = mailto === undefined ? undefined : parseAddress(mailto);
  const problem = typeof mailbox === 'object' && mailbox.needsUtf8 ? 'use an ASCII address' : mailbox;
  if (typeof problem === 'string') {
    add({ path: '/listUnsubscribe/mailto', code: 'invalid_address', message: problem });
  }
  for (const name of Object.keys(headers ?? {})) {
    if (!/^list-unsubscribe(-post)?$/i.test(name)) continue;
    add({
      path: `/headers/${name}`,
      code: 'duplicate_header',
      message: `'${name}' is made from listUnsubscribe: keep one of them`,
    });
  }
}
