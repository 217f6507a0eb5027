import { ServerClient } from 'postmark';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { postmark } from '../../src/postmark/postmark-provider.ts';
import type { VendorAnswer } from '../helpers/http-vendor.ts';
import { type PostmarkServer, postmarkError, postmarkServer } from '../helpers/postmark-server.ts';
import { type BatchSender, jobId, openBatch } from '../helpers/provider-session.ts';

const serverToken = 'token-91f2c7';

let server: PostmarkServer;
let sender: BatchSender;

beforeEach(async () => {
  server = await postmarkServer(serverToken);
  sender = await openBatch(postmark, { serverToken, baseUrl: server.url });
});
afterEach(async () => {
  await sender.close();
  await server.close();
});

describe('what is sent', () => {
  it('is a message with every field of the payload and the id of the job in its metadata', async () => {
    const results = await sender.send([
      {
        from: { address: 'news@sender.example', name: 'Doe, "J"' },
        to: [{ address: 'ada@example.com', name: 'Ada, Countess' }, 'bob@example.com'],
        cc: 'carl@example.com',
        bcc: 'hidden@example.com',
        replyTo: 'service@sender.example',
        html: '<p>Dear Ada</p>',
        headers: { 'X-Campaign': 'spring' },
        tags: ['spring', 'late'],
        attachments: [
          { filename: 'a.pdf', content: 'aGk=' },
          { filename: 'b', content: 'aGk=', contentType: 'image/png', cid: 'logo' },
        ],
      },
    ]);
    const [[id, mail] = []] = [...server.ledger];
    expect(results).toEqual([{ status: 'succeeded', ref: id }]);
    expect(mail).toEqual({
      From: '"Doe, \\"J\\"" <news@sender.example>',
      To: '"Ada, Countess" <ada@example.com>, bob@example.com',
      Cc: 'carl@example.com',
      Bcc: 'hidden@example.com',
      ReplyTo: 'service@sender.example',
      Subject: 'Hello',
      TextBody: 'Dear Ada',
      HtmlBody: '<p>Dear Ada</p>',
      Headers: [{ Name: 'X-Campaign', Value: 'spring' }],
      Attachments: [
        { Name: 'a.pdf', Content: 'aGk=', ContentType: 'application/pdf' },
        { Name: 'b', Content: 'aGk=', ContentType: 'image/png', ContentID: 'cid:logo' },
      ],
      Tag: 'spring',
      Metadata: { batchsender_job: jobId(0) },
      MessageStream: 'outbound',
    });
  });

  it('goes to the stream of the settings, in the way of the client of Postmark', async () => {
    const broadcast = await openBatch(postmark, { serverToken, baseUrl: server.url, messageStream: 'news' });
    await broadcast.send([{}, {}]);
    const client = new ServerClient(serverToken, {
      requestHost: server.url.slice('http://'.length),
      useHttps: false,
    });
    const mail = { From: 'a@sender.example', To: 'ada@example.com', Subject: 'x', TextBody: 'y' };
    await client.sendEmailBatch([mail, mail]);
    const [ours, theirs] = server.requests.map(({ method, path, headers, body }) => ({
      method,
      path,
      token: headers['x-postmark-server-token'],
      type: headers['content-type'],
      accept: headers.accept,
      list: Array.isArray(JSON.parse(body)),
    }));
    expect(ours).toEqual(theirs);
    expect([...server.ledger.values()].map(({ MessageStream }) => MessageStream).slice(0, 2)).toEqual([
      'news',
      'news',
    ]);
  });
});

describe('what an answer means', () => {
  it.each([
    [10, 'blocked', 'invalid_token'],
    [100, 'throttled', 'maintenance'],
    [300, 'failed', 'invalid_request'],
    [400, 'blocked', 'sender_not_verified'],
    [401, 'blocked', 'sender_not_verified'],
    [402, 'failed', 'invalid_request'],
    [403, 'failed', 'invalid_request'],
    [405, 'blocked', 'not_allowed_to_send'],
    [406, 'failed', 'suppressed_by_provider'],
    [411, 'failed', 'attachment_refused'],
    [412, 'blocked', 'account_pending'],
    [413, 'blocked', 'account_may_not_send'],
    [429, 'throttled', 'rate_limit_exceeded'],
    [4711, 'failed', 'refused'],
  ])(
    'ErrorCode %i of one message is %s with the code %s, and leaves the others alone',
    async (ErrorCode, status, code) => {
      server.refuse = ({ Subject }) =>
        Subject === 'bad' ? { ErrorCode, Message: 'ada@example.com' } : undefined;
      const results = await sender.send([{}, { subject: 'bad' }, {}]);
      expect(results[1]).toMatchObject({ status, code });
      expect(JSON.stringify(results)).not.toContain('ada@');
      expect([results[0], results[2]]).toEqual(
        [...server.ledger.keys()].map((ref) => ({ status: 'succeeded', ref })),
      );
    },
  );

  it('a message that some of its recipients do not get was sent', async () => {
    server.trouble = () => ({
      status: 200,
      json: [
        {
          ErrorCode: 0,
          MessageID: 'm1',
          Message: 'Message OK, but will not deliver to these inactive addresses: x@y.example',
        },
      ],
    });
    expect(await sender.send([{}])).toEqual([
      { status: 'succeeded', ref: 'm1', data: { code: 'partly_suppressed' } },
    ]);
  });

  it('an entry that makes no sense leaves its job unknown, and the others as they are', async () => {
    server.trouble = () => ({
      status: 200,
      json: [{ ErrorCode: 0, MessageID: 'm1', Message: 'OK' }, { ErrorCode: 0 }, null],
    });
    expect((await sender.send([{}, {}, {}])).map(({ status }) => status)).toEqual([
      'succeeded',
      'unknown',
      'unknown',
    ]);
  });

  it.each<[string, VendorAnswer, object]>([
    ['401', postmarkError(401, 10), { status: 'blocked', code: 'invalid_token' }],
    ['422', postmarkError(422, 410), { status: 'failed', code: 'refused', data: { errorCode: 410 } }],
    ['429', { status: 429, text: '' }, { status: 'throttled', code: 'rate_limit_exceeded' }],
    ['503 of Postmark', postmarkError(503, 100), { status: 'throttled', code: 'maintenance' }],
    ['404', { status: 404, text: '<html>' }, { status: 'blocked', code: 'http_404' }],
    ['413', { status: 413, text: '<html>' }, { status: 'failed', code: 'http_413' }],
  ])('%s holds for the whole call', async (_what, answer, wanted) => {
    server.trouble = () => answer;
    expect(await sender.send([{}, {}])).toMatchObject([wanted, wanted]);
  });

  it.each<[string, VendorAnswer, string]>([
    ['500', postmarkError(500, 0), 'http_500'],
    ['503 of a proxy', { status: 503, text: '<html>' }, 'http_503'],
    ['a page', { status: 200, text: '<html>' }, 'invalid_response'],
    ['a list that is too short', { status: 200, json: [] }, 'invalid_response'],
    ['a cut connection', 'cut', 'connection_reset'],
  ])('%s leaves the jobs to the guarantee', async (_what, answer, code) => {
    server.trouble = () => answer;
    await expect(sender.send([{}, {}])).rejects.toMatchObject({ name: 'LostCallError', code });
  });

  it('invalid payloads never leave', async () => {
    expect(await sender.send([{ to: 'nobody' }])).toMatchObject([
      { status: 'failed', code: 'invalid_payload' },
    ]);
    expect(server.requests).toEqual([]);
  });
});

describe('health', () => {
  it('tells a wrong token from a good one', async () => {
    expect(await sender.health()).toBeUndefined();
    const wrong = await openBatch(postmark, { serverToken: 'wrong', baseUrl: server.url });
    expect(await wrong.health()).toMatchObject({ code: 'invalid_token' });
  });
});
