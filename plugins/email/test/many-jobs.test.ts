import { afterAll, describe, expect, it } from 'vitest';
import { testWorld, until } from '../../../core/test/helpers/engine-world.ts';
import plugin from '../src/index.ts';
import { jobOfMessageId } from '../src/message/message-id.ts';
import { jobOfTag } from '../src/receipts/job-tag.ts';
import { postmarkServer } from './helpers/postmark-server.ts';
import { rawServer } from './helpers/raw-server.ts';
import { resendServer } from './helpers/resend-server.ts';
import { sesServer } from './helpers/ses-server.ts';

const world = testWorld();

const JOBS = 10_000;

/** SMTP needs six round trips a message, and a loaded machine its time. */
const PATIENCE_MS = 240_000;

/** Every tenth message is refused, wherever it goes. */
const isBad = (subject: string) => subject === 'bad';
const BAD = 10;

/** A vendor's server, as far as this test looks at it. */
interface Vendor {
  readonly credentials: object;
  /** The ids of the jobs whose messages the server took, each as often as it did. */
  taken(): (string | undefined)[];
  close(): Promise<void>;
}

const vendors: Readonly<Record<string, () => Promise<Vendor>>> = {
  async resend() {
    const server = await resendServer('re_key');
    server.refuse = ({ subject }) => (isBad(subject) ? 'Invalid `to` field' : undefined);
    const tags = () => [...server.ledger.values()].map(({ tags: list }) => list?.[0]?.value);
    return {
      credentials: { apiKey: 're_key', baseUrl: server.url, requestsPerSecond: 1_000 },
      taken: () => tags().map(jobOfTag),
      close: () => server.close(),
    };
  },
  async postmark() {
    const server = await postmarkServer('token');
    server.refuse = ({ Subject }) => (isBad(Subject) ? { ErrorCode: 406, Message: 'No' } : undefined);
    return {
      credentials: { serverToken: 'token', baseUrl: server.url },
      taken: () => [...server.ledger.values()].map(({ Metadata }) => Metadata?.['batchsender_job']),
      close: () => server.close(),
    };
  },
  async ses() {
    const keys = { region: 'eu-west-1', accessKeyId: 'AKID', secretAccessKey: 'secret' };
    const server = await sesServer(keys);
    server.refuse = ({ subject }) => (isBad(subject) ? 'MESSAGE_REJECTED' : undefined);
    return {
      credentials: { ...keys, baseUrl: server.url },
      taken: () => [...server.ledger.values()].map(({ tags }) => jobOfTag(tags['batchsender_job'])),
      close: () => server.close(),
    };
  },
  async smtp() {
    const server = await rawServer({ rcptFor: { 'bad@example.com': '550 5.1.1 No such user' } });
    // An empty one ends a DATA that was sent before its recipients were refused (RFC 2920, section 3.1).
    const messages = () => server.messages.filter((message) => message.trim() !== '');
    const ids = () => messages().map((message) => /^Message-ID:\s+(\S+)/im.exec(message)?.[1]);
    return {
      credentials: {
        host: '127.0.0.1',
        port: server.port,
        maxConnections: 50,
        maxMessagesPerConnection: 10_000,
      },
      taken: () => ids().map(jobOfMessageId),
      close: () => server.close(),
    };
  },
};

describe('10,000 jobs', () => {
  const open: Vendor[] = [];
  afterAll(() => Promise.all(open.map((vendor) => vendor.close())));

  it.each(Object.keys(vendors))(
    'through %s end as the ledger of its server says',
    async (name) => {
      const vendor = await (vendors[name] as () => Promise<Vendor>)();
      open.push(vendor);
      const engine = await world.started({
        plugins: [{ plugin }],
        allowNetworks: ['127.0.0.0/8'],
        credentials: (_type, provider) =>
          provider === name ? (vendor.credentials as Record<string, never>) : {},
      });
      const jobs = Array.from({ length: JOBS }, (_, n) =>
        n % BAD === 0 ? { to: 'bad@example.com', subject: 'bad' } : { to: `person${n}@example.com` },
      );
      const defaults = { from: 'news@sender.example', subject: 'Hello', text: 'Dear reader' };
      const { id } = await engine.submit({ type: 'email', provider: name, defaults, jobs });
      const batch = await until(
        'the end of the batch',
        async () => {
          const now = await engine.getBatch(id);
          return now.completedAt === null ? undefined : now;
        },
        PATIENCE_MS,
      );
      expect(batch.counts).toMatchObject({ total: JOBS, succeeded: JOBS - JOBS / BAD, failed: JOBS / BAD });
      const rows = await world.sql(
        "SELECT seq FROM batchsender.job_events WHERE batch_id = $1 AND kind = 'succeeded' ORDER BY seq",
        [id],
      );
      const ledger = vendor.taken().toSorted(bySeq);
      expect(ledger).toEqual(rows.map(({ seq }) => `${id}.${seq}`));
      expect(rows.every(({ seq }) => seq % BAD !== 0)).toBe(true);
      expect(world.log).toEqual([]);
    },
    PATIENCE_MS + 10_000,
  );
});

const seqOf = (jobId = ''): number => Number(jobId.slice(jobId.lastIndexOf('.') + 1));
const bySeq = (a: string | undefined, b: string | undefined): number => seqOf(a) - seqOf(b);
