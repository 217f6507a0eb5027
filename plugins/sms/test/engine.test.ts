import type { JsonObject } from '@batchsender/core/plugin';
import { afterAll, afterEach, expect, it } from 'vitest';
import { ended, testWorld, until } from '../../../core/test/helpers/engine-world.ts';
import plugin from '../src/index.ts';
import { json } from './helpers/http-server.ts';
import * as twilio from './helpers/twilio-server.ts';
import * as vonage from './helpers/vonage-server.ts';

const JOBS = 10_000;

const world = testWorld();
const twilioServer = await twilio.twilioServer();
const vonageServer = await vonage.vonageServer();

afterEach(() => {
  twilioServer.mood = undefined;
  vonageServer.mood = undefined;
});
afterAll(() => Promise.all([twilioServer.close(), vonageServer.close()]));

const CREDENTIALS: Record<string, JsonObject> = {
  twilio: {
    accountSid: twilio.ACCOUNT_SID,
    authToken: twilio.AUTH_TOKEN,
    messagingServiceSid: twilio.SERVICE_SID,
    baseUrl: twilioServer.url,
    concurrency: 100,
  },
  vonage: {
    apiKey: vonage.API_KEY,
    applicationId: vonage.APPLICATION_ID,
    privateKey: vonage.PRIVATE_KEY,
    from: 'Example',
    baseUrl: vonageServer.url,
    concurrency: 100,
    messagesPerSecond: 10_000,
  },
  sandbox: { latencyMs: 0 },
};

const started = (credentials: Record<string, JsonObject> = CREDENTIALS) =>
  world.started({
    plugins: [{ plugin }],
    allowNetworks: ['127.0.0.0/8'],
    publicUrl: 'https://sms.example.com',
    retry: { baseMs: 20 },
    credentials: (_type, provider) => credentials[provider] ?? {},
  });

const numberOf = (n: number) => `+1202555${String(n).padStart(4, '0')}`;
const jobs = Array.from({ length: JOBS }, (_, n) => ({ to: numberOf(n), variables: { n } }));
const batch = (provider: string) => ({
  type: 'sms',
  provider,
  defaults: { body: 'Your number is {{ n }}' },
  jobs,
});

/** The state and ref of each job, by number. */
async function outcomes(batchId: string): Promise<Map<number, { kind: string; ref: string | null }>> {
  const rows = await world.sql(
    `SELECT seq, kind, data->>'ref' AS ref FROM batchsender.job_events
     WHERE batch_id = $1 AND kind IN ('succeeded', 'failed', 'unknown', 'cancelled')`,
    [batchId],
  );
  expect(rows).toHaveLength(JOBS);
  return new Map(rows.map(({ seq, kind, ref }) => [Number(seq), { kind, ref }]));
}

it('sends 10,000 messages through Twilio, with the outcomes of its ledger', async () => {
  // Every tenth is refused, every hundredth is cut off after it was taken, and some come too fast at first.
  const refused = new Set<string>();
  const cutOff = new Set<string>();
  const busy = new Set<string>();
  twilioServer.mood = (seen, response) => {
    const to = twilio.formOf(seen)['To'] as string;
    const n = Number(to.slice(-4));
    if (n % 1_000 === 5 && !busy.has(to)) {
      busy.add(to);
      return twilio.refusal(429, 20429)(seen, response);
    }
    if (n % 100 === 7) {
      cutOff.add(to);
      return response.socket?.destroy();
    }
    if (n % 10 === 3) {
      refused.add(to);
      return twilio.refusal(400, 21211)(seen, response);
    }
    const sid = `SM${String(n).padStart(32, '0')}`;
    twilioServer.taken.push({ sid, form: twilio.formOf(seen) });
    return json(response, 201, { sid, status: 'queued' });
  };
  const engine = await started();
  const { id } = await engine.submit(batch('twilio'));
  expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 8_900, failed: 1_000, unknown: 100 });
  const found = await outcomes(id);
  const sids = new Map(twilioServer.taken.map(({ sid, form }) => [form['To'], sid]));
  expect(twilioServer.taken).toHaveLength(8_900);
  expect(sids.size).toBe(8_900);
  for (let n = 0; n < JOBS; n++) {
    const to = numberOf(n);
    const sid = sids.get(to) ?? null;
    const other = refused.has(to) ? 'failed' : 'unknown';
    expect(found.get(n)).toEqual({ kind: sid === null ? other : 'succeeded', ref: sid });
  }
  expect([refused.size, cutOff.size, busy.size]).toEqual([1_000, 100, 10]);
  const [first] = twilioServer.taken;
  const n = Number(first?.form['To']?.slice(-4));
  expect(first?.form).toMatchObject({
    Body: `Your number is ${n}`,
    MessagingServiceSid: twilio.SERVICE_SID,
    StatusCallback: expect.stringMatching(
      `^https://sms.example.com/v1/callbacks/sms/twilio/[^/]+[?]job=${id}[.]${n}$`,
    ),
  });
});

it('sends 10,000 messages through Vonage, with the outcomes of its ledger', async () => {
  const engine = await started();
  const { id } = await engine.submit(batch('vonage'));
  expect((await ended(engine, id)).counts).toMatchObject({ total: JOBS, succeeded: JOBS });
  const found = await outcomes(id);
  const ids = new Map(vonageServer.taken.map((message) => [message.request['client_ref'], message.id]));
  expect(vonageServer.taken).toHaveLength(JOBS);
  for (let n = 0; n < JOBS; n++) {
    expect(found.get(n)).toEqual({ kind: 'succeeded', ref: ids.get(`${id}.${n}`) });
  }
});

it('sends 10,000 messages into the sandbox', async () => {
  const engine = await started();
  const { id } = await engine.submit(batch('sandbox'));
  expect((await ended(engine, id)).counts).toMatchObject({ total: JOBS, succeeded: JOBS });
  const found = await outcomes(id);
  expect(new Set([...found.values()].map(({ ref }) => ref)).size).toBe(JOBS);
});

it('blocks the connection in the middle of a batch when its credentials are revoked, and repeats nobody', async () => {
  const seen = new Map<string, number>();
  let valid = false;
  twilioServer.mood = (one, response) => {
    const to = twilio.formOf(one)['To'] as string;
    if (!valid && seen.size >= 200) return twilio.refusal(401, 20003)(one, response);
    seen.set(to, (seen.get(to) ?? 0) + 1);
    return json(response, 201, { sid: `SM${to.slice(1).padStart(32, '0')}`, status: 'queued' });
  };
  const engine = await started();
  const { id } = await engine.submit({ ...batch('twilio'), jobs: jobs.slice(0, 500) });
  const blocked = await until('the block', async () => (await engine.getBatch(id)).blocked);
  expect(blocked).toMatchObject({ code: 'auth_failed', message: expect.stringContaining('credentials') });
  const { connectionId, counts } = await engine.getBatch(id);
  expect(counts).toMatchObject({ failed: 0, unknown: 0 });
  valid = true;
  await engine.connections.unblock(connectionId);
  expect((await ended(engine, id)).counts).toMatchObject({ total: 500, succeeded: 500 });
  expect(seen.size).toBe(500);
  expect([...seen.values()].every((count) => count === 1)).toBe(true);
});
