import { describe, expect, it } from 'vitest';
import type { ConnectionFacts } from '../../../src/engine/receipts/connection-facts.ts';
import { handleCallback } from '../../../src/engine/receipts/handle-callback.ts';
import { fakeOpenContext } from '../../../src/testing/index.ts';
import { fake } from '../../helpers/fake-plugin.ts';

describe('a callback handler', () => {
  it('that does not end in time is a fault of its plugin', async () => {
    const { plugin } = fake({ provider: { callbacks: { handle: () => new Promise(() => undefined) } } });
    const [module] = plugin.modules;
    const connection = {
      connectionId: 'mail.fake',
      type: 'mail',
      providerName: 'fake',
      module,
      provider: module?.providers['fake'],
      pluginName: plugin.name,
      credentials: {},
      tenantId: undefined,
    } as unknown as ConnectionFacts;
    const context = fakeOpenContext();
    const never = undefined as never;
    const host = {
      find: async () => connection,
      receiver: never,
      refusals: never,
      context,
      publicUrl: undefined,
      timeoutMs: 50,
    };
    const target = { type: 'mail', provider: 'fake', connectionId: 'mail.fake' };
    const request = { method: 'POST', path: '/', headers: {}, body: new Uint8Array() } as const;
    await expect(handleCallback(host, target, request)).rejects.toThrow(
      /mail\.fake threw CallbackTimeoutError/,
    );
    expect(context.lines).toMatchObject([{ level: 'error', fields: { threw: 'CallbackTimeoutError' } }]);
  });
});
