import { type Provider, type Session, scrubText } from '../../plugin/index.ts';
import { InvalidCredentialsError, openSession, type SessionContext } from '../runner/open-session.ts';
import type { ConnectionTest } from './api.ts';
import type { OpenedConnection } from './opened.ts';

/** A provider gets this long to open and to answer, in milliseconds. */
const TIMEOUT_MS = 10_000;

export interface TestedConnection {
  readonly type: string;
  readonly providerName: string;
  readonly provider: Provider;
  readonly pluginName: string;
  readonly opened: OpenedConnection;
}

type Verdict = { readonly code: string; readonly message: string };

/** Opens a session and asks the provider whether the credentials work. Never throws. */
export async function testConnection(
  context: SessionContext,
  { opened, ...target }: TestedConnection,
): Promise<ConnectionTest> {
  const startedAt = performance.now();
  const { connectionId, credentials, hide } = opened;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const verdict = await within(
    signal,
    ask(() => openSession(context, { ...target, connectionId, credentials }), signal),
  );
  const latencyMs = Math.round(performance.now() - startedAt);
  if (verdict === undefined) return { ok: true, code: null, message: null, latencyMs };
  const message = scrubText(hide?.(verdict.message) ?? verdict.message);
  return { ok: false, code: verdict.code, message, latencyMs };
}

async function ask(open: () => Promise<Session>, signal: AbortSignal): Promise<Verdict | undefined> {
  let session: Session | undefined;
  try {
    session = await open();
    return await session.health?.(signal);
  } catch (error) {
    return verdictOf(error);
  } finally {
    // Nobody hears of a session that does not close.
    await Promise.resolve(session?.close?.()).catch(() => undefined);
  }
}

function verdictOf(error: unknown): Verdict {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const invalid = error instanceof InvalidCredentialsError ? 'invalid_credentials' : undefined;
  return {
    code: invalid ?? (typeof code === 'string' && code !== '' ? code.toLowerCase() : 'health_failed'),
    message: typeof message === 'string' ? message : String(error),
  };
}

/** A provider that does not obey its signal is not waited for. */
function within(signal: AbortSignal, work: Promise<Verdict | undefined>): Promise<Verdict | undefined> {
  const late = {
    code: 'timeout',
    message: `The provider did not answer within ${TIMEOUT_MS / 1_000} seconds`,
  };
  const { promise, resolve } = Promise.withResolvers<Verdict | undefined>();
  signal.addEventListener('abort', () => resolve(late), { once: true });
  work.then(resolve, () => resolve(late));
  return promise;
}
