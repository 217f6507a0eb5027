import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The receiver as the benchmark sees it. */
export interface Receiver {
  readonly url: string;
  /** Requests since the last time that it was asked. */
  take(): Promise<number>;
  close(): void;
}

export async function startReceiver(): Promise<Receiver> {
  const child = fork(fileURLToPath(new URL('./receiver.ts', import.meta.url)), { execArgv: [] });
  const { port } = await answer<{ port: number }>(child);
  return {
    url: `http://127.0.0.1:${port}/hook`,
    take: async () => {
      child.send('count');
      return (await answer<{ received: number }>(child)).received;
    },
    close: () => {
      child.kill();
    },
  };
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message')) as [T];
  return message;
}
