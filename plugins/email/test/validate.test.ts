import { describe, expect, it } from 'vitest';
import { type EmailPayload, MAX_ATTACHMENT_BYTES } from '../src/payload.ts';
import { validate } from '../src/validate.ts';
import { MAIL } from './helpers/session.ts';

const problems = (payload: Partial<EmailPayload>) =>
  validate({ ...MAIL, ...payload }).map(({ path, code }) => `${path} ${code}`);

const file = { filename: 'a.txt', content: 'aGVsbG8=' };

describe('validate', () => {
  it.each<Partial<EmailPayload>>([
    {},
    { to: ['ada@example.com', { address: 'grace@example.com', name: 'Grace' }] },
    { text: '', html: '<p>Hello</p>' },
    {
      headers: {
        'X-Campaign': 'spring',
        'In-Reply-To': '<a@b.example>',
        'List-Unsubscribe': '<https://a.example>',
      },
    },
    { headers: { 'X-Long': 'word '.repeat(1_000) } },
    { listUnsubscribe: { url: 'https://example.com/u?id=%20', mailto: 'stop@example.com' } },
    { attachments: [file, { ...file, contentType: 'text/plain; charset="utf-8"', cid: 'logo@example.com' }] },
    { subject: '' },
  ])('has nothing against %j', (payload) => {
    expect(problems(payload)).toEqual([]);
  });

  it('names the place of each address that is wrong', () => {
    const wrong = 'a\r\nb@example.com';
    expect(
      problems({ to: ['ada@example.com', wrong], cc: wrong, bcc: [wrong], replyTo: wrong, from: wrong }),
    ).toEqual([
      '/to/1 invalid_address',
      '/cc invalid_address',
      '/bcc/0 invalid_address',
      '/from invalid_address',
      '/replyTo invalid_address',
    ]);
  });

  it('counts the recipients of all fields', () => {
    const many = Array.from({ length: 60 }, (_, at) => `ada${at}@example.com`);
    expect(problems({ to: many, bcc: many })).toEqual(['/to too_many_recipients']);
  });

  it('asks for a text or HTML', () => {
    expect(problems({ text: '' })).toEqual(['/text no_content']);
  });

  it.each(['a\r\nBcc: eve@evil.example', 'a\nb', 'a\rb', 'a\0', 'a\x7f', 'a\u2028b'])(
    'refuses the subject %j',
    (subject) => {
      expect(problems({ subject })).toEqual(['/subject invalid_subject']);
      expect(problems({ headers: { 'X-A': subject } })).toEqual(['/headers/X-A invalid_header_value']);
    },
  );

  it.each([
    'From',
    'to',
    'CC',
    'Bcc',
    'Sender',
    'Reply-To',
    'Subject',
    'Date',
    'Message-ID',
    'MIME-Version',
    'Content-Type',
    'content-transfer-encoding',
    'DKIM-Signature',
    'ARC-Seal',
    'Received',
    'Return-Path',
    'Resent-From',
  ])('refuses the header %s, which is not the payload’s to set', (name) => {
    expect(problems({ headers: { [name]: 'x' } })).toEqual([`/headers/${name} reserved_header`]);
  });

  it.each(['', 'a b', 'a:b', 'a\r\nb', 'ä', '-a', 'Bcc\0', 'x'.repeat(80)])(
    'refuses the header name %j',
    (name) => {
      expect(problems({ headers: { [name]: 'x' } })).toEqual([`/headers/${name} invalid_header_name`]);
    },
  );

  it('refuses a header that is given twice, or that a field makes', () => {
    expect(problems({ headers: { 'X-A': '1', 'x-a': '2' } })).toEqual(['/headers/x-a duplicate_header']);
    const headers = { 'list-unsubscribe-post': 'x' };
    expect(problems({ headers, listUnsubscribe: { url: 'https://example.com' } })).toEqual([
      '/headers/list-unsubscribe-post duplicate_header',
    ]);
  });

  it('refuses a header that no line can hold', () => {
    expect(problems({ headers: { 'X-A': 'x'.repeat(1_000) } })).toEqual([
      '/headers/X-A invalid_header_value',
    ]);
  });

  it.each([
    'http://example.com',
    'https://',
    'https://a.example/>',
    'https://a.example/\r\nX: y',
    'https://ä.example',
    'x',
  ])('refuses the URL %j to unsubscribe at', (url) => {
    expect(problems({ listUnsubscribe: { url } })).toEqual(['/listUnsubscribe/url invalid_url']);
  });

  it.each<[string, object]>([
    ['filename', { filename: '../../etc/passwd' }],
    ['filename', { filename: 'a\r\nX: y' }],
    ['content', { content: 'no base64!' }],
    ['content', { content: 'YQ' }],
    ['contentType', { contentType: 'text' }],
    ['contentType', { contentType: 'text/plain\r\nX: y' }],
    ['contentType', { contentType: 'multipart/mixed; boundary=x' }],
    ['cid', { cid: 'a>b' }],
    ['cid', { cid: 'a\r\nX: y' }],
  ])('refuses a %s such as %j', (field, part) => {
    expect(problems({ attachments: [{ ...file, ...part }] })).toEqual([
      expect.stringMatching(`^/attachments/0/${field} invalid_`),
    ]);
  });

  it('refuses a cid that is taken, and more than the limit of bytes', () => {
    expect(
      problems({
        attachments: [
          { ...file, cid: 'a' },
          { ...file, cid: 'a' },
        ],
      }),
    ).toEqual(['/attachments/1/cid duplicate_cid']);
    const half = { ...file, content: 'A'.repeat((MAX_ATTACHMENT_BYTES / 3) * 4 - 4) };
    expect(problems({ attachments: [half, half] })).toEqual(['/attachments attachments_too_large']);
  });
});
