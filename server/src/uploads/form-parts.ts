import type { Multipart, MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { bodyChunks } from '../http/body-chunks.ts';
import { noteBody } from '../http/idempotency.ts';
import { HttpProblem } from '../http/problem.ts';

/** Longest field of a form, the batch included, in bytes. */
export const MAX_FIELD_BYTES = 1024 * 1024;

/** What a form may hold; the fields may be a mapping for each column. */
export const FORM_LIMITS = {
  fieldNameSize: 1_000,
  fieldSize: MAX_FIELD_BYTES,
  fields: 1_100,
  files: 3,
  parts: 1_200,
  fileSize: Number.POSITIVE_INFINITY,
};

/** A form that cannot be taken. */
export const invalidForm = (detail: string, cause?: unknown): HttpProblem =>
  new HttpProblem('invalid_multipart', `${detail} Nothing was stored.`, { cause });

/**
 * The parts of a form in their order. Names, fields and file names go into the hash of the
 * request; the bytes of a file by {@link fileChunks}. The boundary, which is drawn anew for each
 * request, does not.
 * @throws HttpProblem `invalid_multipart`.
 */
export async function* formParts(request: FastifyRequest): AsyncGenerator<Multipart> {
  try {
    for await (const part of request.parts()) {
      const { type, fieldname } = part;
      const content = part.type === 'file' ? [part.filename, part.mimetype] : [textOf(part.value)];
      noteBody(request, Buffer.from(`${JSON.stringify([type, fieldname, ...content])}\n`));
      if (part.type === 'field' && (part.valueTruncated || part.fieldnameTruncated)) {
        throw invalidForm(`The field ${JSON.stringify(fieldname)} is too long.`);
      }
      yield part;
    }
  } catch (error) {
    throw formProblem(error);
  }
}

/** The text of a field; one of the type application/json comes parsed. @throws HttpProblem `invalid_multipart`. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? '';
  } catch (cause) {
    throw invalidForm('A field is nested too deep.', cause);
  }
}

/** The bytes of a file as they come, and into the hash of the request. */
export async function* fileChunks(request: FastifyRequest, part: MultipartFile): AsyncGenerator<Buffer> {
  for await (const chunk of bodyChunks(part.file)) {
    noteBody(request, chunk);
    yield chunk;
  }
}

const DETAILS: Readonly<Record<string, string>> = {
  FST_PARTS_LIMIT: 'The form has too many parts.',
  FST_FIELDS_LIMIT: 'The form has too many fields.',
  FST_FILES_LIMIT: 'The form has more than one file.',
  FST_PROTO_VIOLATION: 'The form has a field whose name is not allowed.',
  FST_INVALID_JSON_FIELD_ERROR: 'A field of the type application/json is no valid JSON.',
};

function formProblem(error: unknown): unknown {
  if (error instanceof HttpProblem) return error;
  const { code, message } = error as { code?: string; message?: string };
  const detail = code === undefined ? undefined : DETAILS[code];
  if (detail !== undefined) return invalidForm(detail, error);
  const isMalformed = /multipart|boundary|part header|terminated early|Unexpected end/i.test(message ?? '');
  return isMalformed ? invalidForm('The body is no valid multipart form, or ends too early.', error) : error;
}
