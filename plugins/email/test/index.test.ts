import { readFile } from 'node:fs/promises';
import { redact, secretFields } from '@batchsender/core/plugin';
import { describe, expect, it } from 'vitest';
import plugin, * as all from '../src/index.ts';

const { default: _plugin, ...schemas } = all;
const { PostmarkCredentials, ResendCredentials, SesCredentials, SmtpCredentials } = schemas;

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

  it('has one module, with the sandbox behind the real providers', () => {
    expect(plugin.modules.map(({ type, providers }) => [type, Object.keys(providers)])).toEqual([
      ['email', ['smtp', 'ses', 'resend', 'postmark', 'sandbox']],
    ]);
  });

  it('keeps its schemas closed, so that a misspelt field is an error', () => {
    for (const schema of Object.values(schemas)) {
      expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
    }
  });

  it('marks its secrets', () => {
    expect(secretFields(SmtpCredentials)).toEqual(['password', 'bounceSecret']);
    expect(secretFields(SesCredentials)).toEqual(['secretAccessKey', 'sessionToken']);
    expect(secretFields(ResendCredentials)).toEqual(['apiKey', 'webhookSecret']);
    expect(secretFields(PostmarkCredentials)).toEqual(['serverToken', 'webhookSecret']);
    expect(redact({ host: 'a', password: 'pw' }, SmtpCredentials)).toEqual({
      host: 'a',
      password: '[redacted]',
    });
  });

  it('names the persons of a payload, each once', () => {
    const payload = {
      to: ['ada@example.com', { address: 'Ada <broken', name: 'x' }],
      cc: 'ada@EXAMPLE.com',
      bcc: ['grace@bücher.example'],
      from: 'news@sender.example',
    };
    expect(plugin.modules[0]?.recipients?.(payload)).toEqual([
      'ada@example.com',
      'grace@xn--bcher-kva.example',
    ]);
  });
});
