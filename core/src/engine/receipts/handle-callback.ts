import {
  type CallbackAnswer,
  type CallbackContext,
  type CallbackRequest,
  refusedCallback,
} from '../../plugin/index.ts';
import type { CallbackResponse, CallbackTarget, IncomingCallback } from '../callbacks.ts';
import { BatchSenderError } from '../errors.ts';
import type { ConnectionFacts, FindConnection } from './connection-facts.ts';
import type { Receiver } from './receiver.ts';
import type { Refusals } from './refusals.ts';

export interface CallbackHost {
  readonly find: FindConnection;
  readonly receiver: Receiver;
  readonly refusals: Refusals;
  /** What all handlers are given. */
  readonly context: Pick<CallbackContext<unknown>, 'logger' | 'network' | 'fetch'>;
  readonly publicUrl: string | undefined;
  /** Time that a provider's handler has, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const NO_CONTENT: CallbackResponse = { status: 204 };

/**
 * Hands a provider's callback to its handler, and records what that reads in it before it answers.
 * @throws BatchSenderError `callback_not_found`, `callback_refused`, `callback_invalid`; anything else is a
 * fault of the plugin or the database: then the provider must send it again.
 */
export async function handleCallback(
  host: CallbackHost,
  target: CallbackTarget,
  incoming: IncomingCallback,
): Promise<CallbackResponse> {
  const connection = await host.find(target.connectionId);
  const callbacks = connection?.provider.callbacks;
  const { type, provider } = target;
  if (connection?.type !== type || connection.providerName !== provider || callbacks === undefined) {
    throw new BatchSenderError(
      'callback_not_found',
      `No provider '${provider}' of type '${type}' takes callbacks for this connection: check the URL that it was given`,
    );
  }
  const answer = await answerOf(host, connection, requestOf(host, incoming));
  await host.receiver.take(connection, answer);
  return answer.response ?? NO_CONTENT;
}

function requestOf({ publicUrl }: CallbackHost, incoming: IncomingCallback): CallbackRequest {
  const { method, path, headers, body } = incoming;
  const base = publicUrl ?? `http://${headers['host'] ?? 'localhost'}`;
  const url = URL.parse(base + path);
  if (url === null)
    throw new BatchSenderError('callback_invalid', 'The address of the callback is not a valid URL');
  return { method, url, headers, body };
}

async function answerOf(
  host: CallbackHost,
  connection: ConnectionFacts,
  request: CallbackRequest,
): Promise<CallbackAnswer> {
  const { connectionId, credentials, provider } = connection;
  const { timeoutMs = TIMEOUT_MS } = host;
  const context = { ...host.context, connectionId, credentials: credentials as never };
  try {
    return await within(timeoutMs, async () => {
      const answer = await provider.callbacks?.handle(request, context);
      if (typeof answer !== 'object' || answer === null) throw new Error('handle() answered no object');
      return answer;
    });
  } catch (error) {
    throw engineError(host, connection, error);
  }
}

/** What a handler threw, as the host is told of it. */
function engineError(host: CallbackHost, connection: ConnectionFacts, error: unknown): Error {
  const refused = refusedCallback(error);
  if (refused === undefined) return fault(host, connection, error);
  host.refusals.add(connection, 'callback.refused', refused.code, { message: refused.message });
  const code = refused.status === 401 ? 'callback_refused' : 'callback_invalid';
  return new BatchSenderError(code, refused.message);
}

/** The plugin is at fault. Its error's message may quote the body, as that of `JSON.parse` does: class and place must do. */
function fault({ context }: CallbackHost, connection: ConnectionFacts, error: unknown): Error {
  const { pluginName, type, providerName, connectionId } = connection;
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: undefined };
  const place = /^ {4}at .+$/m.exec(stack ?? '')?.[0].trim() ?? 'at an unknown place';
  const provider = `${type}.${providerName}`;
  context.logger.error(
    { plugin: pluginName, provider, connectionId, threw: name, place },
    'the handler of a callback failed: the provider will send it again',
  );
  return new Error(`Plugin ${pluginName}: callbacks.handle of ${provider} threw ${name} ${place}`);
}

async function within<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new CallbackTimeoutError()), timeoutMs);
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A handler took longer than it may. */
class CallbackTimeoutError extends Error {
  override readonly name = 'CallbackTimeoutError';
}
