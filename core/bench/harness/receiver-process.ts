import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAINS = {
  webhook: new URL('./webhook-receiver.ts', import.meta.url),
  mail: new URL('./mail-receiver.ts', import.meta.url),
  vendor: new URL('./vendor-receiver.ts', import.meta.url),
} as const;

/** The receiver as the benchmark sees it. */
export interface Receiver {
  readonly url: string;
  /** Calls or mails since the last time that it was asked. */
  take(): Promise<number>;
  close(): void;
}

/** `delayMs`: how long it takes to answer; a vendor only. */
export async function startReceiver(kind: keyof typeof MAINS, delayMs = 0): Promise<Receiver> {
  const child = fork(fileURLToPath(MAINS[kind]), [String(delayMs)], { execArgv: [] });
  const { url } = await answer<{ url: string }>(child);
  return {
    url,
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
