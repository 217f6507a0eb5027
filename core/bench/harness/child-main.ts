import { lastCpuMs, type Setting, type Task } from '../contestants/contestant.ts';
import { entry } from '../contestants/registry.ts';

/** The process of one task: `child-main.ts CONTESTANT TASK SETTING`. */
// The benchmark was stopped: nobody waits for the answer any more.
process.on('disconnect', () => process.exit(1));

const [name = '', task = '', setting = '{}'] = process.argv.slice(2);
const contestant = await entry(name).load();
const method = contestant[task as Task];
if (method === undefined) throw new Error(`${name} has no task '${task}'`);
const answer = await method(JSON.parse(setting) as Setting);
process.send?.({ answer: answer ?? null, cpuMs: lastCpuMs }, () => process.exit(0));
