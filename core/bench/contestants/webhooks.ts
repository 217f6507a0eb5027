import { createEngine, type Engine } from '@batchsender/core';
import type { Plugin } from '@batchsender/core/plugin';
import webhookPlugin from '@batchsender/plugin-webhook';
import { benchPayload } from '../harness/payload.ts';
import type { Setting } from './contestant.ts';
import { engineCalls } from './engine-calls.ts';

/** Calls at once that the webhook plugin makes by default; the bare loop is given the same. */
export const WEBHOOK_CONCURRENCY = concurrencyOf(webhookPlugin);

function concurrencyOf(plugin: Plugin): number {
  const provider = Object.values(plugin.modules[0]?.providers ?? {})[0];
  const { concurrency = 10 } = provider ?? {};
  if (typeof concurrency === 'function') throw new Error('The webhook plugin asks its credentials');
  return concurrency;
}

function open(setting: Setting): Engine {
  return createEngine({
    database: setting.databaseUrl,
    plugins: [webhookPlugin],
    allowNetworks: ['127.0.0.0/8'],
  });
}

/** Webhooks through the engine and the published plugin, with everything that they do by default. */
export const webhooks = engineCalls(open, (count, { receiverUrl: url = '' }) => ({
  type: 'webhook',
  jobs: Array.from({ length: count }, (_, index) => ({ url, body: benchPayload(index) })),
}));
