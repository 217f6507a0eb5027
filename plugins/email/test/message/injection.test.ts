import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { composeMessage } from '../../src/message/compose.ts';
import { plainTexts } from '../../src/message/plain-text.ts';
import type { EmailPayload } from '../../src/payload.ts';
import { recipients } from '../../src/recipients.ts';
import { validate } from '../../src/validate.ts';

/** Pieces of which attacks are made: those that `validate` must refuse, and those that must do no harm. */
const refused = ['\r\n', '\n', '\r', '\0', '\r\n.\r\n', '\r\nBcc: eve@evil.example\r\n', '\u2028', '\u0085'];
const harmless = [
  '\t',
  ' ',
  '    ',
  'Bcc: eve@evil.example',
  'RCPT TO:<eve@evil.example>',
  '<eve@evil.example>',
  '"',
  '\\',
  '(',
  ')',
  ',',
  ';',
  ':',
  '@',
  '=?utf-8?Q?=0D=0ABcc:_eve=40evil.example?=',
  '=?utf-8?B?DQpCY2M6IGV2ZUBldmlsLmV4YW1wbGU=?=',
  'ä',
  '例え',
  '\ud800',
  '--boundary',
  '{{ name }}',
  '%0d%0a',
  'a',
  'word '.repeat(40),
];
const joined = (pieces: readonly string[]) =>
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join(''));
const evil = fc.oneof(
  { weight: 24, arbitrary: joined(harmless) },
  { weight: 1, arbitrary: joined([...harmless, ...refused]) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);
const around = (base: string) =>
  fc.oneof(
    { weight: 20, arbitrary: fc.constant(base) },
    { weight: 1, arbitrary: evil },
    { weight: 1, arbitrary: fc.tuple(evil, evil).map(([before, after]) => `${before}${base}${after}`) },
  );
const address = fc.oneof(
  around('ada@example.com'),
  fc.record({ address: around('grace@example.com'), name: evil }),
  fc.constantFrom(
    '"a b"@example.com',
    '"a@evil.example,b"@example.com',
    '"a\\"b;:"@example.com',
    'ä@example.com',
  ),
);
const field = fc.oneof(address, fc.array(address, { minLength: 1, maxLength: 3 }));

const payloads = fc.record(
  {
    to: field,
    from: address,
    subject: evil,
    text: fc.oneof(fc.constant('text'), evil),
    html: evil,
    cc: field,
    bcc: field,
    replyTo: field,
    headers: fc.dictionary(around('X-Own'), evil, { maxKeys: 3 }),
    listUnsubscribe: fc.record({ url: around('https://example.com/u'), mailto: around('stop@example.com') }),
    attachments: fc.array(
      fc.record({
        filename: around('file.txt'),
        content: around('aGVsbG8='),
        contentType: around('text/plain'),
        cid: around('logo'),
      }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['to', 'from', 'subject', 'text'] },
);

const OWN = new Set([
  'from',
  'to',
  'cc',
  'reply-to',
  'subject',
  'date',
  'message-id',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
  'list-unsubscribe',
  'list-unsubscribe-post',
]);

describe('no payload', () => {
  it('can bring a header line or a recipient that it does not name', async () => {
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(payloads, async (generated) => {
        const payload = generated as EmailPayload;
        if (validate(payload).length > 0) return;
        sent++;
        const message = await composeMessage(payload, { idempotencyKey: 'job.1', plainText: plainTexts() });
        const text = message.raw.toString('latin1');
        const mail = await PostalMime.parse(message.raw);
        const named = new Set(Object.keys(payload.headers ?? {}).map((name) => name.toLowerCase()));
        for (const { key } of mail.headers) expect(OWN.has(key) || named.has(key), key).toBe(true);
        expect(new Set(mail.headers.map(({ key }) => key)).size).toBe(mail.headers.length);
        expect(text).not.toMatch(/\r(?!\n)|(?<!\r)\n|\0/);
        const envelope = message.recipients.map(({ mailbox }) => mailbox.address);
        expect([...new Set(envelope.map((line) => line.toLowerCase()))]).toEqual(recipients(payload));
        for (const line of envelope) expect(line).not.toMatch(/[\r\n\0<>]/);
        expect(envelope.some((line) => line.endsWith('@evil.example'))).toBe(false);
        expect(mail.bcc).toBeUndefined();
        const shown = [mail.from, ...(mail.to ?? []), ...(mail.cc ?? [])];
        expect(shown).toHaveLength(1 + listOf(payload.to) + listOf(payload.cc));
        expect(mail.messageId).toBe(message.messageId);
      }),
      { numRuns: 2_000 },
    );
    expect(sent).toBeGreaterThan(300);
  });
});

const listOf = (value: unknown): number =>
  value === undefined ? 0 : Array.isArray(value) ? value.length : 1;
