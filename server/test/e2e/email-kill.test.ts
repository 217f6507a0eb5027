import { afterEach, expect, test } from 'vitest';
import { client, eventually } from '../helpers/app.ts';
import { dataFolder, runCli } from '../helpers/cli.ts';
import { ENVELOPE_FROM, type MailLedger, startMailLedger } from '../helpers/mail-ledger.ts';

const KEY = 'bs_email_kill';
const COUNT = 5_000;
const CONNECTIONS = 8;

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Result {
  readonly id: string;
  readonly state: string;
  readonly payload: { readonly to: string };
}

test('kill -9 in the middle of 5,000 emails leaves none sent twice, and no more unknown than the mail server had connections', {
  timeout: 180_000,
}, async () => {
  const ledger = await startMailLedger(8);
  closers.push(() => ledger.close());
  const { openAtKill, results } = await killInTheMiddle(ledger);

  expect(results).toHaveLength(COUNT);
  const states = Map.groupBy(results, ({ state }) => state);
  const succeeded = states.get('succeeded') ?? [];
  const unknown = states.get('unknown') ?? [];
  expect(succeeded.length + unknown.length).toBe(COUNT);

  const byRecipient = countBy(ledger.accepted, ({ to }) => to.join());
  expect(Math.max(...byRecipient.values())).toBe(1);
  expect(byRecipient.size).toBe(ledger.accepted.length);
  const sentTo = new Map(ledger.accepted.map(({ jobId, to }) => [jobId, to]));
  expect(succeeded.filter(({ id, payload }) => sentTo.get(id)?.join() !== payload.to)).toEqual([]);

  // What was open at the kill is what nobody can know of. An `unknown` beyond that was under way too, but not in a
  // transaction: its fence was written and MAIL FROM not yet answered, or its reply was on the way into the log. Each
  // of them holds one of the slots, of which there are as many as connections. So the sum has that bound, and no less.
  expect(openAtKill.size).toBeGreaterThan(0);
  const unknownIds = new Set(unknown.map(({ id }) => id));
  expect([...openAtKill].filter((id) => !unknownIds.has(id))).toEqual([]);
  expect(unknown.length).toBeLessThanOrEqual(CONNECTIONS);
  // The chunks of the killed runner go on in a process of their own: it waits until the other one leaves it its share.
  expect(ledger.most).toBeLessThanOrEqual(CONNECTIONS);
});

/** Uploads the recipients, kills the server after a third of them, starts it again, and waits for the end. */
async function killInTheMiddle(
  ledger: MailLedger,
): Promise<{ openAtKill: ReadonlySet<string>; results: Result[] }> {
  const data = dataFolder();
  closers.push(() => data.remove());
  const env = {
    BATCHSENDER_DATA: data.path,
    BATCHSENDER_API_KEY: KEY,
    BATCHSENDER_ALLOW_NETWORKS: '127.0.0.0/8',
    BATCHSENDER_EMAIL_SMTP_HOST: '127.0.0.1',
    BATCHSENDER_EMAIL_SMTP_PORT: String(ledger.port),
    BATCHSENDER_EMAIL_SMTP_MAX_CONNECTIONS: String(CONNECTIONS),
    BATCHSENDER_EMAIL_SMTP_ENVELOPE_FROM: ENVELOPE_FROM,
  };
  const first = runCli({ env });
  const id = await upload(await first.ready());
  const kill = first.aim();
  await eventually(
    async () => ledger.accepted.length > COUNT * 0.3 && ledger.open().size > CONNECTIONS / 2,
    60_000,
  );
  // Nothing comes between these two: no transaction ends before the signal is on its way.
  const openAtKill = ledger.open();
  expect(await kill()).toBe('SIGKILL');
  expect(ledger.accepted.length).toBeLessThan(COUNT);

  const second = runCli({ env });
  closers.push(() => second.end());
  const api = client(await second.ready(), KEY);
  await eventually(async () => (await api(`/v1/batches/${id}`)).body.state === 'completed', 100_000);
  const { body } = await api(`/v1/batches/${id}/results`, undefined, { accept: 'application/x-ndjson' });
  const results = String(body)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);
  return { openAtKill, results };
}

/** A batch with its recipients as a form, as a browser would send it. */
async function upload(url: string): Promise<string> {
  const batch = {
    type: 'email',
    defaults: { from: 'news@sender.example', subject: 'Hello {{ name }}', text: 'Hi' },
  };
  const rows = Array.from({ length: COUNT }, (_, n) => `user${n}@example.com,User ${n}\r\n`);
  const form = new FormData();
  form.set('batch', JSON.stringify(batch));
  form.set('file', new Blob([`to,name\r\n${rows.join('')}`], { type: 'text/csv' }), 'people.csv');
  const headers = { authorization: `Bearer ${KEY}` };
  const response = await fetch(`${url}/v1/batches`, { method: 'POST', headers, body: form });
  const answer = (await response.json()) as { id: string };
  expect([response.status, answer]).toMatchObject([201, { upload: { accepted: COUNT, rejected: 0 } }]);
  return answer.id;
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}
