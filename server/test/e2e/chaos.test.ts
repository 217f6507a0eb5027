import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWithNats } from '../helpers/nats-server.ts';

const RUN = fileURLToPath(new URL('../../chaos/run.ts', import.meta.url));

/** Runs the command; answers its exit code and what it printed. */
async function chaos(...args: string[]): Promise<{ code: number; text: string }> {
  const child = spawn(process.execPath, ['--conditions=@batchsender/source', RUN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      text += String(data);
    });
  }
  const [code] = (await once(child, 'close')) as [number];
  return { code, text };
}

describeWithNats('a short chaos run', () => {
  it('keeps every promise', async () => {
    const { code, text } = await chaos(
      '--jobs',
      '400',
      '--kills',
      '6',
      '--seed',
      '4',
      '--work',
      '50',
      '--gap',
      '1000',
    );
    expect(text).toContain('every promise was kept');
    expect(text).toMatch(/counters equal to the log +yes/);
    expect(code).toBe(0);
  }, 400_000);
});
