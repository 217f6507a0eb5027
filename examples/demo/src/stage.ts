import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from './api.ts';
import { type HttpReceiver, startHttpReceiver } from './http-receiver.ts';
import { SHOP_SHARES } from './orders.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { type SmtpReceiver, startSmtpReceiver } from './smtp-receiver.ts';
import { countOf } from './spread.ts';

/** Who is written to, and called. */
export interface Receivers {
  readonly mail: SmtpReceiver;
  readonly shops: HttpReceiver;
}

/** The server, ready to take batches. */
export interface Host {
  readonly url: string;
  readonly api: Api;
  readonly server: ServerProcess;
}

/** The busy shop needs some seconds for all of its calls, however many there are. */
const BUSY_SECONDS = 4;

/** Starts the mail server and the shops. `resources` takes what must be closed again. */
export async function startReceivers(jobs: number, resources: AsyncDisposableStack): Promise<Receivers> {
  const mail = await startSmtpReceiver();
  resources.defer(() => mail.close());
  const busyJobs = countOf(SHOP_SHARES, 'busy', jobs);
  const shops = await startHttpReceiver({ busyPerSecond: Math.max(2, Math.ceil(busyJobs / BUSY_SECONDS)) });
  resources.defer(() => shops.close());
  return { mail, shops };
}

/** Starts the server with a database in a temporary folder. `resources` takes what must be ended again. */
export async function startHost(
  smtpPort: number,
  resources: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Host> {
  signal.throwIfAborted();
  const folder = mkdtempSync(join(tmpdir(), 'batchsender-demo-'));
  resources.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  // As root, Postgres runs as another user, who has to reach this folder.
  chmodSync(folder, 0o755);
  const apiKey = `bs_${randomBytes(24).toString('hex')}`;
  const server = startServer(serverEnv({ apiKey, dataDir: join(folder, 'data'), smtpPort }));
  resources.defer(() => server.stop());
  const url = await server.ready;
  return { server, url, api: new Api(url, apiKey, signal) };
}

/** The settings with which the server starts; server/README.md explains them. */
function serverEnv(options: { apiKey: string; dataDir: string; smtpPort: number }): Record<string, string> {
  return {
    PORT: '0',
    BATCHSENDER_DATA: options.dataDir,
    BATCHSENDER_API_KEY: options.apiKey,
    // The receivers are on this machine; by default only public addresses are called.
    BATCHSENDER_ALLOW_NETWORKS: '127.0.0.0/8',
    // So that nobody has to wait for the retries.
    BATCHSENDER_RETRY_BASE_MS: '800',
    BATCHSENDER_EMAIL_SMTP_HOST: '127.0.0.1',
    BATCHSENDER_EMAIL_SMTP_PORT: String(options.smtpPort),
    BATCHSENDER_EMAIL_SMTP_REPLY_TIMEOUT_MS: '2500',
  };
}
