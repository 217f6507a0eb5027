import { readFile } from 'node:fs/promises';
import { redact, secretFields } from '@batchsender/core/plugin';
import { describe, expect, it } from 'vitest';
import plugin, {
  CrmPayload,
  crmPlugin,
  HubspotCredentials,
  PipedriveCredentials,
  SalesforceCredentials,
  SandboxCredentials,
} from '../src/index.ts';

const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
  name: string;
  version: string;
  keywords: string[];
};

describe('the plugin', () => {
  it('carries the name and version of its package, which the server finds by keyword', () => {
    expect(plugin).toMatchObject({ name: manifest.name, version: manifest.version, contract: 1 });
    expect(manifest.keywords).toContain('batchsender-plugin');
  });

  it('has one module with four providers', () => {
    expect(plugin.modules.map(({ type, providers }) => [type, Object.keys(providers)])).toEqual([
      ['crm', ['salesforce', 'hubspot', 'pipedrive', 'sandbox']],
    ]);
  });

  it('can be made with other sizes of bulk jobs', () => {
    const sizeOf = ({ modules }: typeof plugin) => modules[0]?.providers['salesforce']?.batchSize;
    expect([sizeOf(plugin), sizeOf(crmPlugin({ salesforce: { batchSize: 50_000 } }))]).toEqual([
      10_000, 50_000,
    ]);
  });

  it('keeps its schemas closed, so that a misspelt field is an error', () => {
    for (const schema of [
      CrmPayload,
      HubspotCredentials,
      PipedriveCredentials,
      SalesforceCredentials,
      SandboxCredentials,
    ]) {
      expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
    }
  });

  it('needs a setting for each real provider, so that without any the jobs go to the sandbox', () => {
    const providers = plugin.modules[0]?.providers ?? {};
    const usable = Object.entries(providers).filter(([, { credentials }]) => {
      const { required = [], minProperties = 0 } = credentials as {
        required?: string[];
        minProperties?: number;
      };
      return required.length === 0 && minProperties === 0;
    });
    expect(usable.map(([name]) => name)).toEqual(['sandbox']);
  });

  it('marks its secrets', () => {
    expect(secretFields(HubspotCredentials)).toEqual(['accessToken', 'refreshToken', 'clientSecret']);
    expect(secretFields(SalesforceCredentials)).toEqual([
      'accessToken',
      'refreshToken',
      'clientSecret',
      'consumerSecret',
    ]);
    expect(secretFields(PipedriveCredentials)).toEqual(['apiToken']);
    expect(redact({ apiToken: 'abc' }, PipedriveCredentials)).toEqual({ apiToken: '[redacted]' });
  });

  it('takes where a Salesforce organisation is from the answer of its token endpoint', () => {
    const oauth = crmPlugin().modules[0]?.providers['salesforce']?.oauth;
    expect(oauth?.fields?.({ access_token: 'a', instance_url: 'https://acme.my.salesforce.com' })).toEqual({
      instanceUrl: 'https://acme.my.salesforce.com',
    });
  });
});
