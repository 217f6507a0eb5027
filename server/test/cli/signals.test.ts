import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { onStopSignal } from '../../src/cli/signals.ts';

test('the first signal stops, a second one stops at once, and an echo of the first one is none', async () => {
  const source = new EventEmitter();
  const seen: string[] = [];
  onStopSignal(
    source,
    () => seen.push('stop'),
    () => seen.push('now'),
  );
  source.emit('SIGINT');
  source.emit('SIGINT');
  source.emit('SIGTERM');
  expect(seen).toEqual(['stop']);
  await sleep(600);
  source.emit('SIGINT');
  expect(seen).toEqual(['stop', 'now']);
});
