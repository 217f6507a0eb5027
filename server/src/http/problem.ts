import { ERROR_TABLE, type ProblemCode } from './error-table.ts';

/** One wrong place: a job by its index, a line of an upload, or a part of the request. */
export interface ProblemPlace {
  /** Index of the job in `jobs`, from 0. */
  readonly index?: number;
  /** Line of the upload, from 1; blank lines count. */
  readonly line?: number;
  /** JSON pointer; into the payload if there is an index or a line. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** An error's answer as RFC 9457 has it, `application/problem+json`. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  /** Finds the request in the server's log. */
  readonly requestId: string;
  readonly errors?: readonly ProblemPlace[];
}

/** What an {@link HttpProblem} may carry besides its code and detail. */
export interface ProblemOptions extends ErrorOptions {
  readonly errors?: readonly ProblemPlace[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error that becomes a problem answer as it is. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: ProblemCode;
  readonly errors: readonly ProblemPlace[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options);
    this.code = code;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }
}

/** The answer's body for a problem. */
export function problemBody(problem: HttpProblem, requestId: string): ProblemBody {
  const { status, title } = ERROR_TABLE[problem.code];
  return {
    type: `urn:batchsender:error:${problem.code}`,
    title,
    status,
    code: problem.code,
    detail: problem.message,
    requestId,
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
  };
}
