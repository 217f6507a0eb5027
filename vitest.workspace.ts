import { defineConfig } from 'vitest/config';

const conditions = ['@batchsender/source', 'node'];

/** One project a package; each test file mirrors a source file of its package. */
const project = (name: string, root: string) => ({
  extends: true as const,
  test: { name, root, include: ['test/**/*.test.ts'] },
});

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // On two cores: tests of several processes mostly wait for them.
    maxWorkers: 3,
    // Core is not loaded anew for each file: its tests took 341 s in place of 434 on a slow machine. Files share what modules hold.
    isolate: false,
    // A loaded machine may stretch a lease or a deadline: in CI a failure must happen three times.
    retry: process.env['CI'] === undefined ? 0 : 2,
    globalSetup: ['core/test/helpers/global-setup.ts'],
    projects: [
      project('core', 'core'),
      project('plugin-crm', 'plugins/crm'),
      project('plugin-email', 'plugins/email'),
      project('plugin-sms', 'plugins/sms'),
      project('plugin-webhook', 'plugins/webhook'),
      project('server', 'server'),
      project('example-custom-plugin', 'examples/custom-plugin'),
      project('example-demo', 'examples/demo'),
      project('example-embedded-app', 'examples/embedded-app'),
      project('example-newsletter', 'examples/newsletter'),
    ],
  },
});
