import { Resend } from 'resend';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobOfTag } from '../../src/receipts/job-tag.ts';
import { resend } from '../../src/resend/resend-provider.ts';
import type { VendorAnswer } from '../helpers/http-vendor.ts';
import { type BatchSender, jobId, openBatch } from '../helpers/provider-session.ts';
import { type ResendMail, type ResendServer, resendError, resendServer } from '../helpers/resend-server.ts';

const apiKey = 're_test_91f2c7';

let server: ResendServer;
let sender: BatchSender;

beforeEach(async () => {
  server = await resendServer(apiKey);
  sender = await openBatch(resend, { apiKey, baseUrl: server.url });
});
afterEach(async () => {
  await sender.close();
  await server.close();
});

const file = { filename: 'a.txt', content: 'aGk=', contentType: 'text/plain', cid: 'a1' };
const tagOf = ({ tags = [] }: ResendMail) =>
  jobOfTag(tags.find(({ name }) => name === 'batchsender_job')?.value);

describe('what is sent', () => {
  it('is one email, with every field of the payload and the id of the job as a tag', async () => {
    const payload = {
      from: { address: 'news@sender.example', name: 'Müller, "Söhne"' },
      to: [{ address: 'ada@example.com', name: 'Ada' }, 'ada@example.com', 'bob@bücher.example'],
      cc: 'ada@example.com',
      bcc: 'hidden@example.com',
      replyTo: 'service@sender.example',
      html: '<p>Dear <b>Ada</b></p>',
      headers: { 'X-Campaign': 'spring' },
      listUnsubscribe: { url: 'https://sender.example/u/1' },
      tags: ['spring', 'spring', 'batchsender_job'],
      attachments: [file],
    };
    const [result] = await sender.send([payload]);
    const [[id, mail] = []] = [...server.ledger];
    expect(result).toEqual({ status: 'succeeded', ref: id });
    expect(mail).toEqual({
      from: '"Müller, \\"Söhne\\"" <news@sender.example>',
      to: ['"Ada" <ada@example.com>', 'bob@xn--bcher-kva.example'],
      bcc: ['hidden@example.com'],
      reply_to: ['service@sender.example'],
      subject: 'Hello',
      text: 'Dear Ada',
      html: '<p>Dear <b>Ada</b></p>',
      headers: {
        'X-Campaign': 'spring',
        'List-Unsubscribe': '<https://sender.example/u/1>',
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      },
      tags: [
        { name: 'batchsender_job', value: jobId(0).replace('.', '_') },
        { name: 'spring', value: 'true' },
      ],
      attachments: [{ filename: 'a.txt', content: 'aGk=', content_type: 'text/plain', content_id: 'a1' }],
    });
  });

  it('is one call for many jobs, with the key of the call, and each id goes to its job', async () => {
    const results = await sender.send([{ subject: 'a' }, { subject: 'b' }, { subject: 'c' }], {
      key: 'call-1',
    });
    expect(server.requests.map(({ path }) => path)).toEqual(['/emails/batch']);
    expect(server.keys).toEqual(['call-1']);
    const sent = results.map((result) =>
      result.status === 'succeeded' ? server.ledger.get(result.ref ?? '') : undefined,
    );
    expect(sent.map((mail) => mail?.subject)).toEqual(['a', 'b', 'c']);
    expect(sent.map((mail) => tagOf(mail as ResendMail))).toEqual([jobId(0), jobId(1), jobId(2)]);
  });

  it('goes without a batch where there are attachments, with a key for each job', async () => {
    const results = await sender.send([{ attachments: [file] }, { attachments: [file] }, {}, {}], {
      key: 'call-1',
    });
    expect(results.map(({ status }) => status)).toEqual(Array(4).fill('succeeded'));
    expect(server.requests.map(({ path }) => path)).toEqual(['/emails', '/emails', '/emails/batch']);
    expect(server.keys).toEqual([jobId(0), jobId(1), 'call-1']);
    const groups = [{ attachments: [file] }, { attachments: [{ ...file, cid: 'b' }] }, {}].map((part) =>
      resend.groupKey?.({ to: 'a@b.example', from: 'a@b.example', subject: '', text: 'x', ...part }),
    );
    expect(new Set(groups).size).toBe(3);
    expect(groups[2]).toBe('');
  });

  it('is sent once, although a call whose answer was cut is made again with its key', async () => {
    server.cutAfterwards = true;
    const payloads = [{ subject: 'a' }, { subject: 'b' }];
    await expect(sender.send(payloads)).rejects.toMatchObject({ notSent: false, code: 'connection_reset' });
    server.cutAfterwards = false;
    const results = await sender.send(payloads);
    expect(server.ledger.size).toBe(2);
    expect(results).toEqual([...server.ledger.keys()].map((ref) => ({ status: 'succeeded', ref })));
  });

  it('is what the client of Resend sends too', async () => {
    const client = new Resend(apiKey, { baseUrl: server.url });
    const mail = { from: 'news@sender.example', to: ['ada@example.com'], subject: 'Hello', text: 'Dear Ada' };
    await client.batch.send([mail, { ...mail, to: [] }], {
      batchValidation: 'permissive',
      idempotencyKey: 'k1',
    });
    await client.emails.send(mail, { idempotencyKey: 'k2' });
    await sender.send([{}, {}], { key: 'k3' });
    await sender.send([{}]);
    const shapes = server.requests.map(({ method, path, headers, body }) => ({
      method,
      path,
      type: headers['content-type'],
      key: typeof headers['idempotency-key'],
      validation: headers['x-batch-validation'],
      list: Array.isArray(JSON.parse(body)),
    }));
    expect(shapes[2]).toEqual(shapes[0]);
    expect(shapes[3]).toEqual({ ...shapes[1], validation: undefined });
    expect(server.ledger.size).toBe(5);
  });
});

describe('what an answer means', () => {
  it('is told apart in a batch: a refused email leaves the others alone', async () => {
    server.refuse = ({ subject }) => (subject === 'bad' ? 'The `to` field is ada@example.com' : undefined);
    const results = await sender.send([{ subject: 'bad' }, {}, { subject: 'bad' }, {}]);
    const refused = {
      status: 'failed',
      code: 'validation_error',
      message: 'Resend refused the email',
      data: { field: 'to' },
    };
    const [, second, , fourth] = results;
    expect(results).toEqual([refused, second, refused, fourth]);
    expect([second, fourth]).toEqual([...server.ledger.keys()].map((ref) => ({ status: 'succeeded', ref })));
  });

  it('an invalid payload never leaves, and the others do', async () => {
    const results = await sender.send([{ to: 'no address' }, {}]);
    expect(results[0]).toMatchObject({ status: 'failed', code: 'invalid_payload' });
    expect(results[1]).toMatchObject({ status: 'succeeded' });
    expect(server.ledger.size).toBe(1);
  });

  it.each([
    [401, 'missing_api_key', 'blocked', 'missing_api_key'],
    [401, 'restricted_api_key', 'blocked', 'restricted_api_key'],
    [401, 'validation_error', 'blocked', 'invalid_api_key'],
    [403, 'invalid_api_key', 'blocked', 'invalid_api_key'],
    [403, 'validation_error', 'blocked', 'sender_not_verified'],
    [404, 'not_found', 'blocked', 'not_found'],
    [405, 'method_not_allowed', 'blocked', 'method_not_allowed'],
    [409, 'invalid_idempotent_request', 'unknown', 'idempotency_conflict'],
    [400, 'validation_error', 'failed', 'validation_error'],
    [422, 'invalid_attachment', 'failed', 'invalid_attachment'],
    [422, 'missing_required_field', 'failed', 'missing_required_field'],
    [422, 'an_error_of_tomorrow', 'failed', 'http_422'],
    [451, 'security_error', 'failed', 'security_error'],
    [429, 'monthly_quota_exceeded', 'blocked', 'monthly_quota_exceeded'],
    [429, 'daily_quota_exceeded', 'throttled', 'daily_quota_exceeded'],
    [429, 'rate_limit_exceeded', 'throttled', 'rate_limit_exceeded'],
  ])('%i %s is %s with the code %s', async (status, name, wanted, code) => {
    server.trouble = () => resendError(status, name, 'ada@example.com is wrong');
    const results = await sender.send([{}, {}]);
    expect(results).toHaveLength(2);
    for (const result of results) expect(result).toMatchObject({ status: wanted, code });
    expect(JSON.stringify(results)).not.toContain('ada@');
  });

  it.each([403, 404])('%i of somebody else on the way blocks the connection', async (status) => {
    server.trouble = () => ({ status, text: '<html>error code: 1010</html>' });
    expect(await sender.send([{}])).toMatchObject([{ status: 'blocked', code: `http_${status}` }]);
  });

  it('waits as long as Resend says', async () => {
    server.trouble = () => resendError(429, 'rate_limit_exceeded', '', { 'retry-after': '7' });
    expect(await sender.send([{}])).toMatchObject([
      { status: 'throttled', afterMs: 7_000, scope: 'connection' },
    ]);
  });

  it.each<[string, VendorAnswer, string]>([
    ['a server error', resendError(500, 'internal_server_error'), 'http_500'],
    ['a proxy that gave up', { status: 502, text: '<html>' }, 'http_502'],
    [
      'an earlier call that is still at work',
      resendError(409, 'concurrent_idempotent_requests'),
      'concurrent_idempotent_requests',
    ],
    ['a page', { status: 200, text: '<html>fine</html>' }, 'invalid_response'],
    ['too few ids', { status: 200, json: { data: [{ id: 'x' }] } }, 'invalid_response'],
    ['an id that is none', { status: 200, json: { data: [{ id: 'x' }, { id: 7 }] } }, 'invalid_response'],
    [
      'a foreign position',
      { status: 200, json: { data: [{ id: 'x' }], errors: [{ index: 2 }] } },
      'invalid_response',
    ],
    ['a redirect', { status: 302, json: {} }, 'invalid_response'],
  ])('%s is no answer: the call is made again with its key', async (_what, answer, code) => {
    server.trouble = () => answer;
    await expect(sender.send([{}, {}])).rejects.toMatchObject({ name: 'LostCallError', code });
  });

  it('a forbidden address blocks the connection, since no job is at fault', async () => {
    const strict = await openBatch(
      resend,
      { apiKey, baseUrl: 'http://127.0.0.2:8080' },
      { network: { allow: [] } },
    );
    expect(await strict.send([{}, {}])).toMatchObject(
      Array(2).fill({ status: 'blocked', code: 'address_not_allowed' }),
    );
  });
});

describe('health', () => {
  it('knows a key that may only send, and a wrong one', async () => {
    expect(await sender.health()).toBeUndefined();
    const wrong = await openBatch(resend, { apiKey: 're_wrong', baseUrl: server.url });
    expect(await wrong.health()).toMatchObject({ code: 'invalid_api_key' });
  });
});
