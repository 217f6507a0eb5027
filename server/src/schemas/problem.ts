import { Type } from 'typebox';
import { ERROR_TABLE, type ProblemCode } from '../http/error-table.ts';
import { COMPONENT } from './common.ts';

/** One wrong place. */
export const Place = Type.Object(
  {
    index: Type.Optional(Type.Integer({ minimum: 0, description: 'Index of the job in `jobs`, from 0.' })),
    line: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Line of the upload, from 1; blank lines count.' }),
    ),
    path: Type.String({ description: 'JSON pointer; into the payload if there is an index or a line.' }),
    code: Type.String(),
    message: Type.String(),
  },
  { [COMPONENT]: 'ProblemPlace' },
);

/** RFC 9457 problem details. */
export const Problem = Type.Object(
  {
    type: Type.String({ examples: ['urn:batchsender:error:invalid_payload'] }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'Stable; see the error reference.', examples: ['invalid_payload'] }),
    detail: Type.String(),
    requestId: Type.String({ description: 'Finds the request in the log of the server.' }),
    errors: Type.Optional(Type.Array(Place, { description: 'The places that are wrong, at most 100.' })),
  },
  { [COMPONENT]: 'Problem' },
);

/** Codes that every call with an API key may answer. */
const COMMON: readonly ProblemCode[] = [
  'invalid_query',
  'unauthorized',
  'internal_error',
  'database_unavailable',
];

/** Codes that calls with a JSON body may answer. */
export const BODY_PROBLEMS: readonly ProblemCode[] = [
  'malformed_json',
  'forbidden_key',
  'body_too_large',
  'unsupported_media_type',
  'invalid_request',
];

/** Codes that calls with an `Idempotency-Key` may answer. */
export const IDEMPOTENCY_PROBLEMS: readonly ProblemCode[] = [
  'invalid_idempotency_key',
  'idempotency_in_progress',
  'idempotency_key_lost',
  'idempotency_key_reused',
];

/** A response of problems with one status. */
export interface ProblemResponse {
  readonly description: string;
  readonly content: { readonly 'application/problem+json': { readonly schema: typeof Problem } };
}

/** The error responses of a call, by status, for these codes and the common ones. */
export function problems(...codes: readonly ProblemCode[]): Record<string, ProblemResponse> {
  return problemsOnly(...COMMON, ...codes);
}

/** The error responses of a public call. */
export function problemsOnly(...codes: readonly ProblemCode[]): Record<string, ProblemResponse> {
  const byStatus = Map.groupBy(codes, (code) => ERROR_TABLE[code].status);
  const responses = [...byStatus].map(([status, group]) => {
    const description = group.map((code) => `\`${code}\`: ${ERROR_TABLE[code].title}.`).join(' ');
    return [
      String(status),
      { description, content: { 'application/problem+json': { schema: Problem } } },
    ] as const;
  });
  return Object.fromEntries(responses);
}
