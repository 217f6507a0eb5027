import { conformance, unusedPort, type VendorHooks } from '@batchsender/core/testing';
import { afterAll, describe, it } from 'vitest';
import type { BulkCredentials } from '../src/bulk-credentials.ts';
import plugin from '../src/index.ts';
import { type Answer, type Received, receiver } from './helpers/receiver.ts';

const ids = ({ body }: Received) => (JSON.parse(body) as { jobs: { id: string }[] }).jobs.map(({ id }) => id);

/** What receivers like to do: to quote what they refuse. */
const refusal = (quoted: string) => ({
  status: 'failed',
  code: 'refused',
  message: `Refused: ${quoted}`,
});

const list =
  (decide: (id: string, request: Received) => object): Answer =>
  (request, response) => {
    const results = ids(request).map((id) => ({ id, ...decide(id, request) }));
    response.end(JSON.stringify({ results }));
  };

const accept = list(() => ({ status: 'succeeded', ref: 'r1' }));

let answer: Answer = accept;
const set = (next: Answer) => () => {
  answer = next;
};

const hook = await receiver((request, response) => answer(request, response));

const respond = (keysOf: (request: Received) => string[]): VendorHooks => ({
  accept: set(accept),
  refuse: set(list((_id, { body, headers }) => refusal(`${body} ${headers.authorization}`))),
  refuseOnly: ({ body }) => {
    answer = (request, response) => {
      const { jobs } = JSON.parse(request.body) as { jobs: { id: string; body: unknown }[] };
      const bad = new Set(
        jobs.filter((job) => JSON.stringify(job.body) === JSON.stringify(body)).map(({ id }) => id),
      );
      list((id) => (bad.has(id) ? refusal('this one') : { status: 'succeeded' }))(request, response);
    };
  },
  throttle: set((_request, response) => void response.writeHead(429, { 'retry-after': '2' }).end()),
  dropAfterAccept: set((_request, response) => void response.destroy()),
  hang: set(() => undefined),
  garbage: set((_request, response) => void response.end('<html>')),
  calls: () => hook.received.length,
  keys: () => hook.received.flatMap(keysOf),
});

afterAll(() => hook.close());

const byJob: [BulkCredentials, (request: Received) => string[]] = [{ deduplicates: 'jobs' }, ids];
const byCall: [BulkCredentials, (request: Received) => string[]] = [
  { deduplicates: 'calls' },
  ({ headers }) => [String(headers['webhook-id'])],
];

describe.each([[{}, ids] as typeof byJob, byJob, byCall])(
  'the provider bulk with %j',
  async (own, keysOf) => {
    const cases = conformance({
      plugin,
      type: 'webhook',
      provider: 'bulk',
      credentials: { signingSecret: 'whsec_dGhpcyBpcyBhIHRlc3Qgc2VjcmV0', ...own },
      payloads: [
        { url: `${hook.url}/hooks`, body: { greeting: 'Dear Ada Lovelace' } },
        { url: `${hook.url}/hooks`, body: 'Dear Grace Hopper' },
      ],
      respond: respond(keysOf),
      unreachable: { payload: { url: `http://127.0.0.1:${await unusedPort()}/hooks` } },
    });
    for (const { name, skip, run } of cases) {
      it(name, (context) => (skip === undefined ? run() : context.skip(skip)));
    }
  },
);
