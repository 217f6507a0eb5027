import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually as within } from '../helpers/app.ts';
import { dataFolder } from '../helpers/cli.ts';
import { startedBy } from '../helpers/runner-processes.ts';
import { type WildApp, type WildServer, wildApp } from '../helpers/wild-app.ts';

/** Processes that start take their time on a machine under load. */
const eventually = <T>(probe: () => Promise<T | undefined | false>): Promise<T> => within(probe, 120_000);

let app: WildApp;
afterEach(() => app.close());

async function submit(server: WildServer, count: number, payload: object): Promise<string> {
  const jobs = Array.from({ length: count }, () => payload);
  return (await server.api('/v1/batches', { type: 'wild', jobs })).body.id;
}

const isReady = async (server: WildServer): Promise<boolean> => (await server.api('/readyz')).status === 200;
const isGone = async (pid: number): Promise<boolean> => startedBy(pid).length === 0;

describe('the runner process', { timeout: 600_000 }, () => {
  test('killed with -9 is followed by another, and its jobs are delivered at once', async () => {
    app = await wildApp({ concurrency: 4 });
    const server = await app.start();
    const [child = 0] = server.children();
    const id = await submit(server, 200, { ms: 20 });
    await eventually(async () => app.calls().size > 40);
    process.kill(child, 'SIGKILL');
    const { counts } = await server.completed(id);
    expect(counts).toMatchObject({ succeeded: 200 });
    await eventually(() => isReady(server));
    // Its parent has taken its chunk back, and not the end of the lease.
    expect(server.cli.stdout()).toMatch(/ended by SIGKILL.*At work: plugin-wild/);
  });

  test('stopped with SIGSTOP is killed, and readiness tells until another one works', async () => {
    app = await wildApp();
    const server = await app.start();
    const [child = 0] = server.children();
    process.kill(child, 'SIGSTOP');
    await eventually(async () => !(await isReady(server)));
    await eventually(() => isReady(server));
    expect(server.children()).not.toContain(child);
  });

  test('that is stopped with SIGSTOP does not hold up the end of its server', async () => {
    app = await wildApp();
    const server = await app.start();
    const { pid = 0 } = server.cli.process;
    process.kill(server.children()[0] ?? 0, 'SIGSTOP');
    expect(await server.cli.end()).toBe(0);
    // Not by force at the end of its grace period.
    expect(server.cli.stdout()).toMatch(/gave no sign of life/);
    expect(await isGone(pid)).toBe(true);
  });

  test.each(['succeeds', 'loop'])('ends when its server is killed with -9, while a job %s', async (does) => {
    app = await wildApp();
    const server = await app.start();
    const { pid = 0 } = server.cli.process;
    await submit(server, 1, { does });
    await eventually(async () => app.calls().size === 1);
    server.cli.process.kill('SIGKILL');
    await eventually(() => isGone(pid));
  });

  test('ends when its server is killed with -9, and so does the embedded Postgres', async () => {
    app = await wildApp();
    const data = dataFolder();
    const server = await app.start({ env: { DATABASE_URL: '', BATCHSENDER_DATA: data.path } });
    const { pid = 0 } = server.cli.process;
    const postgres = Number(readFileSync(`${data.path}/pgdata/postmaster.pid`, 'utf8').split('\n')[0]);
    server.cli.process.kill('SIGKILL');
    await eventually(() => isGone(pid));
    await eventually(async () => !isAlive(postgres));
    data.remove();
  });

  test('lets its calls end when the server is stopped under load: nobody unknown, nobody twice', async () => {
    app = await wildApp({ guarantee: 'at-most-once', concurrency: 8 });
    const server = await app.start();
    const id = await submit(server, 400, { ms: 30 });
    await eventually(async () => app.calls().size > 50);
    expect(await server.cli.end()).toBe(0);
    const called = app.calls().size;
    expect(called).toBeLessThan(400);
    const second = await app.start();
    const { counts } = await second.completed(id);
    expect(counts).toMatchObject({ succeeded: 400, unknown: 0 });
    expect(Math.max(...app.calls().values())).toBe(1);
  });

  test('is told its secrets by the pipe alone, and gets the flags of its server and a limit of memory', async () => {
    app = await wildApp();
    const secret = 'hunter2_of_the_provider';
    const env = { BATCHSENDER_WILD_LOCAL_SECRET: secret, BATCHSENDER_RUNNER_MEMORY_MB: '256' };
    const server = await app.start({ env });
    const [child = 0] = server.children();
    const shown = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${child}/${name}`, 'utf8')).join();
    expect(shown).toContain('child-main');
    for (const hidden of [secret, app.database.url, 'bs_wild']) expect(shown).not.toContain(hidden);
    const line = readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0');
    expect(line).toEqual(
      expect.arrayContaining(['--conditions=@batchsender/source', '--max-old-space-size=256']),
    );
    expect(line.filter((flag) => flag.startsWith('--max-semi-space-size='))).toHaveLength(1);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
