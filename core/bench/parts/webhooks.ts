import { WEBHOOK_CONCURRENCY } from '../contestants/webhooks.ts';
import { whole } from '../harness/table.ts';
import type { Bench } from './bench.ts';
import { callsPart } from './calls.ts';
import type { PartReport } from './report.ts';

/** Webhooks: real HTTP calls. */
export function webhooksPart(bench: Bench): Promise<PartReport> {
  const { calls } = bench.options;
  return callsPart(bench, {
    receiver: 'webhook',
    own: 'batchsender-webhook',
    bare: 'bare-undici',
    logged: 'logged-undici',
    jobs: calls,
    concurrency: WEBHOOK_CONCURRENCY,
    noun: 'calls',
    title: `${whole(calls)} webhooks to a local receiver, ${WEBHOOK_CONCURRENCY} at once`,
    how:
      'The receiver is a process of its own. batchsender-webhook: engine and plugin as they come. ' +
      'bare-undici: the same bodies by undici.request in a loop, without a database. ' +
      'logged-undici: that loop, and a row in a table for each outcome, 500 at a time; no job is read, leased or repeated.',
    target: { name: 'webhooks, of the bare undici loop', limit: 0.8, kind: 'at least' },
  });
}
