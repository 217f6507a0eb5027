import type { Engine } from '@batchsender/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ended, testWorld } from '../../../core/test/helpers/engine-world.ts';
import { testKey } from '../../../core/test/helpers/vendor-plugin.ts';
import plugin from '../src/index.ts';
import { type Hubspot, hubspotVendor } from './helpers/hubspot.ts';
import { type Salesforce, salesforceVendor } from './helpers/salesforce.ts';

const world = testWorld();

let hubspot: Hubspot;
let salesforce: Salesforce;

beforeEach(async () => {
  [hubspot, salesforce] = await Promise.all([hubspotVendor(), salesforceVendor()]);
});

afterEach(() => Promise.all([hubspot.close(), salesforce.close()]));

const start = (): Promise<Engine> =>
  world.started({
    plugins: [{ plugin }],
    secretKeys: { current: testKey('a') },
    allowNetworks: ['127.0.0.0/8'],
    publicUrl: 'https://batchsender.example',
    credentials: () => undefined,
  });

/** Plays the person who grants access: what the provider keeps of the URL, and sends back. */
function visit(url: string, authorizedAt: { challenge: string }): { state: string; code: string } {
  const { searchParams } = new URL(url);
  authorizedAt.challenge = searchParams.get('code_challenge') ?? '';
  return { state: searchParams.get('state') ?? '', code: 'the-code' };
}

async function send(engine: Engine, object: string): Promise<void> {
  const { id } = await engine.submit({
    type: 'crm',
    connection: 'main',
    defaults: { operation: 'create', object },
    jobs: [{ record: { email: 'ada@example.com' } }],
  });
  expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 1 });
}

/** All that the database keeps, as text. */
async function dump(): Promise<string> {
  const tables = ['batches', 'jobs', 'job_events', 'chunks', 'connections'];
  const texts = await Promise.all(
    tables.map((table) =>
      world.sql(`SELECT string_agg(t::text, ' ') AS text FROM batchsender.${table} AS t`),
    ),
  );
  return JSON.stringify(texts);
}

describe('a connection', () => {
  it('to Salesforce is granted by a person; the organisation comes with the tokens', async () => {
    const engine = await start();
    const { id } = await engine.connections.create({
      type: 'crm',
      provider: 'salesforce',
      name: 'main',
      credentials: {
        instanceUrl: 'https://login.salesforce.com',
        loginUrl: salesforce.url,
        clientId: salesforce.client.id,
        clientSecret: salesforce.client.secret,
      },
    });
    const { url } = await engine.connections.authorize(id);
    expect(url).toMatch(new RegExp(`^${salesforce.url}/services/oauth2/authorize\\?`));
    expect(new URL(url).searchParams.get('scope')).toBe('api refresh_token');
    await engine.connections.completeAuthorization(visit(url, salesforce.authorized));
    expect(await engine.connections.get(id)).toMatchObject({
      state: 'ok',
      credentials: { instanceUrl: salesforce.url },
    });
    expect(await engine.connections.test(id)).toMatchObject({ ok: true });
    await send(engine, 'Contact');
    const kept = await dump();
    for (const secret of [salesforce.token, salesforce.client.secret]) expect(kept).not.toContain(secret);
  });

  it('to HubSpot is granted by a person', async () => {
    const engine = await start();
    const { id } = await engine.connections.create({
      type: 'crm',
      provider: 'hubspot',
      name: 'main',
      credentials: { clientId: 'app', clientSecret: 'app-secret-canary', baseUrl: hubspot.url },
    });
    const { url } = await engine.connections.authorize(id);
    expect(url).toMatch(/^https:\/\/app\.hubspot\.com\/oauth\/authorize\?/);
    await engine.connections.completeAuthorization(visit(url, hubspot.authorized));
    await send(engine, 'contacts');
    const kept = await dump();
    for (const secret of [hubspot.token, 'app-secret-canary']) expect(kept).not.toContain(secret);
  });

  it('to Salesforce by client credentials waits for nobody', async () => {
    const engine = await start();
    const { id } = await engine.connections.create({
      type: 'crm',
      provider: 'salesforce',
      name: 'main',
      credentials: {
        instanceUrl: salesforce.url,
        consumerKey: salesforce.client.id,
        consumerSecret: salesforce.client.secret,
      },
    });
    expect(await engine.connections.test(id)).toMatchObject({ ok: true });
    await send(engine, 'Contact');
    expect(await dump()).not.toContain(salesforce.client.secret);
  });
});
