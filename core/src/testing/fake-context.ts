import {
  type CallbackAnswer,
  guardedFetch,
  type Logger,
  type NetworkPolicy,
  type OpenContext,
} from '../plugin/index.ts';

/** One line that a provider logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string | undefined;
}

/** A context for tests, with what was logged and reported. */
export interface FakeOpenContext extends OpenContext {
  readonly lines: readonly LogLine[];
  readonly reported: readonly Pick<CallbackAnswer, 'events' | 'suppress' | 'lift'>[];
}

/** Test servers listen on this machine, which a host allows only if it is told so. */
const LOOPBACK: NetworkPolicy = { allow: ['127.0.0.0/8', '::1/128'] };

/**
 * A context whose `network` and `fetch` reach this machine besides the public internet, and
 * whose logger keeps its lines. With another `network`, `fetch` obeys that one.
 *
 * @example
 * const session = await provider.open({ apiKey: 'test-key' }, fakeOpenContext());
 */
export function fakeOpenContext(overrides: Partial<OpenContext> = {}): FakeOpenContext {
  const lines: LogLine[] = [];
  const reported: Parameters<OpenContext['report']>[0][] = [];
  const network = overrides.network ?? LOOPBACK;
  return {
    logger: memoryLogger(lines),
    connectionId: 'test-connection',
    fetch: guardedFetch(network),
    callbackUrl: (jobId) => `https://batchsender.example/v1/callbacks/test?job=${jobId}`,
    report: (answer) => {
      reported.push(answer);
    },
    ...overrides,
    network,
    lines,
    reported,
  };
}

function memoryLogger(lines: LogLine[]): Logger {
  const at = (level: LogLine['level']) => (fields: object, message?: string) => {
    lines.push({ level, fields, message });
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
