import { readFile } from 'node:fs/promises';
import { redact, secretFields } from '@batchsender/core/plugin';
import { describe, expect, it } from 'vitest';
import plugin, { HttpCredentials, WebhookPayload } from '../src/index.ts';

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

  it('has one module with one provider', () => {
    expect(plugin.modules.map(({ type, providers }) => [type, Object.keys(providers)])).toEqual([
      ['webhook', ['http']],
    ]);
  });

  it('keeps its schemas closed, so that a misspelt field is an error', () => {
    for (const schema of [WebhookPayload, HttpCredentials]) {
      expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
    }
  });

  it('marks its secrets', () => {
    expect(secretFields(HttpCredentials)).toEqual(['signingSecret']);
    const payload = { url: 'https://example.com', auth: { type: 'basic', username: 'ada', password: 'pw' } };
    expect(redact(payload, WebhookPayload)).toEqual({
      url: 'https://example.com',
      auth: { type: 'basic', username: 'ada', password: '[redacted]' },
    });
  });
});
