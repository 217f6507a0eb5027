import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { composeMessage, InvalidMessageError } from '../../src/message/compose.ts';
import { plainTexts } from '../../src/message/plain-text.ts';
import type { EmailPayload } from '../../src/payload.ts';
import { MAIL } from '../helpers/session.ts';

const compose = (payload: Partial<EmailPayload>, idempotencyKey = 'job.1', tagHeader?: string) =>
  composeMessage({ ...MAIL, ...payload }, { idempotencyKey, plainText: plainTexts(), tagHeader });

async function parsed(payload: Partial<EmailPayload>) {
  const { raw } = await compose(payload);
  return PostalMime.parse(raw);
}

const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

describe('composeMessage', () => {
  it('makes a plain text of HTML that comes alone', async () => {
    const mail = await parsed({
      text: undefined as never,
      html: '<h1>Hi</h1><p>See <a href="https://a.example/x">this</a></p>',
    });
    expect(mail.html).toContain('<h1>Hi</h1>');
    expect(mail.text).toContain('this [https://a.example/x]');
  });

  it('sends a text alone as it is', async () => {
    const mail = await parsed({ text: 'Grüße\n.\nzum Schluß' });
    expect(mail.text?.trim()).toBe('Grüße\n.\nzum Schluß');
    expect(mail.html).toBeFalsy();
  });

  it('sends both where both are given', async () => {
    const mail = await parsed({ text: 'text', html: '<p>html</p>' });
    expect([mail.text?.trim(), mail.html?.trim()]).toEqual(['text', '<p>html</p>']);
  });

  it('keeps what is beyond ASCII in subject, names and texts', async () => {
    const mail = await parsed({
      subject: 'Grüße aus 東京 🎉',
      from: { address: 'news@bücher.example', name: 'Bücher "&" Söhne' },
      to: { address: 'ada@example.com', name: 'Ada Łovelace 🚀' },
    });
    expect(mail.subject).toBe('Grüße aus 東京 🎉');
    expect(mail.from).toEqual({ address: 'news@xn--bcher-kva.example', name: 'Bücher "&" Söhne' });
    expect(mail.to).toEqual([{ address: 'ada@example.com', name: 'Ada Łovelace 🚀' }]);
  });

  it('shows cc, hides bcc, and names where answers go', async () => {
    const message = await compose({
      cc: 'cc@example.com',
      bcc: 'hidden@example.com',
      replyTo: ['a@example.com', 'b@example.com'],
    });
    const mail = await PostalMime.parse(message.raw);
    expect(mail.cc?.map(({ address }) => address)).toEqual(['cc@example.com']);
    expect(mail.replyTo?.map(({ address }) => address)).toEqual(['a@example.com', 'b@example.com']);
    expect(message.raw.toString()).not.toContain('hidden@example.com');
    expect(message.recipients.map(({ mailbox }) => mailbox.address)).toContain('hidden@example.com');
  });

  it('attaches files, and shows those with a cid in the HTML', async () => {
    const mail = await parsed({
      html: '<img src="cid:logo">',
      attachments: [
        { filename: 'Rechnung Ä.pdf', content: Buffer.from('PDF').toString('base64') },
        { filename: 'logo.png', content: pixel, cid: 'logo' },
        { filename: 'empty.txt', content: '' },
      ],
    });
    const found = mail.attachments.map(({ filename, mimeType, contentId, related }) => [
      filename,
      mimeType,
      contentId,
      related,
    ]);
    expect(found).toContainEqual(['logo.png', 'image/png', '<logo>', true]);
    expect(found.map(([name, type]) => [name, type])).toEqual(
      expect.arrayContaining([
        ['Rechnung Ä.pdf', 'application/pdf'],
        ['empty.txt', 'text/plain'],
      ]),
    );
    const logo = mail.attachments.find(({ filename }) => filename === 'logo.png');
    expect(Buffer.from(logo?.content as ArrayBuffer).toString('base64')).toBe(pixel);
  });

  it('never reads a file or a URL', async () => {
    const raw = (
      await compose({ html: '<img src="/etc/passwd"><img src="file:///etc/passwd">' })
    ).raw.toString();
    expect(raw).not.toContain('root:');
    const odd = { path: '/etc/passwd' } as unknown as string;
    await expect(compose({ text: odd })).rejects.toThrow();
  });

  it('is in ASCII, so that every server takes it', async () => {
    const { raw } = await compose({
      subject: 'ä',
      text: 'ä'.repeat(2_000),
      html: 'ö',
      headers: { 'X-A': 'ü' },
      attachments: [{ filename: 'ä.eml', content: Buffer.from('Subject: ä\r\n\r\nä').toString('base64') }],
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: 7-bit text is what is looked for
    expect(raw.toString('latin1')).toMatch(/^[\x01-\x7f]*$/);
    expect(
      Math.max(
        ...raw
          .toString('latin1')
          .split('\r\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(998);
  });

  it('offers one click to unsubscribe', async () => {
    const { raw } = await compose({
      listUnsubscribe: { url: 'https://a.example/u?j=1', mailto: 'stop@a.example' },
    });
    expect(raw.toString()).toMatch(
      /^List-Unsubscribe: <https:\/\/a\.example\/u\?j=1>,\s+<mailto:stop@a\.example>\r$/m,
    );
    expect(raw.toString()).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
  });

  it('sends tags in the header of the settings only', async () => {
    expect((await compose({ tags: ['spring'] })).raw.toString()).not.toContain('spring');
    expect((await compose({ tags: ['a', 'b'] }, 'job.1', 'X-Mailgun-Tag')).raw.toString()).toMatch(
      /^X-Mailgun-Tag: a\r\nX-Mailgun-Tag: b\r$/m,
    );
  });

  it('has a message id that is the same for each attempt, and another for each job', async () => {
    const ids = await Promise.all(['job.1', 'job.1', 'job.2', 'ключ\r\n'].map((key) => compose({}, key)));
    const [first, again, other, odd] = ids.map(({ messageId }) => messageId);
    expect(first).toBe('<job.1@sender.example>');
    expect([again === first, other === first]).toEqual([true, false]);
    expect(odd).toMatch(/^<[0-9a-f]{40}@sender\.example>$/);
  });

  it('refuses a payload that was not validated, and names the place', async () => {
    await expect(compose({ subject: 'a\r\nBcc: eve@evil.example' })).rejects.toThrow(InvalidMessageError);
    await expect(compose({ subject: 'a\r\nb' })).rejects.toThrow('/subject');
  });

  it('reads the HTML of a careless or evil sender in little time', async () => {
    const deep = `${'<div>'.repeat(20_000)}x`;
    expect((await parsed({ text: '', html: deep })).html?.trim()).toBe(deep);
    expect((await parsed({ text: '', html: '<table><tr><td>'.repeat(2_000) })).html).toContain('<table>');
  });
});
