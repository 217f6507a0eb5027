import { once } from 'node:events';
import { lastCpuMs, type Setting, type Task } from '../contestants/contestant.ts';
import { entry } from '../contestants/registry.ts';
import { GO, WARM } from './child.ts';

/** The process of one task: `child-main.ts CONTESTANT TASK SETTING [SETTING-TO-WARM-UP]`. */
// The benchmark was stopped: nobody waits for the answer any more.
process.on('disconnect', () => process.exit(1));

const [name = '', task = '', setting = '{}', warmUp] = process.argv.slice(2);
const contestant = await entry(name).load();
const method = contestant[task as Task];
if (method === undefined) throw new Error(`${name} has no task '${task}'`);
if (warmUp !== undefined) {
  await method(JSON.parse(warmUp) as Setting);
  process.send?.(WARM);
  const [order] = (await once(process, 'message')) as unknown[];
  if (order !== GO) throw new Error(`Not understood: ${String(order)}`);
}
const answer = await method(JSON.parse(setting) as Setting);
process.send?.({ answer: answer ?? null, cpuMs: lastCpuMs }, () => process.exit(0));
