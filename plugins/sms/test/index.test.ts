import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { redact, secretFields } from '@batchsender/core/plugin';
import { describe, expect, it } from 'vitest';
import plugin, {
  SandboxCredentials,
  SmsPayload,
  segmentsOf,
  smartQuotes,
  TwilioCredentials,
  VonageCredentials,
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

  it('has one module, with the sandbox behind the real providers', () => {
    expect(plugin.modules.map(({ type, providers }) => [type, Object.keys(providers)])).toEqual([
      ['sms', ['twilio', 'vonage', 'sandbox']],
    ]);
  });

  it('keeps its schemas closed, so that a misspelt field is an error', () => {
    for (const schema of [SmsPayload, TwilioCredentials, VonageCredentials, SandboxCredentials]) {
      expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
    }
  });

  it('marks its secrets', () => {
    expect(secretFields(TwilioCredentials)).toEqual(['authToken', 'apiKey', 'apiKeySecret']);
    expect(secretFields(VonageCredentials)).toEqual(['apiKey', 'apiSecret', 'privateKey', 'signatureSecret']);
    expect(redact({ accountSid: 'AC1', authToken: 'pw' }, TwilioCredentials)).toEqual({
      accountSid: 'AC1',
      authToken: '[redacted]',
    });
  });

  it('loads neither the client nor the numbers of the world before they are needed', async () => {
    const script = `await import('@batchsender/plugin-sms');
      console.log(Object.keys(createRequire(import.meta.url).cache).join());`;
    const source = `import { createRequire } from 'node:module';${script}`;
    const flags = ['--conditions=@batchsender/source', '--input-type=module', '--eval', source];
    const cwd = new URL('..', import.meta.url);
    const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd });
    expect(stdout).toContain('webhooks.js');
    expect(stdout).not.toMatch(/axios|libphonenumber/);
  });

  it('lets a host count the segments of a text before it is sent', () => {
    expect(segmentsOf(smartQuotes('It’s here'))).toEqual({ encoding: 'GSM-7', segments: 1, units: 9 });
  });
});
