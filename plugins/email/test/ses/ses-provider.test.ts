import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobOfTag } from '../../src/receipts/job-tag.ts';
import { ses } from '../../src/ses/ses-provider.ts';
import type { VendorAnswer } from '../helpers/http-vendor.ts';
import { type BatchSender, jobId, openBatch } from '../helpers/provider-session.ts';
import { type SesServer, sesError, sesServer } from '../helpers/ses-server.ts';
import { MAIL } from '../helpers/session.ts';

const keys = { region: 'eu-west-1', accessKeyId: 'AKIDTEST', secretAccessKey: 'secret-91f2c7' };

let server: SesServer;
let sender: BatchSender;

beforeEach(async () => {
  server = await sesServer(keys);
  sender = await openBatch(ses, { ...keys, baseUrl: server.url, configurationSet: 'receipts' });
});
afterEach(async () => {
  await sender.close();
  await server.close();
});

const paths = () => server.requests.map(({ path }) => path.slice('/v2/email/'.length));
const inputs = () => server.requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>);

describe('what is sent', () => {
  it('is the whole message for one job, with hidden recipients in the envelope only', async () => {
    const results = await sender.send([
      {
        to: [{ address: 'ada@example.com', name: 'Ada' }, 'bob@example.com'],
        cc: 'carl@example.com',
        bcc: 'hidden@example.com',
        html: '<p>Dear Ada</p>',
        tags: ['spring'],
        attachments: [{ filename: 'a.txt', content: 'aGk=' }],
      },
    ]);
    const [[id, mail] = []] = [...server.ledger];
    expect(results).toEqual([{ status: 'succeeded', ref: id }]);
    expect(paths()).toEqual(['outbound-emails']);
    expect(inputs()).toMatchObject([{ ConfigurationSetName: 'receipts' }]);
    expect(mail).toMatchObject({
      to: ['ada@example.com', 'bob@example.com', 'carl@example.com', 'hidden@example.com'],
      from: 'news@sender.example',
      tags: { batchsender_job: jobId(0).replace('.', '_'), spring: 'true' },
      raw: { attachments: [{ filename: 'a.txt' }] },
    });
    expect(JSON.stringify(mail?.raw)).not.toContain('hidden@');
  });

  it('is one bulk call for many jobs, in which nothing of a message is read as a template or escaped', async () => {
    const tricky = {
      to: { address: 'ada@example.com', name: 'Ada "A", B' },
      from: { address: 'news@sender.example', name: 'Müller' },
      subject: 'Tom & Jerry {{name}}',
      text: '{{#each x}} & <b> "quoted" \\ {{{subject}}}',
      html: '<p class="a">{{html}} &amp; {{{text}}}</p>',
      headers: { 'X-Campaign': 'spring' },
      listUnsubscribe: { url: 'https://sender.example/u/1' },
      tags: ['spring'],
    };
    const { text: _text, headers: _headers, ...plain } = { ...tricky, subject: 'plain' };
    const results = await sender.send([tricky, plain]);
    expect(paths()).toEqual(['outbound-bulk-emails']);
    expect(inputs()).toMatchObject([
      {
        FromEmailAddress: '=?UTF-8?B?TcO8bGxlcg==?= <news@sender.example>',
        ConfigurationSetName: 'receipts',
      },
    ]);
    expect(results).toEqual([...server.ledger.keys()].map((ref) => ({ status: 'succeeded', ref })));
    const [first, second] = [...server.ledger.values()];
    expect(first).toMatchObject({
      to: ['"Ada \\"A\\", B" <ada@example.com>'],
      subject: 'Tom & Jerry {{name}}',
      text: '{{#each x}} & <b> "quoted" \\ {{{subject}}}',
      html: '<p class="a">{{html}} &amp; {{{text}}}</p>',
      headers: { 'X-Campaign': 'spring', 'List-Unsubscribe': '<https://sender.example/u/1>' },
      tags: { spring: 'true' },
    });
    expect(second?.text).toBe('Dear Ada');
    const jobs = [first, second].map((mail) => jobOfTag(mail?.tags['batchsender_job']));
    expect(jobs).toEqual([jobId(0), jobId(1)]);
  });

  it('shares a call only with messages of the same sender that a bulk entry can carry', () => {
    const base = { ...MAIL, from: 'a@b.example', text: 'x' };
    const alone = [
      { cc: 'c@d.example' },
      { bcc: 'c@d.example' },
      { to: ['a@b.example', 'c@d.example'] },
      { attachments: [{ filename: 'a', content: 'aGk=' }] },
      { text: 'x'.repeat(100_001) },
      { headers: { 'X-Long': 'x'.repeat(871) } },
      { headers: Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`X-${n}`, 'x'])) },
    ];
    const together = [{}, { from: 'c@b.example' }, { replyTo: 'a@b.example' }, { html: '<p>' }];
    const keyOf = (part: object) => ses.groupKey?.({ ...base, ...part });
    expect(new Set([...alone, ...together].map(keyOf)).size).toBe(alone.length + together.length);
    for (const part of alone) expect(keyOf(part)).toMatch(/^alone:/);
    for (const part of together)
      expect(keyOf({ ...part, to: 'x@y.example', subject: 'z' })).toBe(keyOf(part));
  });

  it('is sent one by one where the same payload comes twice and cannot share a call', async () => {
    const cc = 'carl@example.com';
    server.refuse = () => undefined;
    let calls = 0;
    server.trouble = () => (++calls === 1 ? 'cut' : undefined);
    const [lost, sent] = await sender.send([{ cc }, { cc }]);
    expect(paths()).toEqual(['outbound-emails', 'outbound-emails']);
    expect(lost).toMatchObject({ status: 'unknown', code: 'connection_reset' });
    expect(sent).toMatchObject({ status: 'succeeded' });
  });

  it('that was taken alone stays so, though the bulk call beside it is lost', async () => {
    server.trouble = ({ path }) => (path.endsWith('outbound-bulk-emails') ? 'cut' : undefined);
    const results = await sender.send([{ cc: 'carl@example.com' }, {}, {}]);
    expect(results.map(({ status }) => status)).toEqual(['succeeded', 'unknown', 'unknown']);
  });

  it('never is an address with other letters before the @, which SES does not take', async () => {
    const [result] = await sender.send([{ to: 'jürgen@example.com' }]);
    expect(result).toMatchObject({ status: 'failed', code: 'smtputf8_unsupported' });
    expect(server.requests).toEqual([]);
  });
});

describe('rates', () => {
  const rates = (maxSendRate?: number) =>
    typeof ses.rates === 'function' ? ses.rates({ ...keys, ...(maxSendRate ? { maxSendRate } : {}) }) : [];

  it('keep to the rate of the account, in a window in which a bulk call has room', () => {
    expect(rates()).toEqual([]);
    expect(rates(200)).toEqual([{ per: 'job', max: 200, windowMs: 1_000 }]);
    expect(rates(14)).toEqual([{ per: 'job', max: 50, windowMs: 3_572 }]);
    expect(rates(1)).toEqual([{ per: 'job', max: 50, windowMs: 50_000 }]);
  });
});

describe('what an answer means', () => {
  it.each([
    ['MESSAGE_REJECTED', 'failed', 'message_rejected'],
    ['MAIL_FROM_DOMAIN_NOT_VERIFIED', 'blocked', 'sender_not_verified'],
    ['CONFIGURATION_SET_DOES_NOT_EXIST', 'blocked', 'configuration_set_not_found'],
    ['TEMPLATE_DOES_NOT_EXIST', 'failed', 'template_refused'],
    ['ACCOUNT_SUSPENDED', 'blocked', 'account_suspended'],
    ['ACCOUNT_THROTTLED', 'throttled', 'rate_limit_exceeded'],
    ['ACCOUNT_DAILY_QUOTA_EXCEEDED', 'throttled', 'daily_quota_exceeded'],
    ['INVALID_SENDING_POOL_NAME', 'blocked', 'invalid_sending_pool'],
    ['ACCOUNT_SENDING_PAUSED', 'blocked', 'sending_paused'],
    ['CONFIGURATION_SET_SENDING_PAUSED', 'blocked', 'sending_paused'],
    ['INVALID_PARAMETER', 'failed', 'invalid_parameter'],
    ['TRANSIENT_FAILURE', 'retry', 'transient_failure'],
    ['FAILED', 'failed', 'not_processed'],
    ['A_STATUS_OF_TOMORROW', 'unknown', 'invalid_response'],
  ])(
    'an entry with the status %s is %s with the code %s, and leaves the others alone',
    async (entry, status, code) => {
      server.refuse = ({ subject }) => (subject === 'bad' ? entry : undefined);
      const results = await sender.send([{}, { subject: 'bad' }, {}]);
      expect(results[1]).toMatchObject({ status, code });
      expect(JSON.stringify(results)).not.toContain('ada@');
      expect([results[0], results[2]]).toEqual(
        [...server.ledger.keys()].map((ref) => ({ status: 'succeeded', ref })),
      );
    },
  );

  it.each([
    [400, 'AccountSuspendedException', 'blocked', 'account_suspended'],
    [400, 'BadRequestException', 'failed', 'bad_request'],
    [400, 'LimitExceededException', 'throttled', 'daily_quota_exceeded'],
    [400, 'MailFromDomainNotVerifiedException', 'blocked', 'sender_not_verified'],
    [400, 'MessageRejected', 'failed', 'message_rejected'],
    [404, 'NotFoundException', 'blocked', 'configuration_set_not_found'],
    [400, 'SendingPausedException', 'blocked', 'sending_paused'],
    [429, 'TooManyRequestsException', 'throttled', 'rate_limit_exceeded'],
    [400, 'ThrottlingException', 'throttled', 'rate_limit_exceeded'],
    [403, 'AccessDeniedException', 'blocked', 'invalid_credentials'],
    [403, 'ExpiredTokenException', 'blocked', 'invalid_credentials'],
    [403, 'InvalidSignatureException', 'blocked', 'invalid_credentials'],
    [403, 'UnrecognizedClientException', 'blocked', 'invalid_credentials'],
    [403, 'AnErrorOfTomorrow', 'blocked', 'invalid_credentials'],
    [418, 'AnErrorOfTomorrow', 'failed', 'http_418'],
    [503, 'ServiceUnavailable', 'retry', 'service_unavailable'],
  ])('%i %s is %s with the code %s, for one job and for many', async (httpStatus, name, status, code) => {
    server.trouble = () => sesError(httpStatus, name, 'ada@example.com');
    const results = [...(await sender.send([{}])), ...(await sender.send([{}, {}]))];
    expect(results).toMatchObject(Array(3).fill({ status, code }));
    expect(JSON.stringify(results)).not.toContain('ada@');
    expect(server.requests).toHaveLength(2);
  });

  it.each<[string, VendorAnswer, string]>([
    ['500', sesError(500, 'InternalFailure'), 'http_500'],
    ['502 of a proxy', { status: 502, text: '<html>' }, 'http_502'],
    ['a page', { status: 200, text: '<html>' }, 'invalid_response'],
    ['no id', { status: 200, json: {} }, 'invalid_response'],
    ['a list that is too short', { status: 200, json: { BulkEmailEntryResults: [] } }, 'invalid_response'],
    ['a cut connection', 'cut', 'connection_reset'],
  ])('%s leaves the jobs to the guarantee', async (_what, answer, code) => {
    server.trouble = () => answer;
    for (const payloads of [[{}], [{}, {}]]) {
      await expect(sender.send(payloads)).rejects.toMatchObject({ name: 'LostCallError', code });
    }
    expect(server.requests).toHaveLength(2);
  });

  it('a forbidden address blocks the connection, since no job is at fault', async () => {
    const strict = await openBatch(
      ses,
      { ...keys, baseUrl: 'http://169.254.169.254' },
      { network: { allow: [] } },
    );
    expect(await strict.send([{}, {}])).toMatchObject(
      Array(2).fill({ status: 'blocked', code: 'address_not_allowed' }),
    );
  });
});

describe('health', () => {
  it('tells wrong keys, and an account that may not send', async () => {
    expect(await sender.health()).toBeUndefined();
    for (const part of [{ accessKeyId: 'AKIDWRONG' }, { secretAccessKey: 'wrong' }]) {
      const wrong = await openBatch(ses, { ...keys, ...part, baseUrl: server.url });
      expect(await wrong.health()).toMatchObject({ code: 'invalid_credentials' });
    }
    server.trouble = () => ({ status: 200, json: { SendingEnabled: false } });
    expect(await sender.health()).toMatchObject({ code: 'sending_paused' });
  });
});
