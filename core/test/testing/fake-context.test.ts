import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeOpenContext, unusedPort } from '../../src/testing/index.ts';
import { type HttpReceiver, httpReceiver } from '../helpers/http-receiver.ts';

let receiver: HttpReceiver;

beforeAll(async () => {
  receiver = await httpReceiver((_request, response) => response.end('hello'));
});

afterAll(() => receiver.close());

describe('a fake context', () => {
  it('reaches a server on this machine', async () => {
    const { fetch, network } = fakeOpenContext();
    expect(await (await fetch(receiver.url)).text()).toBe('hello');
    expect(network.allow).toContain('127.0.0.0/8');
  });

  it('refuses what another network policy refuses', async () => {
    const { fetch } = fakeOpenContext({ network: { allow: [] } });
    await expect(fetch(receiver.url)).rejects.toMatchObject({ cause: { code: 'ADDRESS_NOT_ALLOWED' } });
  });

  it('keeps what was logged', () => {
    const { logger, lines } = fakeOpenContext();
    logger.warn({ status: 503 }, 'slow');
    logger.debug({});
    expect(lines).toEqual([
      { level: 'warn', fields: { status: 503 }, message: 'slow' },
      { level: 'debug', fields: {}, message: undefined },
    ]);
  });

  it('takes overrides, and knows a callback URL for each job', () => {
    const context = fakeOpenContext({ connectionId: 'mine' });
    expect(context.connectionId).toBe('mine');
    expect(context.callbackUrl('b.1')).toContain('b.1');
    expect(fakeOpenContext({ callbackUrl: () => undefined }).callbackUrl('b.1')).toBeUndefined();
  });
});

describe('an unused port', () => {
  it('refuses connections', async () => {
    const { fetch } = fakeOpenContext();
    const call = fetch(`http://127.0.0.1:${await unusedPort()}`);
    await expect(call).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });
});
