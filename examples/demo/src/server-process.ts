import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../server/src/main.ts', import.meta.url));

/** The server finds its plugins in the package.json of this folder. */
const FOLDER = fileURLToPath(new URL('..', import.meta.url));

/** Calls in flight get 20 s from the server when it stops; then its database stops. */
const STOP_MS = 30_000;

/** Lines of the server's log that are shown if it ends by itself. */
const LAST_LINES = 8;

/** What of our own environment the server may see: nobody's settings leak into the demo. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'LANG', 'TZ'];

/** The server, as a process of its own. */
export interface ServerProcess {
  /** Its URL, as soon as it is ready. Rejects if it ends before. */
  readonly ready: Promise<string>;
  /** Rejects if it ends before it was stopped. */
  readonly ended: Promise<never>;
  /** Stops it gracefully; after 30 s by force. */
  stop(): Promise<void>;
}

/** Starts the server with these variables in its environment, and few others. */
export function startServer(env: Readonly<Record<string, string>>): ServerProcess {
  const inherited = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const child = spawn(process.execPath, ['--conditions=@batchsender/source', MAIN], {
    cwd: FOLDER,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stopping = false;
  const { promise: ready, resolve: isReady } = Promise.withResolvers<string>();
  const lastLines = watch(child, isReady);
  const closed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(`it ended by ${signal ?? `exit code ${code}`}`));
  });
  const ended = closed.then((how): Promise<never> => {
    if (stopping) return new Promise(() => undefined);
    throw new Error([`The server is gone: ${how}. The last lines of its log:`, ...lastLines].join('\n'));
  });
  ended.catch(() => undefined);
  return {
    ready: Promise.race([ready, ended]),
    ended,
    stop: async () => {
      stopping = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Reads the server's log: finds the line that says where it listens, and keeps the last ones. */
function watch(child: ChildProcess, isReady: (url: string) => void): readonly string[] {
  const lastLines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    if (input === null) continue;
    createInterface({ input }).on('line', (line) => {
      const url = /"url":"([^"]+)".*"msg":"BatchSender is ready"/.exec(line)?.[1];
      if (url !== undefined) isReady(url);
      if (lastLines.push(line) > LAST_LINES) lastLines.shift();
    });
  }
  return lastLines;
}
