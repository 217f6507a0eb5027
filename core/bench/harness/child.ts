import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Setting, Task } from '../contestants/contestant.ts';
import { NODE_FLAGS } from './node-flags.ts';

/** A task that takes longer hangs: the slowest one known takes some 20 s. */
const TASK_WITHIN_MS = 300_000;

/** What the child says when it has warmed up, and what it waits for then. */
export const WARM = 'warm';
export const GO = 'go';

const MAIN = fileURLToPath(new URL('./child-main.ts', import.meta.url));

/** How long a task took, and the CPU time of its process, where that is the one that did the work. */
export interface Timing {
  readonly ms: number;
  readonly cpuMs?: number;
}

interface Outcome {
  readonly answer: unknown;
  readonly cpuMs?: number;
}

/** Runs one task of one contestant in a fresh process, so that no heap or warm code disturbs another. */
export async function runTask(contestant: string, task: Task, setting: Setting): Promise<unknown> {
  return (await runChild(contestant, task, setting)).answer;
}

/** What is done before a task is timed. */
export interface WarmUp {
  /** The task is done with this first, in the same process. Its jobs are there. */
  readonly setting: Setting;
  /** Called between the two: brings the tables to where the timed task begins. */
  ready(): Promise<void>;
}

/** A task that answers its time. */
export async function runTimed(
  contestant: string,
  task: Task,
  setting: Setting,
  warmUp?: WarmUp,
): Promise<Timing> {
  const { answer, cpuMs } = await runChild(contestant, task, setting, warmUp);
  if (typeof answer !== 'number') throw new Error(`${contestant} answered no time for ${task}`);
  return { ms: answer, ...(cpuMs === undefined ? {} : { cpuMs }) };
}

function runChild(contestant: string, task: Task, setting: Setting, warmUp?: WarmUp): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const settings = warmUp === undefined ? [setting] : [setting, warmUp.setting];
    const child = fork(MAIN, [contestant, task, ...settings.map((each) => JSON.stringify(each))], {
      execArgv: [...NODE_FLAGS],
      timeout: TASK_WITHIN_MS,
      killSignal: 'SIGKILL',
    });
    let outcome: Outcome = { answer: undefined };
    child.on('message', (message) => {
      if (message !== WARM) outcome = message as Outcome;
      else warmUp?.ready().then(() => child.send(GO), reject);
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code === 0) resolve(outcome);
      else if (signal === 'SIGKILL')
        reject(new Error(`${contestant} took longer than ${TASK_WITHIN_MS} ms to ${task}`));
      else reject(new Error(`${contestant} failed at ${task} (exit code ${code}); its message stands above`));
    });
  });
}

export async function runNumber(contestant: string, task: Task, setting: Setting): Promise<number> {
  const answer = await runTask(contestant, task, setting);
  if (typeof answer !== 'number') throw new Error(`${contestant} answered no number for ${task}`);
  return answer;
}

export async function runNumbers(contestant: string, task: Task, setting: Setting): Promise<number[]> {
  const answer = await runTask(contestant, task, setting);
  if (!Array.isArray(answer)) throw new Error(`${contestant} answered no list for ${task}`);
  return answer as number[];
}
