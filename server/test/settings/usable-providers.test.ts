import type { Plugin } from '@batchsender/core/plugin';
import { expect, test } from 'vitest';
import { readConnections } from '../../src/settings/connections.ts';
import { preferUsable, type Usable } from '../../src/settings/usable-providers.ts';
import { bellPlugin, pagerPlugin } from '../helpers/test-plugin.ts';

const prefer = (plugin: Plugin, env: Record<string, string> = {}): Usable =>
  preferUsable([plugin], readConnections(env, plugin.modules, new Set()));

const order = ({ plugins }: Usable): string[] => Object.keys(plugins[0]?.modules[0]?.providers ?? {});

test('a module without credentials falls back to its sandbox, and says what that does and what to set', () => {
  const usable = prefer(pagerPlugin({ hasSandbox: true }));
  expect(order(usable)[0]).toBe('sandbox');
  expect(usable.notices).toEqual([
    'pager: no credentials for acme, globex, so its jobs go to the sandbox and reach nobody. ' +
      'It keeps them in its drawer. To send, set BATCHSENDER_PAGER_ACME_ACCOUNT_SID, BATCHSENDER_PAGER_ACME_AUTH_TOKEN.',
  ]);
});

test('the first provider with credentials is the default', () => {
  const usable = prefer(pagerPlugin({ hasSandbox: true }), {
    BATCHSENDER_PAGER_GLOBEX_ACCOUNT_SID: 'g',
    BATCHSENDER_PAGER_GLOBEX_AUTH_TOKEN: 'token',
  });
  expect(order(usable)).toEqual(['globex', 'acme', 'sandbox']);
  expect(usable.notices).toEqual([]);
});

test('a module without a sandbox says that its jobs cannot be sent', () => {
  const usable = prefer(pagerPlugin({ hasSandbox: false }));
  expect(order(usable)).toEqual(['acme', 'globex']);
  expect(usable.notices[0]).toMatch(/^pager: no credentials for acme, globex, so its jobs cannot be sent\./);
});

test('a provider that needs no credentials is used without a word', () => {
  expect(prefer(bellPlugin())).toMatchObject({ notices: [] });
});
