import { readFile } from 'node:fs/promises';
import { createRegistry } from '@batchsender/core';
import { redact, secretFields } from '@batchsender/core/plugin';
import { describe, expect, it } from 'vitest';
import plugin, { BulkCredentials, HttpCredentials, WebhookPayload, webhookPlugin } from '../src/index.ts';

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

  it('has one module with three providers, of which http is the default', () => {
    expect(plugin.modules.map(({ type, providers }) => [type, Object.keys(providers)])).toEqual([
      ['webhook', ['http', 'bulk', 'sandbox']],
    ]);
  });

  it('can be made with other limits for calls that carry many jobs', () => {
    const limits = ({ modules }: typeof plugin) => {
      const { batchSize, batchBytes } = modules[0]?.providers['bulk'] ?? {};
      return { batchSize, batchBytes };
    };
    expect(limits(plugin)).toEqual({ batchSize: 100, batchBytes: 1_000_000 });
    expect(limits(webhookPlugin({ bulk: { batchSize: 20 } }))).toEqual({
      batchSize: 20,
      batchBytes: 1_000_000,
    });
    expect(() => createRegistry([webhookPlugin({ bulk: { batchSize: 0 } })])).toThrow(
      "provider 'bulk': batchSize must be a whole number from 1",
    );
  });

  it('keeps its schemas closed, so that a misspelt field is an error', () => {
    for (const schema of [WebhookPayload, HttpCredentials, BulkCredentials]) {
      expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
    }
  });

  it('marks its secrets', () => {
    expect(secretFields(HttpCredentials)).toEqual(['signingSecret', 'previousSigningSecret']);
    expect(secretFields(BulkCredentials)).toEqual(['signingSecret', 'previousSigningSecret']);
    const payload = { url: 'https://example.com', auth: { type: 'basic', username: 'ada', password: 'pw' } };
    expect(redact(payload, WebhookPayload)).toEqual({
      url: 'https://example.com',
      auth: { type: 'basic', username: 'ada', password: '[redacted]' },
    });
  });
});
