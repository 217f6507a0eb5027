import { conformance, unusedPort, type VendorHooks } from '@batchsender/core/testing';
import { afterAll, describe, it } from 'vitest';
import plugin from '../src/index.ts';
import type { Mood } from './helpers/http-vendor.ts';
import { hubspotVendor } from './helpers/hubspot.ts';

const hubspot = await hubspotVendor();
afterAll(() => hubspot.close());

type Options = Parameters<typeof conformance>[0];

/** The hooks that each vendor's server has. */
function hooks(vendor: { mood: Mood; readonly requests: readonly unknown[] }): VendorHooks {
  const become = (mood: Mood) => () => {
    vendor.mood = mood;
  };
  return {
    accept: become('fine'),
    refuse: become('refuse'),
    throttle: become('throttle'),
    authFailure: become('auth'),
    dropAfterAccept: become('drop'),
    hang: become('hang'),
    garbage: become('garbage'),
    calls: () => vendor.requests.length,
  };
}

function run(name: string, options: Omit<Options, 'plugin' | 'type'>): void {
  describe(name, () => {
    for (const { name: sentence, skip, run: check } of conformance({ plugin, type: 'crm', ...options })) {
      it(sentence, (context) => (skip === undefined ? check() : context.skip(skip)));
    }
  });
}

const NAMES = [
  ['Augusta', 'augusta.lovelace@analytical.example'],
  ['Murray', 'grace.murray@harvard.example'],
] as const;

const port = await unusedPort();

run('the provider sandbox', {
  provider: 'sandbox',
  credentials: { latencyMs: 0 },
  payloads: NAMES.map(([FirstName, Email]) => ({
    operation: 'create',
    object: 'Contact',
    record: { FirstName, Email },
  })),
  harmless: ['create', 'Contact'],
  respond: { accept: () => undefined },
});

for (const operation of ['create', 'upsert'] as const) {
  run(`the provider hubspot, ${operation}`, {
    provider: 'hubspot',
    credentials: { accessToken: hubspot.token, baseUrl: hubspot.url },
    payloads: NAMES.map(([firstname, email]) => ({
      operation,
      object: 'contacts',
      ...(operation === 'create' ? {} : { externalIdField: 'email' }),
      record: { firstname, email },
    })),
    harmless: ['create', 'upsert', 'contacts', 'email'],
    respond: {
      ...hooks(hubspot),
      accept: () => {
        hubspot.mood = 'fine';
        hubspot.refused = () => false;
      },
      refuseOnly: ({ record }) => {
        const { firstname } = record as { firstname: string };
        hubspot.refused = (properties) => properties['firstname'] === firstname;
      },
    },
    unreachable: { credentials: { accessToken: hubspot.token, baseUrl: `http://127.0.0.1:${port}` } },
  });
}
