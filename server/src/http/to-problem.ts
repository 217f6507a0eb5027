import type { Problem } from '@batchsender/core';
import { isDatabaseDown, isDatabaseUnwritable } from './database-down.ts';
import { isProblemCode } from './error-table.ts';
import { HttpProblem, type ProblemPlace } from './problem.ts';

/** Seconds after which a client may ask again when the database or the runner is away. */
const RETRY_AFTER_S = '5';

/** What the mapping may know of the request. */
export interface RequestFacts {
  /** Content types that the route takes. */
  readonly accepts: readonly string[];
  readonly maxBodyBytes: number;
}

/** Turns any error into a problem; `internal_error` for what nobody expected. */
export function toProblem(error: unknown, facts: RequestFacts): HttpProblem {
  if (error instanceof HttpProblem) return error;
  return fromEngine(error) ?? fromFastify(error, facts) ?? fromDatabase(error) ?? internalError(error);
}

function fromDatabase(error: unknown): HttpProblem | undefined {
  if (isDatabaseDown(error)) return databaseDown(error);
  if (!isDatabaseUnwritable(error)) return undefined;
  return new HttpProblem(
    'database_unavailable',
    'The database takes no writes now: its disk is full, or it is read-only. Nothing was stored. Try again later.',
    { headers: { 'retry-after': RETRY_AFTER_S }, cause: error },
  );
}

/** The problem for a database that does not answer. */
export function databaseDown(cause?: unknown): HttpProblem {
  return new HttpProblem(
    'database_unavailable',
    'The database does not answer. Try again in a few seconds.',
    {
      headers: { 'retry-after': RETRY_AFTER_S },
      cause,
    },
  );
}

function internalError(cause: unknown): HttpProblem {
  return new HttpProblem('internal_error', 'The server could not do this. Its log has the request id.', {
    cause,
  });
}

// By code and not by class: two copies of core must do no harm.
function fromEngine(error: unknown): HttpProblem | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, problems } = error as { code?: unknown; problems?: readonly Problem[] };
  if (!isProblemCode(code)) return undefined;
  return new HttpProblem(code, error.message, {
    cause: error,
    ...(problems === undefined ? {} : { errors: problems satisfies readonly ProblemPlace[] }),
    ...(code === 'engine_stopped' ? { headers: { 'retry-after': RETRY_AFTER_S } } : {}),
  });
}

function fromFastify(error: unknown, facts: RequestFacts): HttpProblem | undefined {
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HttpProblem(
        'body_too_large',
        facts.accepts.includes('application/json')
          ? `A JSON body may have ${facts.maxBodyBytes} bytes. Send many jobs as NDJSON to POST /v1/batches/{id}/jobs.`
          : `A body may have ${facts.maxBodyBytes} bytes here.`,
      );
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new HttpProblem(
        'unsupported_media_type',
        `This address takes ${facts.accepts.join(' or ')}. Set the content-type header to it.`,
      );
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new HttpProblem(
        'malformed_request',
        'The body is not as long as the content-length header says.',
      );
    case 'FST_ERR_BAD_URL':
      return new HttpProblem('malformed_request', 'The path is not valid: check its percent-encoding.');
    default:
      return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 && isFastifyCode(code)
        ? new HttpProblem('malformed_request', (error as Error).message)
        : undefined;
  }
}

const isFastifyCode = (code: unknown): boolean => typeof code === 'string' && code.startsWith('FST_ERR_');
