import { setTimeout as sleep } from 'node:timers/promises';
import { brokenSession, defineProvider, failed, type JobResult, throttled } from '@batchsender/core/plugin';
import { composeMessage, InvalidMessageError, type Message } from '../message/compose.ts';
import { plainTexts } from '../message/plain-text.ts';
import { EmailPayload } from '../payload.ts';
import { callbacks } from './callbacks.ts';
import { openConnection } from './connection.ts';
import { DEFAULT_CONNECTIONS, SmtpCredentials } from './credentials.ts';
import { deliver } from './deliver.ts';
import { GUARANTEE, judgeSetup } from './judge.ts';
import { Pace } from './pace.ts';
import { Pool } from './pool.ts';
import { type SmtpSettings, settingsOf } from './settings.ts';

/**
 * Time for a call. RFC 5321, section 4.5.3.2 asks for ten minutes at the end of a message, for
 * a reply that is not waited for leaves a mail of which nobody knows. Two minutes are a compromise.
 */
const TIMEOUT_MS = 120_000;

/** A server must wait five minutes for a command (RFC 5321, section 4.5.3.2.7); many wait less. */
const IDLE_MS = 30_000;

/** Longest wait for the pace inside a call; what must wait longer is given back to the engine. */
const PACE_LIMIT_MS = 1_000;

/** Sends over SMTP. */
export const smtp = defineProvider({
  title: 'SMTP',
  payload: EmailPayload,
  credentials: SmtpCredentials,
  guarantee: GUARANTEE,
  // A call for each connection: one that waited for a connection would be in doubt after a crash (E7).
  concurrency: ({ maxConnections = DEFAULT_CONNECTIONS }) => maxConnections,
  timeoutMs: TIMEOUT_MS,
  // All jobs of a connection go to the one server of its settings.
  endpointKey: 'server',
  open(credentials, { network }) {
    const settings = settingsOf(credentials);
    if (typeof settings === 'string') return brokenSession(settings);
    const open = (signal: AbortSignal) =>
      openConnection(
        settings,
        network,
        AbortSignal.any([signal, AbortSignal.timeout(settings.connectTimeoutMs)]),
      );
    const pool = new Pool({ ...settings, idleMs: IDLE_MS, resetTimeoutMs: 5_000, open });
    const pace = new Pace(settings.maxPerSecond);
    const plainText = plainTexts();
    return {
      async process({ payload }, { idempotencyKey, signal }): Promise<JobResult> {
        const waitMs = pace.take(performance.now(), PACE_LIMIT_MS);
        if (waitMs > PACE_LIMIT_MS) return throttled(waitMs, { code: 'rate_limited' });
        const message = await compose(payload, { idempotencyKey, plainText, tagHeader: settings.tagHeader });
        if ('status' in message) return message;
        // An abort while waiting is found by the next step.
        if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
        return deliver(pool, message, senderOf(settings, message, idempotencyKey), signal);
      },
      health: (signal) => check(open, signal),
      close: () => pool.close(),
    };
  },
  callbacks,
});

function senderOf({ envelopeFrom }: SmtpSettings, { from }: Message, idempotencyKey: string): string {
  return envelopeFrom?.(idempotencyKey) ?? from.address;
}

async function compose(...parameters: Parameters<typeof composeMessage>): Promise<Message | JobResult> {
  try {
    return await composeMessage(...parameters);
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    return failed(error.code, { message: error.message });
  }
}

async function check(
  open: (signal: AbortSignal) => ReturnType<typeof openConnection>,
  signal: AbortSignal,
): Promise<{ code: string; message: string } | undefined> {
  try {
    const connection = await open(signal);
    connection.quit();
    setTimeout(() => connection.close(), 1_000).unref();
    return undefined;
  } catch (error) {
    const { code = 'server_unavailable', message } = judgeSetup(error) as { code?: string; message?: string };
    return { code, message: message ?? 'The server asks for patience' };
  }
}
