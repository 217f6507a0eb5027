import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BatchInput } from '../src/engine/api.ts';
import type { Tuning } from '../src/engine/tuning.ts';

const MAIN = fileURLToPath(new URL('./runner-main.ts', import.meta.url));

/** What a runner's process is told. */
export interface RunnerSetup {
  readonly database: string;
  readonly receiverUrl: string;
  readonly tuning?: Partial<Tuning>;
  readonly plugin?: { readonly concurrency?: number; readonly timeoutMs?: number };
  /** For SIGTERM. Default 10,000. */
  readonly graceMs?: number;
  /** Its wall clock jumps to and fro by so much. */
  readonly clockJumpMs?: number;
  /** It takes batches and runs nothing. */
  readonly idle?: boolean;
}

/** What a runner's process is asked for. */
export type RunnerOrder =
  | { readonly submit: BatchInput; readonly seal?: never }
  | { readonly seal: string; readonly submit?: never };

/** What a runner's process tells: one of these fields, or a line of its log. */
export interface RunnerMessage {
  readonly ready?: true;
  /** The id of the batch that was asked for. */
  readonly done?: string;
  readonly refused?: string;
  readonly stoppedInMs?: number;
  readonly level?: 'warn' | 'error';
  readonly message?: string;
  readonly error?: string;
}

/** An engine in a process of its own. */
export interface RunnerProcess {
  readonly child: ChildProcess;
  readonly messages: readonly RunnerMessage[];
  /** Its exit code or signal, when it has ended. */
  readonly ended: Promise<number | string>;
  /** Resolves when its engine has started; throws if it ends before. */
  ready(): Promise<void>;
  /** Lets it store or seal a batch. Answers the batch's id; undefined if it ended, or could not. */
  order(order: RunnerOrder): Promise<string | undefined>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | string>;
}

/** Starts one, with the failpoints that are given. */
export function startRunner(setup: RunnerSetup, failpoints?: string): RunnerProcess {
  const child = fork(MAIN, [JSON.stringify(setup)], {
    execArgv: ['--conditions=@batchsender/source'],
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'test',
      ...(failpoints === undefined ? {} : { BATCHSENDER_FAILPOINTS: failpoints }),
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Dates stay dates.
    serialization: 'advanced',
  });
  const messages: RunnerMessage[] = [];
  child.on('message', (message) => messages.push(message as RunnerMessage));
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const told = (find: (message: RunnerMessage) => boolean): Promise<RunnerMessage | undefined> =>
    Promise.race([
      ended.then(() => undefined),
      new Promise<RunnerMessage>((resolve) => {
        child.on('message', (message) => {
          if (find(message as RunnerMessage)) resolve(message as RunnerMessage);
        });
      }),
    ]);
  const ready = told((message) => message.ready === true);
  return {
    child,
    messages,
    ended,
    async ready() {
      if ((await ready) === undefined)
        throw new Error(`the runner ended by ${await ended} before it was ready`);
    },
    async order(order) {
      const answer = told((message) => message.done !== undefined || message.refused !== undefined);
      child.send(order, () => undefined);
      return (await answer)?.done;
    },
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}
