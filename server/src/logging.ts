import { type DestinationStream, type Logger, pino } from 'pino';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the log tells of an error. */
export interface LoggedError {
  readonly type: string;
  readonly code?: string;
  readonly message?: string;
  readonly stack?: readonly string[];
  readonly cause?: LoggedError;
}

/** Classes whose messages come from the language and quote no data. */
const SAFE_TYPES = new Set(['TypeError', 'ReferenceError', 'RangeError', 'AssertionError']);

/**
 * Describes an error without its message, unless the message is known to quote no input: what a
 * database or a parser says may hold a payload, an address or a password.
 */
export function safeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as { code?: unknown };
  const isSystemError = 'syscall' in error;
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(isSystemError || SAFE_TYPES.has(error.name) ? { message: error.message } : {}),
    stack: framesOf(error),
    ...(error.cause === undefined || depth > 3 ? {} : { cause: safeError(error.cause, depth + 1) }),
  };
}

// The stack begins with the message, which may have many lines; the frames come after it.
function framesOf(error: Error): readonly string[] {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at .*(:\d+:\d+\)?|<anonymous>\)?|native\)?)$/.test(line))
    .map((line) => line.trim());
}

/** The server's logger: JSON lines without secrets, payloads or addresses. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: safeError, error: safeError, req: nothing, res: nothing },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

const nothing = (): undefined => undefined;
