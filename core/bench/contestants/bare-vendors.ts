import { Client } from '@hubspot/api-client';
import { Resend } from 'resend';
import twilio from 'twilio';
import { mail } from '../harness/mail.ts';
import { type Contestant, inParallel, type Setting, timed } from './contestant.ts';
import { openOutcomeLog } from './outcome-log.ts';
import { ACCOUNT_SID, contact, phoneNumber, SENDER, TOKEN, textMessage } from './vendor-samples.ts';

/** Records of one request, for the vendors that take many. */
const TOGETHER = 100;

/** The vendor's own client in a loop: no database, no retries. Answers what makes the request of `count` jobs. */
type MakeRequest = (url: string) => (first: number, count: number) => Promise<unknown>;

const REQUESTS = {
  twilio: { together: 1, make: viaTwilio },
  resend: { together: TOGETHER, make: viaResend },
  hubspot: { together: TOGETHER, make: viaHubspot },
} satisfies Record<string, { together: number; make: MakeRequest }>;

export function bareVendor(vendor: keyof typeof REQUESTS): Contestant {
  const { together, make } = REQUESTS[vendor];
  return {
    prepare: async () => undefined,
    drain: (setting) => drain(setting, together, make(setting.receiverUrl ?? '')),
  };
}

/** The loop, and a row for each job's outcome, written after its request before the next one begins. */
export function loggedVendor(vendor: keyof typeof REQUESTS): Contestant {
  const { together, make } = REQUESTS[vendor];
  return {
    prepare: async () => undefined,
    drain: async (setting) => {
      const log = await openOutcomeLog(setting);
      const request = make(setting.receiverUrl ?? '');
      const ms = await drain(setting, together, async (first, count) => {
        await request(first, count);
        const seqs = Array.from({ length: count }, (_, at) => first + at);
        await log.write(seqs.map((seq) => ({ seq, data: { ref: String(seq) } })));
      });
      await log.close();
      return ms;
    },
  };
}

async function drain(
  { concurrency = 1, jobs, warmUpJobs = 0 }: Setting,
  together: number,
  request: ReturnType<MakeRequest>,
): Promise<number> {
  const send = (count: number) =>
    inParallel(concurrency, Math.ceil(count / together), (index) =>
      request(index * together, Math.min(together, count - index * together)),
    );
  await send(warmUpJobs);
  return timed(() => send(jobs));
}

function viaTwilio(url: string) {
  const httpClient = new twilio.RequestClient({ keepAlive: true });
  const send = httpClient.request.bind(httpClient);
  // The client knows one address only.
  httpClient.request = (options) =>
    send({ ...options, uri: options.uri.replace('https://api.twilio.com', url) });
  const client = twilio(ACCOUNT_SID, TOKEN, { httpClient });
  return (index: number) =>
    client.messages.create({ to: phoneNumber(index), from: SENDER, body: textMessage(index) });
}

function viaResend(url: string) {
  const client = new Resend(TOKEN, { baseUrl: url });
  return async (first: number, count: number) => {
    const mails = Array.from({ length: count }, (_, at) => ({
      to: `recipient${first + at}@example.org`,
      ...mail(`Recipient ${first + at}`, String(100_000 + first + at)),
    }));
    const { error } = await client.batch.send(mails);
    if (error !== null) throw new Error(`Resend's client: ${error.message}`);
  };
}

function viaHubspot(url: string) {
  const client = new Client({ accessToken: TOKEN, basePath: url, numberOfApiCallRetries: 0 });
  return (first: number, count: number) => {
    const inputs = Array.from({ length: count }, (_, at) => ({
      associations: [],
      properties: contact(first + at),
    }));
    return client.crm.contacts.batchApi.create({ inputs });
  };
}
