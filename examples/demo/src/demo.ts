import type { Batch, Result } from './api.ts';
import type { Receipt } from './ledger.ts';
import { handInEmails, handInWebhooks } from './lists.ts';
import { watch } from './progress.ts';
import { reportCsv, reportOutcomes, reportTimeline, reportVerdict } from './report.ts';
import { sabotaged } from './sabotage.ts';
import type { Screen } from './screen.ts';
import type { Settings } from './settings.ts';
import { type Host, type Receivers, startHost, startReceivers } from './stage.ts';
import { retriedJob } from './timeline.ts';
import { type Delivery, verdict } from './verdict.ts';
import { count } from './words.ts';

/** What the demo runs with. */
export interface DemoOptions {
  readonly screen: Screen;
  /** Takes what must be ended when the demo is over, or interrupted. */
  readonly resources: AsyncDisposableStack;
  readonly signal: AbortSignal;
}

/** Runs the demo. Answers whether the log and the receivers agree. */
export async function demo(settings: Settings, options: DemoOptions): Promise<boolean> {
  const { screen, resources, signal } = options;
  const { jobs } = settings;
  screen.line(
    `${screen.paint('bold', 'BatchSender')}: ${count(jobs, 'email')} and ${count(jobs, 'webhook')}, ` +
      'to receivers that fail in many ways, and a check of every single one.',
  );
  screen.headline('Start the servers');
  const receivers = await startReceivers(jobs, resources);
  const { mail, shops } = receivers;
  screen.done(`a mail server, smtp://127.0.0.1:${mail.port}: it bounces, defers, hangs up, falls silent`);
  screen.done(`shops to call, ${shops.shops}: some stumble, dawdle or have gone`);
  screen.done(`a busy shop, ${shops.busyShop}: it takes some calls a second, no more`);
  const host = await startHost(mail.port, resources, signal);
  screen.done(`BatchSender, ${host.url}, with a Postgres of its own`);
  return Promise.race([play(settings, options, { ...receivers, ...host }), host.server.ended]);
}

type Stage = Receivers & Host;

async function play(settings: Settings, options: DemoOptions, stage: Stage): Promise<boolean> {
  const { screen, signal } = options;
  const { api } = stage;
  screen.headline('Hand in two lists');
  const emails = await handInEmails(api, settings.jobs);
  const { recipients, duplicates } = emails.file;
  screen.done(
    `recipients.csv, ${count(recipients + duplicates, 'line')}: ${count(emails.upload.accepted, 'email')}; ` +
      `${count(emails.upload.duplicates, 'duplicate')} left out`,
  );
  const webhooks = await handInWebhooks(api, settings.jobs, stage.shops);
  screen.done(
    `orders.ndjson, ${count(settings.jobs, 'line')}: ${count(webhooks.upload.accepted, 'webhook')}`,
  );

  screen.headline('Deliver');
  const startedAt = performance.now();
  await Promise.all([api.seal(emails.batchId), api.seal(webhooks.batchId)]);
  const watched = [
    { title: 'emails', batchId: emails.batchId },
    { title: 'webhooks', batchId: webhooks.batchId },
  ];
  const [emailBatch, webhookBatch] = await watch(api, watched, screen, signal);
  if (emailBatch === undefined || webhookBatch === undefined) throw new Error('A batch is missing');
  screen.line(`  Done after ${((performance.now() - startedAt) / 1_000).toFixed(1)} s.`);
  return report(settings, screen, { stage, emailBatch, webhookBatch });
}

interface Delivered {
  readonly stage: Stage;
  readonly emailBatch: Batch;
  readonly webhookBatch: Batch;
}

async function report(settings: Settings, screen: Screen, delivered: Delivered): Promise<boolean> {
  const { stage, emailBatch, webhookBatch } = delivered;
  const { api } = stage;
  const email = await api.results(emailBatch.id);
  const webhook = await api.results(webhookBatch.id);
  screen.headline('What became of them');
  reportOutcomes(screen, { email, webhook });

  const retried = retriedJob(email);
  if (retried !== undefined) {
    screen.headline(`One job in full: the email to ${String(retried.payload['to'])}`);
    reportTimeline(screen, await api.job(retried.id));
  }

  screen.headline('The emails that were not delivered, as a CSV to mend and hand in again');
  const query = 'state=failed,unknown&format=csv';
  screen.line(`  ${screen.paint('dim', `GET /v1/batches/${emailBatch.id}/results?${query}`)}`);
  reportCsv(screen, await api.export(emailBatch.id, query));

  screen.headline('The check: the books of the receivers against the log, job by job');
  if (settings.sabotage !== undefined) {
    screen.line(`  DEMO_SABOTAGE=${settings.sabotage}: the book of the mail server was falsified just now.`);
  }
  const outcome = verdict([
    emailDelivery(settings, emailBatch, email, stage.mail.ledger.receipts),
    webhookDelivery(settings, webhookBatch, webhook, stage.shops.ledger.receipts),
  ]);
  reportVerdict(screen, outcome, email.length + webhook.length);
  return outcome.holds;
}

/** Emails are found by their address: nobody is in the list twice. They carry the job's id as their `Message-ID`. */
const emailDelivery = (
  { jobs, sabotage }: Settings,
  { counts }: Batch,
  results: readonly Result[],
  receipts: readonly Receipt[],
): Delivery => ({
  noun: 'email',
  atMostOnce: true,
  submitted: jobs,
  counts,
  jobs: results.map((result) => ({ ...result, key: String(result.payload['to']), mark: result.id })),
  receipts: sabotaged(receipts, sabotage),
});

const orderOf = ({ payload }: Result): string =>
  String((payload['body'] as { order?: number } | undefined)?.order);

/** Webhooks are found by their `webhook-id`, which is the job's id. They carry an order of their own. */
const webhookDelivery = (
  { jobs }: Settings,
  { counts }: Batch,
  results: readonly Result[],
  receipts: readonly Receipt[],
): Delivery => ({
  noun: 'webhook',
  atMostOnce: false,
  submitted: jobs,
  counts,
  jobs: results.map((result) => ({ ...result, key: result.id, mark: orderOf(result) })),
  receipts,
});
