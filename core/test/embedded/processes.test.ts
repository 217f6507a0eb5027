import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { isAlive, parsePs, parseStat, processInfo, waitForEnd } from '../../src/embedded/processes.ts';
import { makeZombie } from '../helpers/embedded.ts';

it('reads state and start time behind a name full of spaces and parentheses', () => {
  const stat = `7 (a) S (b) R ${Array.from({ length: 30 }, (_, index) => index).join(' ')}`;
  expect(parseStat(stat)).toEqual({ state: 'R', startedAt: '18' });
});

it('reads what ps prints', () => {
  const line = execFileSync('ps', ['-ww', '-o', 'stat=,lstart=,command=', '-p', String(process.pid)], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const parsed = parsePs(line);
  expect(parsed?.command).toContain('node');
  expect(Date.parse(parsed?.startedAt ?? '')).toBeLessThan(Date.now() + 60_000);
  expect(parsePs('')).toBeUndefined();
});

it('knows a living process, its end, and that a zombie is dead', async () => {
  const zombie = await makeZombie();
  const living = await processInfo(zombie.parent.pid ?? 0);
  const dying = await processInfo(zombie.pid);
  if (living === undefined || dying === undefined) throw new Error('both should have lived');
  expect(await isAlive(living)).toBe(true);
  expect(await isAlive({ ...living, startedAt: 'at another time' })).toBe(false);
  expect(await waitForEnd(dying, 5_000)).toBe(true);
  expect(() => process.kill(zombie.pid, 0)).not.toThrow();
  expect(await waitForEnd(living, 50)).toBe(false);
  zombie.parent.kill('SIGKILL');
  expect(await waitForEnd(living, 5_000)).toBe(true);
});
