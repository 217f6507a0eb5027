import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Channel, openChannel } from '../../src/processes/channel.ts';
import type { AskedOfChild, AskedOfParent } from './protocol.ts';

let child: ChildProcess;
let channel: Channel<AskedOfChild, AskedOfParent>;
beforeEach(() => {
  const entry = fileURLToPath(new URL('./fixtures/echo-child.ts', import.meta.url));
  child = fork(entry, { execArgv: ['--conditions=@batchsender/source'] });
  channel = openChannel(child);
  channel.serve('add', ({ a, b }) => a + b);
});
afterEach(() => {
  child.kill('SIGKILL');
});

test('both sides ask and answer, many questions at once', async () => {
  expect(await Promise.all([1, 2, 3].map((n) => channel.ask('double', n)))).toEqual([2, 4, 6]);
  expect(await channel.ask('askBack', 4)).toBe(50);
});

test('an error comes back with its name and message', async () => {
  await expect(channel.ask('fail', 'no plugin')).rejects.toMatchObject({
    name: 'StartError',
    message: 'no plugin',
  });
});

test('a question that nobody serves is refused', async () => {
  await expect(channel.ask('unheardOf' as 'double', 1)).rejects.toThrow('Nobody answers "unheardOf" here');
});

test('an answer that does not come in time is an error, and so is the end of the other side', async () => {
  await expect(channel.ask('silence', null, 50)).rejects.toThrow(/did not answer within 50 ms/);
  const waiting = channel.ask('silence', null);
  channel.tell('end', null);
  await expect(waiting).rejects.toMatchObject({ name: 'ChannelError', message: 'The other process is gone' });
  await expect(channel.ask('double', 1)).rejects.toThrow('The other process is gone');
});
