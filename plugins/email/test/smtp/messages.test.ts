import { afterEach, describe, expect, it } from 'vitest';
import { type MailServer, mailServer } from '../helpers/mail-server.ts';
import { can, type RawServer, rawServer } from '../helpers/raw-server.ts';
import { openSender, type Sender } from '../helpers/session.ts';

let server: MailServer | RawServer;
let sender: Sender;

afterEach(async () => {
  await sender.close();
  await server.close();
});

describe('a message', () => {
  it('arrives as it was built, and the result names it', async () => {
    const mails = await mailServer();
    server = mails;
    sender = await openSender(mails.port);
    const text = '.\n..\nline\n.hidden\n\n.';
    const result = await sender.send({ text, subject: 'Grüße', bcc: 'hidden@example.com' });
    const [received] = mails.received;
    expect(received?.mail).toMatchObject({ subject: 'Grüße', text: `${text}\n` });
    expect(received?.to).toEqual(['ada@example.com', 'hidden@example.com']);
    expect(received?.raw).not.toContain('hidden@example.com');
    expect(result).toEqual({
      status: 'succeeded',
      ref: received?.mail.messageId,
      data: { queueId: '4XyZ12abc' },
    });
  });

  it('of some megabytes arrives whole', async () => {
    const mails = await mailServer();
    server = mails;
    sender = await openSender(mails.port);
    const content = Buffer.alloc(4_000_000, 7);
    await sender.send({ attachments: [{ filename: 'a.bin', content: content.toString('base64') }] });
    const [attachment] = mails.received[0]?.mail.attachments ?? [];
    expect(content.equals(Buffer.from(attachment?.content as ArrayBuffer))).toBe(true);
  });

  it('larger than the server takes fails', async () => {
    const mails = await mailServer({ size: 1_000 });
    server = mails;
    sender = await openSender(mails.port);
    expect(await sender.send({ text: 'x'.repeat(2_000) })).toMatchObject({
      status: 'failed',
      code: 'message_too_large',
    });
    expect(await sender.send()).toMatchObject({ status: 'succeeded' });
  });

  it('has the sender of the settings in its envelope, with the id of the job', async () => {
    const mails = await mailServer();
    server = mails;
    sender = await openSender(mails.port, { envelopeFrom: 'bounces+{job}@sender.example' });
    await sender.send({}, { id: 'job.1' });
    expect(mails.received[0]).toMatchObject({ from: 'bounces+job.1@sender.example' });
    expect(mails.received[0]?.mail.from?.address).toBe('news@sender.example');
  });

  it.each(['"a b"@example.com', '"a@b"@example.com', '"a:b,c"@example.com'])(
    'reaches %s, and nobody else',
    async (to) => {
      const raw = await rawServer();
      server = raw;
      sender = await openSender(raw.port);
      expect(await sender.send({ to })).toMatchObject({ status: 'succeeded' });
      expect(raw.commands.filter((line) => line.startsWith('RCPT'))).toEqual([`RCPT TO:<${to}>`]);
    },
  );

  it('to a domain in other letters goes to its ASCII form', async () => {
    const raw = await rawServer();
    server = raw;
    sender = await openSender(raw.port);
    await sender.send({ to: 'ada@bücher.example' });
    expect(raw.commands).toContain('RCPT TO:<ada@xn--bcher-kva.example>');
  });
});

describe('an address in other letters', () => {
  it('is used where the server takes it', async () => {
    const raw = await rawServer({ ehlo: can('PIPELINING', '8BITMIME', 'SMTPUTF8') });
    server = raw;
    sender = await openSender(raw.port);
    expect(await sender.send({ to: 'ädä@example.com' })).toMatchObject({ status: 'succeeded' });
    expect(raw.commands.find((line) => line.startsWith('MAIL'))).toContain(' SMTPUTF8');
    expect(Buffer.from(raw.commands.find((line) => line.startsWith('RCPT')) ?? '', 'latin1').toString()).toBe(
      'RCPT TO:<ädä@example.com>',
    );
  });

  it('fails where it does not, and nothing is sent', async () => {
    const raw = await rawServer({ ehlo: can('PIPELINING', '8BITMIME') });
    server = raw;
    sender = await openSender(raw.port);
    for (const payload of [
      { to: 'ädä@example.com' },
      { from: 'ädä@example.com' },
      { bcc: ['ädä@example.com'] },
    ]) {
      expect(await sender.send(payload)).toMatchObject({ status: 'failed', code: 'smtputf8_unsupported' });
    }
    expect(raw.messages).toEqual([]);
    expect(raw.connections).toBe(1);
    expect(await sender.send()).toMatchObject({ status: 'succeeded' });
  });
});
