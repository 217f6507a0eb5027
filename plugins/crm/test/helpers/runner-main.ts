import { createEngine } from '@batchsender/core';
import { crmPlugin } from '../../src/index.ts';
import type { RunnerSettings } from './runner.ts';

// A runner in a process of its own, which a test can kill.
const { database, credentials, salesforce, tuning } = JSON.parse(
  process.env['CRM_RUNNER'] ?? '{}',
) as RunnerSettings;
const engine = createEngine({
  database,
  plugins: [crmPlugin({ salesforce })],
  allowNetworks: ['127.0.0.0/8'],
  credentials: () => credentials,
  tuning: { ...tuning, heartbeatMs: 100, pollMs: 50 },
});
await engine.start();
