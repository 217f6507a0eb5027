import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Receiver, receiver } from './helpers/receiver.ts';
import { openSender, type Sender } from './helpers/session.ts';

let hook: Receiver;
let open: Sender;
let closed: Sender;

beforeAll(async () => {
  hook = await receiver();
  [open, closed] = await Promise.all([openSender(), openSender({}, [])]);
});
afterAll(() => Promise.all([open.close(), closed.close(), hook.close()]));

describe('an address that is not public', () => {
  it.each([
    'http://127.0.0.1:PORT/',
    'http://127.0.0.1.:PORT/',
    'http://127.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.1:PORT/',
    'http://0x7f000001:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://017700000001:PORT/',
    'http://0:PORT/',
    'http://①②⑦.⓪.⓪.①:PORT/',
    'http://[::1]:PORT/',
    'http://[::]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[::127.0.0.1]:PORT/',
    'http://[64:ff9b::127.0.0.1]:PORT/',
    'http://[64:ff9b:1::7f00:1]:PORT/',
    'http://[2002:7f00:1::]:PORT/',
    'http://localhost:PORT/',
    'http://localhost.:PORT/',
    'http://LOCALHOST:PORT/',
    'https://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.0.1/',
    'http://100.64.0.1/',
    'http://[fe80::1]/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://192.0.2.1/',
  ])('is refused for good: %s', async (template) => {
    const result = await closed.send({ url: template.replace('PORT', String(hook.port)) });
    expect(result).toMatchObject({
      status: 'failed',
      code: 'address_not_allowed',
      message: expect.stringContaining('BATCHSENDER_ALLOW_NETWORKS'),
    });
    expect(hook.received).toEqual([]);
  });

  it('is named by its host only', async () => {
    const result = await closed.send({ url: 'http://10.0.0.1/private/path?token=secret' });
    expect(result).toMatchObject({ message: expect.stringContaining('10.0.0.1') });
    expect(JSON.stringify(result)).not.toMatch(/private\/path|secret/);
  });

  it.each(['127.0.0.1', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', 'localhost'])(
    'is called at %s where the allow list has it',
    async (host) => {
      expect(await open.send({ url: `http://${host}:${hook.port}/` })).toMatchObject({ status: 'succeeded' });
    },
  );

  it('is refused where the allow list has only others', async () => {
    const other = await openSender({}, ['10.0.0.0/8', '127.0.0.2/32']);
    expect(await other.send({ url: hook.url })).toMatchObject({ code: 'address_not_allowed' });
    await other.close();
  });
});
