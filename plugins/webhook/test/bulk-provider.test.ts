import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { bulkProvider } from '../src/bulk-provider.ts';
import { type Answer, closedPort, type Receiver, receiver, tcpReceiver } from './helpers/receiver.ts';
import { type BulkSender, openBulkSender } from './helpers/session.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function start(
  answer: Answer,
  credentials: Parameters<typeof openBulkSender>[0] = {},
): Promise<{ hook: Receiver; sender: BulkSender }> {
  const hook = await receiver(answer);
  const sender = await openBulkSender(credentials);
  open.push(sender, hook);
  return { hook, sender };
}

interface Sent {
  version: number;
  jobs: { id: string; body?: unknown }[];
}

const sent = (request: { body: string }) => JSON.parse(request.body) as Sent;

/** Answers a result for each job. */
const each =
  (decide: (job: Sent['jobs'][number], index: number) => object): Answer =>
  (request, response) => {
    const results = sent(request).jobs.map((job, index) => ({ id: job.id, ...decide(job, index) }));
    response.end(JSON.stringify({ results }));
  };

const answered = (text: string, status = 200, headers: Record<string, string> = {}): Answer => {
  return (_request, response) => void response.writeHead(status, headers).end(text);
};

const succeed = each(() => ({ status: 'succeeded' }));
const three = (url: string) => [1, 2, 3].map((n) => ({ url, body: { n } }));
const lost = (code: string) => ({ status: 'retry', code, possibleDuplicate: true });

describe('a call for many jobs', () => {
  it('is one request, and each job gets the result that bears its id', async () => {
    const { hook, sender } = await start((request, response) => {
      const results = sent(request).jobs.map(({ id, body }) => {
        const { n } = body as { n: number };
        if (n === 2) return { id, status: 'failed', code: 'no_stock' };
        return { id, status: 'succeeded', ref: `r${n}` };
      });
      response.writeHead(207).end(JSON.stringify({ results: results.reverse() }));
    });
    const results = await sender.send(three(`${hook.url}/in?x=1`), { id: 'call-1' });
    const data = { httpStatus: 207, durationMs: expect.any(Number) };
    expect(results).toMatchObject([
      { status: 'succeeded', ref: 'r1', data },
      { status: 'failed', code: 'no_stock', data },
      { status: 'succeeded', ref: 'r3', data },
    ]);
    expect(hook.received).toMatchObject([
      {
        method: 'POST',
        path: '/in?x=1',
        headers: { 'content-type': 'application/json', 'webhook-id': 'call-1' },
      },
    ]);
    expect(sent(hook.received[0]!)).toMatchObject({ version: 1, jobs: [{ body: { n: 1 } }, {}, {}] });
    expect(sender.logged).toEqual([]);
  });

  it('is signed as a whole, under the id of the call', async () => {
    const signingSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const { hook, sender } = await start(succeed, { signingSecret });
    await sender.send(three(hook.url));
    const [request] = hook.received;
    const headers = request?.headers as Record<string, string>;
    expect(new Webhook(signingSecret).verify(request?.body ?? '', headers)).toMatchObject({ version: 1 });
    expect(() => new Webhook(signingSecret).verify(`${request?.body} `, headers)).toThrow('No matching');
  });

  it('carries method, headers and credentials of its jobs', async () => {
    const { hook, sender } = await start(succeed);
    const auth = { type: 'bearer', token: 't0ken' } as const;
    const payload = { url: hook.url, method: 'put', headers: { 'X-Own': 'yes' }, auth, body: 1 };
    await sender.send([payload, payload]);
    expect(hook.received).toMatchObject([
      { method: 'PUT', headers: { 'x-own': 'yes', authorization: 'Bearer t0ken' } },
    ]);
  });

  it.each([
    [400, {}, { status: 'failed', code: 'http_400' }],
    [413, {}, { status: 'failed', code: 'http_413' }],
    [500, {}, { status: 'retry', code: 'http_500' }],
    [503, { 'retry-after': '30' }, { status: 'throttled', afterMs: 30_000, scope: 'endpoint' }],
    [302, { location: '/elsewhere' }, { status: 'failed', code: 'http_302' }],
  ])('has one fate if it was answered by %i, whatever the body says', async (status, headers, expected) => {
    const body = '{"results":[{"id":"0195f3c8-7b1a-7000-8000-000000000000.0","status":"succeeded"}]}';
    const { hook, sender } = await start(answered(body, status, headers as Record<string, string>));
    expect(await sender.send(three(hook.url))).toMatchObject([expected, expected, expected]);
    expect(hook.received).toHaveLength(1);
  });

  it('takes successStatuses for the call, and still reads the list', async () => {
    const { hook, sender } = await start((request, response) => {
      response.statusCode = 409;
      each((_job, index) => ({ status: index === 0 ? 'failed' : 'succeeded' }))(request, response);
    });
    const payloads = three(hook.url).map((payload) => ({ ...payload, successStatuses: [409] }));
    const results = await sender.send(payloads);
    expect(results.map(({ status }) => status)).toEqual(['failed', 'succeeded', 'succeeded']);
  });

  it('follows a redirect where the payload says so', async () => {
    const { hook, sender } = await start((request, response) => {
      if (request.path === '/new') return succeed(request, response);
      response.writeHead(307, { location: '/new' }).end();
    });
    const payloads = three(hook.url).map((payload) => ({ ...payload, followRedirects: true }));
    expect((await sender.send(payloads)).map(({ status }) => status)).toEqual(Array(3).fill('succeeded'));
    expect(hook.received.map(({ path }) => path)).toEqual(['/', '/new']);
  });
});

describe('a receiver that gets the list wrong', () => {
  it('blames itself, not the plugin: the log has a line without data of the jobs', async () => {
    const { hook, sender } = await start((request, response) => {
      const [first, second] = sent(request).jobs;
      const results = [
        { id: first?.id, status: 'succeeded' },
        { id: second?.id, status: 'succeeded' },
        { id: second?.id, status: 'succeeded' },
        { id: 'somebody-else', status: 'succeeded' },
      ];
      response.end(JSON.stringify({ results }));
    });
    expect(await sender.send(three(hook.url), { id: 'call-9' })).toMatchObject([
      { status: 'succeeded' },
      { status: 'unknown', code: 'duplicate_result' },
      { status: 'unknown', code: 'missing_result' },
    ]);
    expect(sender.logged).toEqual([
      { callId: 'call-9', jobs: 3, duplicate_result: 1, foreign_result: 1, missing_result: 1 },
    ]);
  });

  it.each([
    ['nothing', ''],
    ['HTML', '<html>fine</html>'],
    ['other JSON', '{"ok":true}'],
    ['half a list', '{"results":[{"id":"0195f3c8-7b1a-7000-8000-000000000000.0","status":"succ'],
  ])('and answers %s has answered nothing: the guarantee decides', async (_what, text) => {
    const { hook, sender } = await start(answered(text));
    const expected = lost('no_result_list');
    expect(await sender.send(three(hook.url))).toMatchObject([expected, expected, expected]);
  });

  it('and answers without end is cut off', async () => {
    const { hook, sender } = await start((_request, response) => {
      response.write('{"results":[');
      const more = () => {
        while (!response.destroyed && response.write('{"id":"x","status":"succeeded"},'.repeat(500)));
        response.once('drain', more);
      };
      more();
    });
    const expected = lost('response_too_large');
    expect(await sender.send(three(hook.url))).toMatchObject([expected, expected, expected]);
  });

  it('is believed by its status alone only if that was asked for', async () => {
    const all = (status: string) => Array(3).fill({ status });
    for (const text of ['', 'OK', '{"ok":true}']) {
      const { hook, sender } = await start(answered(text), { trustStatus: true });
      expect(await sender.send(three(hook.url))).toMatchObject(all('succeeded'));
    }
    for (const text of ['{"results":"all"}', '{"results":[{"id":"0195', '[{']) {
      const { hook, sender } = await start(answered(text), { trustStatus: true });
      expect(await sender.send(three(hook.url))).toMatchObject(all('retry'));
    }
    const { hook, sender } = await start(
      each(() => ({ status: 'failed' })),
      { trustStatus: true },
    );
    expect(await sender.send(three(hook.url))).toMatchObject(all('failed'));
  });
});

describe('a call for many jobs that was lost', () => {
  it('after the receiver took it: a timeout may be a duplicate for each job', async () => {
    const { hook, sender } = await start(() => undefined);
    const payloads = three(hook.url).map((payload) => ({ ...payload, timeoutMs: 300 }));
    const expected = lost('timeout');
    expect(await sender.send(payloads)).toMatchObject([expected, expected, expected]);
    expect(hook.received).toHaveLength(1);
  });

  it('in the middle of the answer, of which the first half is not believed', async () => {
    const { hook, sender } = await start((request, response) => {
      const body = JSON.stringify({
        results: sent(request).jobs.map(({ id }) => ({ id, status: 'succeeded' })),
      });
      response.writeHead(200, { 'content-length': body.length });
      response.write(body.slice(0, body.length / 2), () => response.destroy());
    });
    const expected = lost('connection_reset');
    expect(await sender.send(three(hook.url))).toMatchObject([expected, expected, expected]);
  });

  it('by an answer that is not HTTP', async () => {
    const hook = await tcpReceiver((socket) => socket.once('data', () => socket.end('220 smtp ready\r\n')));
    const sender = await openBulkSender();
    open.push(sender, hook);
    const expected = lost('invalid_response');
    expect(await sender.send(three(hook.url))).toMatchObject([expected, expected, expected]);
  });

  it('before a byte was sent: it is no duplicate', async () => {
    const sender = await openBulkSender();
    open.push(sender);
    const results = await sender.send(three(`http://127.0.0.1:${await closedPort()}`));
    expect(results).toMatchObject(Array(3).fill({ status: 'retry', code: 'connection_refused' }));
    for (const result of results) expect(result).not.toHaveProperty('possibleDuplicate');
  });
});

describe('jobs that cannot share calls', () => {
  it.each([
    [{ method: 'GET' }, 'invalid_method'],
    [{ successBody: { contains: 'x' } }, 'not_for_bulk'],
    [{ url: 'nonsense' }, 'invalid_url'],
    [{ headers: { 'x-a': 'one\r\ntwo' } }, 'invalid_request'],
  ])('fail without a request: %j', async (part, code) => {
    const { hook, sender } = await start(succeed);
    const payload = { url: hook.url, ...part };
    expect(await sender.send([payload, payload])).toMatchObject(Array(2).fill({ status: 'failed', code }));
    expect(hook.received).toEqual([]);
  });
});

describe('the provider bulk', () => {
  it('promises what the receiver is said to remember', () => {
    const { guarantee } = bulkProvider();
    const promise = guarantee as (credentials: object, payload: object) => unknown;
    expect(promise({}, {})).toEqual({ kind: 'at-least-once' });
    expect(promise({ deduplicates: 'jobs' }, {})).toEqual({
      kind: 'keyed',
      scope: 'job',
      ttlMs: 86_400_000,
    });
    expect(promise({ deduplicates: 'calls', remembersMs: 5_000 }, {})).toEqual({
      kind: 'keyed',
      scope: 'call',
      ttlMs: 5_000,
    });
  });

  it('breaks circuits by origin and allows a call more time than a single one', () => {
    const bulk = bulkProvider();
    const endpointKey = bulk.endpointKey as (payload: object) => string;
    expect(endpointKey({ url: 'https://Example.com:443/a?b' })).toBe('https://example.com');
    const timeoutMs = bulk.timeoutMs as (payload: object) => number;
    expect([timeoutMs({ url: 'x' }), timeoutMs({ url: 'x', timeoutMs: 5 })]).toEqual([30_000, 5]);
  });
});
