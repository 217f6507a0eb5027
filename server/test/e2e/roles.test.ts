import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually as within } from '../helpers/app.ts';
import { appFolder } from '../helpers/app-folder.ts';
import { runCli } from '../helpers/cli.ts';
import { type WildApp, wildApp, wildConfig } from '../helpers/wild-app.ts';

/** Processes that start take their time on a machine under load. */
const eventually = <T>(probe: () => Promise<T | undefined | false>): Promise<T> => within(probe, 120_000);

let app: WildApp | undefined;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  await app?.close();
  app = undefined;
  for (const close of closers.splice(0)) close();
});

const jobs = (count: number, payload: object = {}): object[] => Array.from({ length: count }, () => payload);

/** A folder with a plugin of its own, which writes to the same ledger. */
function otherFolder(one: WildApp, options: Parameters<typeof wildConfig>[1]): string {
  const folder = appFolder({ 'batchsender.config.mjs': wildConfig(join(one.folder, 'calls'), options) });
  closers.push(() => folder.remove());
  return folder.path;
}

describe('the roles', { timeout: 600_000 }, () => {
  test('api takes batches without a runner, and a runner that starts later delivers them', async () => {
    app = await wildApp();
    const api = await app.start({ args: ['--role', 'api'] });
    expect(api.children()).toEqual([]);
    expect((await api.api('/readyz')).body).toEqual({
      status: 'ok',
      database: true,
      runner: false,
      transport: true,
    });
    const { id } = (await api.api('/v1/batches', { type: 'wild', jobs: jobs(30) })).body;
    const runner = await app.start({ args: ['--role=runner'] });
    expect((await api.completed(id)).counts).toMatchObject({ succeeded: 30 });
    expect((await runner.api('/healthz')).body).toEqual({ status: 'ok' });
    expect((await runner.api('/readyz')).body).toEqual({
      status: 'ok',
      database: true,
      runner: true,
      transport: true,
    });
    expect((await runner.api('/v1/batches')).status).toBe(404);
    const again = (await api.api('/v1/batches', { type: 'wild', jobs: jobs(3) })).body;
    expect((await api.completed(again.id)).counts).toMatchObject({ succeeded: 3 });
    expect(await runner.cli.end()).toBe(0);
    expect(await api.cli.end()).toBe(0);
  });

  test('--types leaves the other types to other runners', async () => {
    app = await wildApp({ type: 'mild' });
    const both = appFolder({});
    closers.push(() => both.remove());
    both.write({
      'mild.mjs': wildConfig(join(app.folder, 'calls'), { type: 'mild' }),
      'wild.mjs': wildConfig(join(app.folder, 'calls'), { type: 'wild' }),
      'batchsender.config.mjs': `import mild from './mild.mjs'; import wild from './wild.mjs';
        export default { plugins: [...mild.plugins, ...wild.plugins] };`,
    });
    const server = await app.start({ folder: both.path, args: ['--types', 'mild'] });
    const wild = (await server.api('/v1/batches', { type: 'wild', jobs: jobs(3) })).body;
    const mild = (await server.api('/v1/batches', { type: 'mild', jobs: jobs(3) })).body;
    await server.completed(mild.id);
    // Longer than a poll of the dispatcher.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await server.api(`/v1/batches/${wild.id}`)).body.counts).toMatchObject({ waiting: 3 });
    await app.start({ folder: both.path, args: ['--role', 'runner', '--types', 'wild'] });
    await server.completed(wild.id);
  });

  test('E24: runners of two versions of a plugin each take what they can run', async () => {
    app = await wildApp({ version: 1 });
    const newer = otherFolder(app, { version: 2 });
    const oldRunner = await app.start({ args: ['--role', 'runner'] });
    const oldApi = await app.start({ args: ['--role', 'api'] });
    const newApi = await app.start({ args: ['--role', 'api'], folder: newer });
    const fresh = (await newApi.api('/v1/batches', { type: 'wild', jobs: jobs(4) })).body;
    const old = (await oldApi.api('/v1/batches', { type: 'wild', jobs: jobs(4) })).body;
    expect((await oldApi.completed(old.id)).counts).toMatchObject({ succeeded: 4 });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await newApi.api(`/v1/batches/${fresh.id}`)).body.counts).toMatchObject({ waiting: 4 });
    await app.start({ args: ['--role', 'runner'], folder: newer });
    expect((await newApi.completed(fresh.id)).counts).toMatchObject({ succeeded: 4 });
    // The newer one runs what the older one made, when that is gone.
    expect(await oldRunner.cli.end()).toBe(0);
    const later = (await oldApi.api('/v1/batches', { type: 'wild', jobs: jobs(4) })).body;
    expect((await oldApi.completed(later.id)).counts).toMatchObject({ succeeded: 4 });
  });

  test('E17: pause, resume and unblock in the API reach a runner elsewhere', async () => {
    const wild = await wildApp({ concurrency: 2 });
    app = wild;
    const api = await app.start({ args: ['--role', 'api'] });
    await app.start({ args: ['--role', 'runner'] });
    const { id } = (await api.api('/v1/batches', { type: 'wild', jobs: jobs(400, { ms: 20 }) })).body;
    await eventually(async () => wild.calls().size > 20);
    await api.api(`/v1/batches/${id}/pause`, null);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const paused = wild.calls().size;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(wild.calls().size).toBe(paused);
    await api.api(`/v1/batches/${id}/resume`, null);
    await api.completed(id);

    const blocked = (await api.api('/v1/batches', { type: 'wild', jobs: [{ does: 'blocked' }] })).body;
    await eventually(async () => (await api.api('/v1/connections')).body.items[0]?.state === 'blocked');
    const waiting = (await api.api('/v1/batches', { type: 'wild', jobs: jobs(2) })).body;
    await api.api(`/v1/batches/${blocked.id}/cancel`, null);
    await api.api('/v1/connections/wild.local/unblock', null);
    expect((await api.completed(waiting.id)).counts).toMatchObject({ succeeded: 2 });
  });
});

describe('a start that cannot be says why:', { timeout: 120_000 }, () => {
  async function lineOf(options: Parameters<typeof runCli>[0]): Promise<string> {
    const cli = runCli(options);
    expect(await cli.ended).toBe(1);
    return cli.stderr().trim();
  }

  test('a role without its database', async () => {
    expect(await lineOf({ args: ['--role', 'api'] })).toMatch(/^The role "api" needs DATABASE_URL/);
    expect(await lineOf({ env: { BATCHSENDER_ROLE: 'runner' } })).toMatch(
      /^The role "runner" needs DATABASE_URL/,
    );
  });

  test('a type that nobody installed', async () => {
    app = await wildApp();
    expect(await lineOf({ cwd: app.folder, args: ['--types', 'wild,sms'] })).toMatch(
      /^No installed plugin has the type "sms".* Installed: wild\./,
    );
  });

  test('a plugin that ends the process when it works', async () => {
    app = await wildApp();
    const broken = appFolder({
      'batchsender.config.mjs': `
        if (process.argv[1].includes('child-main')) process.exit(9);
        export default { plugins: [] };`,
    });
    closers.push(() => broken.remove());
    const line = await lineOf({ cwd: broken.path, env: { DATABASE_URL: app.database.url } });
    expect(line).toMatch(/^The runner process ended each time before it could work/);
  });
});
