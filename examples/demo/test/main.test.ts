import { afterEach, describe, expect, it } from 'vitest';
import { type DemoRun, runDemo } from './helpers/run-demo.ts';

/** A loaded machine may need several times the usual ten seconds. */
const TIMEOUT_MS = 180_000;

let run: DemoRun | undefined;

function start(env: Record<string, string>): DemoRun {
  run = runDemo(env);
  return run;
}

afterEach(async () => {
  run?.process.kill('SIGKILL');
  await run?.ended;
  run?.remove();
  run = undefined;
});

/** Waits until the demo has shown a text. */
async function shown(demo: DemoRun, text: string): Promise<void> {
  while (!demo.stdout().includes(text)) {
    const { exitCode, signalCode } = demo.process;
    if (exitCode !== null || signalCode !== null)
      throw new Error(`It ended before "${text}": ${demo.stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The port of the server, as the demo shows it. */
const serverUrl = (demo: DemoRun): string => /BatchSender, (http:\S+),/.exec(demo.stdout())?.[1] ?? 'none';

describe('npm run demo', () => {
  it('delivers both lists, and finds that receivers and log agree on every job', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const demo = start({ DEMO_JOBS: '200' });
    const code = await demo.ended;
    expect({ code, stderr: demo.stderr() }).toEqual({ code: 0, stderr: '' });
    expect(demo.stdout()).toContain('\nThe log and the receivers agree on all 400 jobs.\n');
    expect(demo.stdout()).not.toContain('✗');
    expect(demo.stdout()).toContain('recipients.csv, 201 lines: 200 emails; 1 duplicate left out');
    expect(demo.stdout()).toMatch(/^ {2}email {4}failed {5}mailbox_unknown +6 /m);
    expect(demo.stdout()).toMatch(/attempt 1 {2}retried {4}.*451 4\.7\.1/);
    expect(demo.stdout()).toMatch(/^ {2}email,first_name,city,bs_id,/m);
    expect(demo.leftovers()).toEqual([]);
  });

  it('ends with 1 if the book of a receiver lacks a mail', { timeout: TIMEOUT_MS }, async () => {
    const demo = start({ DEMO_JOBS: '20', DEMO_SABOTAGE: 'drop-one' });
    expect(await demo.ended).toBe(1);
    expect(demo.stdout()).toContain('\nThe log and the receivers do NOT agree.\n');
    expect(demo.stdout().match(/✗/g)).toHaveLength(1);
    expect(demo.stdout()).toMatch(
      /✗ \d+ succeeded: .*\n +[0-9a-f-]{36}\.\d+ succeeded, but its email never arrived\n/,
    );
    expect(demo.leftovers()).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stops its servers and removes its files on %s',
    { timeout: TIMEOUT_MS },
    async (signal) => {
      const demo = start({ DEMO_JOBS: '2000' });
      await shown(demo, '3  Deliver');
      const url = serverUrl(demo);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      demo.process.kill(signal);
      expect(await demo.ended).toBe(130);
      await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
      expect(demo.stderr()).toBe('');
      expect(demo.leftovers()).toEqual([]);
    },
  );

  it('says what is wrong with a setting, and starts nothing', async () => {
    const demo = start({ DEMO_JOBS: 'many' });
    expect(await demo.ended).toBe(1);
    expect(demo.stderr()).toContain('DEMO_JOBS is "many". It must be a whole number from 20 to 50000.');
    expect(demo.stdout()).toBe('');
  });
});
