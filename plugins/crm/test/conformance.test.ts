import { conformance, unusedPort, type VendorHooks } from '@batchsender/core/testing';
import { afterAll, describe, it } from 'vitest';
import plugin, { crmPlugin } from '../src/index.ts';
import type { Mood } from './helpers/http-vendor.ts';
import { hubspotVendor } from './helpers/hubspot.ts';
import { pipedriveVendor } from './helpers/pipedrive.ts';
import { salesforceVendor } from './helpers/salesforce.ts';
import { refusal } from './helpers/salesforce-wire.ts';

const [hubspot, salesforce, pipedrive] = await Promise.all([
  hubspotVendor(),
  salesforceVendor(),
  pipedriveVendor(),
]);
afterAll(() => Promise.all([hubspot.close(), salesforce.close(), pipedrive.close()]));
// What is lost is a write: a search or an empty bulk job would have changed nothing.
pipedrive.losable = ({ method }) => method !== 'GET';
salesforce.losable = ({ method, url }) => !url.pathname.includes('/jobs/ingest') || method === 'PATCH';

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

function run(name: string, options: Omit<Options, 'plugin' | 'type'> & Partial<Options>): void {
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

const account = { accessToken: salesforce.token, instanceUrl: salesforce.url };
const contacts = (operation: 'create' | 'upsert') =>
  NAMES.map(([FirstName, Email]) => ({
    operation,
    object: 'Contact',
    ...(operation === 'create' ? {} : { externalIdField: 'Email' }),
    record: { FirstName, Email },
  }));

for (const operation of ['create', 'upsert'] as const) {
  run(`the provider salesforce, ${operation}`, {
    provider: 'salesforce',
    credentials: account,
    payloads: contacts(operation),
    harmless: ['create', 'upsert', 'Contact', 'Email'],
    respond: {
      ...hooks(salesforce),
      accept: () => {
        salesforce.mood = 'fine';
        salesforce.problem = () => undefined;
      },
      refuseOnly: ({ record }) => {
        const { FirstName: bad } = record as { FirstName: string };
        salesforce.problem = (fields) => (fields['FirstName'] === bad ? refusal(fields) : undefined);
      },
    },
    unreachable: { credentials: { ...account, instanceUrl: `http://127.0.0.1:${port}` } },
  });

  const { refuse: _refuse, ...answers } = hooks(salesforce);
  run(`the provider salesforce by bulk jobs, ${operation}`, {
    plugin: crmPlugin({ salesforce: { bulkFrom: 1, checkAfterMs: 1 } }),
    provider: 'salesforce',
    credentials: account,
    payloads: contacts(operation),
    harmless: ['create', 'upsert', 'Contact', 'Email'],
    respond: { ...answers, calls: () => salesforce.requests.filter(salesforce.losable).length },
    unreachable: { credentials: { ...account, instanceUrl: `http://127.0.0.1:${port}` } },
  });

  run(`the provider pipedrive, ${operation}`, {
    provider: 'pipedrive',
    credentials: { apiToken: pipedrive.token, baseUrl: pipedrive.url },
    payloads: NAMES.map(([name, code], index) => ({
      operation,
      object: 'persons',
      ...(operation === 'create' ? {} : { externalIdField: 'code' }),
      record: { name: `${name} ${index}`, code: `${operation}-${code}` },
    })),
    harmless: ['create', 'upsert', 'persons'],
    respond: {
      ...hooks(pipedrive),
      calls: () => pipedrive.requests.filter(pipedrive.losable).length,
      dropAfterAccept: () => {
        // An upsert that makes its record is the one that must be found again.
        pipedrive.records.clear();
        pipedrive.mood = 'drop';
      },
      accept: () => {
        pipedrive.mood = 'fine';
        pipedrive.refused = () => false;
      },
      refuseOnly: ({ record }) => {
        const { name: bad } = record as { name: string };
        pipedrive.refused = ({ name }) => name === bad;
      },
    },
    unreachable: { credentials: { apiToken: pipedrive.token, baseUrl: `http://127.0.0.1:${port}` } },
  });
}
