import { type AddressInfo, createServer } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { client } from '../helpers/app.ts';
import { dataFolder, runCli } from '../helpers/cli.ts';

const data = dataFolder();
afterAll(() => data.remove());

const env = { BATCHSENDER_DATA: data.path };

describe('the command line', { timeout: 180_000 }, () => {
  test('starts with nothing but a folder, shows a key once, and stops by SIGTERM with 0', async () => {
    const first = runCli({ env });
    const url = await first.ready();
    const key = /^API key {2}(bs_[\w-]{32})$/m.exec(first.stdout())?.[1] ?? '';
    expect(first.stdout().split(key)).toHaveLength(2);
    const modules = await client(url, key)('/v1/modules');
    expect(modules.body.items.map(({ type }: { type: string }) => type)).toContain('webhook');

    const rival = runCli({ env });
    expect(await rival.ended).toBe(1);
    expect(rival.stderr().trim().split('\n')).toHaveLength(1);
    expect(rival.stderr()).toContain(String(first.process.pid));

    expect(await first.end()).toBe(0);
    const second = runCli({ env });
    const again = await second.ready();
    expect(second.stdout()).not.toContain('API key');
    expect((await client(again, key)('/v1/batches')).status).toBe(200);
    expect(await second.end('SIGINT')).toBe(0);
    expect(first.stderr() + second.stderr()).toBe('');
  });

  test('takes its key from the environment', async () => {
    const cli = runCli({ env: { ...env, BATCHSENDER_API_KEY: 'bs_mine' } });
    const url = await cli.ready();
    expect((await client(url, 'bs_mine')('/v1/batches')).status).toBe(200);
    expect((await client(url, 'bs_other')('/v1/batches')).status).toBe(401);
    expect(cli.stdout()).not.toContain('bs_mine');
    expect(await cli.end()).toBe(0);
  });

  test('--help and --version need no database', async () => {
    const help = runCli({ args: ['--help'] });
    expect(await help.ended).toBe(0);
    expect(help.stdout()).toContain('Usage: batchsender');
    const version = runCli({ args: ['--version'] });
    expect(await version.ended).toBe(0);
    expect(version.stdout()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('a start that cannot be ends with 1 and one line for', { timeout: 180_000 }, () => {
  async function lineOf(options: Parameters<typeof runCli>[0]): Promise<string> {
    const cli = runCli(options);
    expect(await cli.ended).toBe(1);
    expect(cli.stderr().trim().split('\n')).toHaveLength(1);
    expect(cli.stderr()).not.toMatch(/\n\s+at /);
    return cli.stderr().trim();
  }

  test('a port that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await lineOf({ env: { ...env, PORT: String(port) } })).toMatch(
      `Port ${port} of 127.0.0.1 is taken.`,
    );
    server.close();
  });

  test('a setting that is wrong', async () => {
    expect(await lineOf({ env: { PORT: 'abc' } })).toMatch(/^PORT: "abc" is not valid/);
  });

  test('a database that does not answer', async () => {
    const line = await lineOf({ env: { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/db' } });
    expect(line).toMatch(/^The database of DATABASE_URL \(127\.0\.0\.1:1\/db\) does not answer/);
    expect(line).not.toContain('hunter2');
  });

  test('an argument that is not known', async () => {
    expect(await lineOf({ args: ['--port', '80'] })).toMatch(/^"--port 80" is not known/);
  });
});
