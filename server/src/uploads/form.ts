import type { Multipart, MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { gunzipped } from '../http/gunzip.ts';
import { parseJsonBody } from '../http/json-body.ts';
import { HttpProblem } from '../http/problem.ts';
import { validationProblems } from '../http/validation-problems.ts';
import { BatchBody } from '../schemas/batch.ts';
import { fileChunks, formParts, invalidForm, MAX_FIELD_BYTES, textOf } from './form-parts.ts';
import { formatOf, type UploadFormat } from './format.ts';
import type { RowSource } from './receive-rows.ts';

/** A form up to its file. */
export interface UploadForm {
  readonly batch: Static<typeof BatchBody>;
  /** The file's rows. They must be read to the end before {@link UploadForm.end}. */
  readonly source: RowSource;
  /** Reads behind the file. @throws HttpProblem `invalid_multipart` if there is more. */
  end(): Promise<void>;
}

const ORDER = 'Send first the field "batch" (JSON) and the options, last the file as "file".';

const validator = Compile(BatchBody);

/** Reads a form up to its file. @throws HttpProblem `invalid_multipart`, `malformed_json`, `invalid_request`. */
export async function readForm(request: FastifyRequest): Promise<UploadForm> {
  const parts = formParts(request);
  const parameters: Record<string, unknown> = { ...(request.query as object) };
  let batch: UploadForm['batch'] | undefined;
  for (;;) {
    const { value: part, done } = await parts.next();
    if (done === true) throw invalidForm(`The form has no file. ${ORDER}`);
    if (part.fieldname === 'batch') {
      if (batch !== undefined) throw invalidForm('The form has two batches.');
      batch = await batchOf(request, part);
    } else if (part.type === 'file') {
      checkFile(part, batch !== undefined);
      return form(request, { parts, part, batch: batch as UploadForm['batch'], parameters });
    } else {
      addParameter(parameters, part.fieldname, String(part.value));
    }
  }
}

function checkFile({ fieldname }: MultipartFile, hasBatch: boolean): void {
  if (fieldname !== 'file') throw invalidForm(`The file is called ${JSON.stringify(fieldname)}. ${ORDER}`);
  if (!hasBatch) throw invalidForm(`The file comes before the batch. ${ORDER}`);
}

/** Reads a whole form into the hash of a repeated request. */
export async function readFormRest(request: FastifyRequest): Promise<void> {
  for await (const part of formParts(request)) {
    if (part.type !== 'file') continue;
    for await (const _chunk of fileChunks(request, part));
  }
}

interface OpenForm {
  readonly parts: AsyncGenerator<Multipart>;
  readonly part: MultipartFile;
  readonly batch: UploadForm['batch'];
  readonly parameters: Record<string, unknown>;
}

function form(request: FastifyRequest, { parts, part, batch, parameters }: OpenForm): UploadForm {
  const { format, isGzip } = formatOfFile(part);
  const chunks = fileChunks(request, part);
  return {
    batch,
    source: { format, parameters, chunks: isGzip ? gunzipped(chunks) : chunks },
    end: async () => {
      // What a decompressor left unread belongs to the hash too.
      for await (const _chunk of chunks);
      const { value: extra, done } = await parts.next();
      if (done === true) return;
      throw invalidForm(`The field ${JSON.stringify(extra.fieldname)} comes after the file. ${ORDER}`);
    },
  };
}

function formatOfFile(part: MultipartFile): { format: UploadFormat; isGzip: boolean } {
  const isGzip = /\.gz$/i.test(part.filename);
  const name = part.filename.replace(/\.gz$/i, '').toLowerCase();
  let format = formatOf(part.mimetype);
  if (name.endsWith('.csv')) format ??= 'csv';
  if (/\.(ndjson|jsonl)$/.test(name)) format ??= 'ndjson';
  if (format !== undefined) return { format, isGzip };
  throw invalidForm(
    'The file is neither text/csv nor application/x-ndjson. Call it .csv, .ndjson or .jsonl (or one of these with .gz), or give its type.',
  );
}

function addParameter(parameters: Record<string, unknown>, name: string, value: string): void {
  if (!/^(delimiter|encoding|onInvalid|map\..+)$/.test(name)) {
    throw invalidForm(
      `There is no field ${JSON.stringify(name)}. The fields are batch, delimiter, encoding, onInvalid, map.<column> and file.`,
    );
  }
  if (Object.hasOwn(parameters, name)) throw invalidForm(`The field ${JSON.stringify(name)} is there twice.`);
  parameters[name] = value;
}

async function batchOf(request: FastifyRequest, part: Multipart): Promise<UploadForm['batch']> {
  const body = parseJsonBody(
    part.type === 'file' ? await buffered(request, part) : Buffer.from(textOf(part.value)),
  );
  if (!validator.Check(body)) {
    const errors = validationProblems(validator.Errors(body));
    const detail = `The batch is not valid: ${errors[0]?.path || '/'}: ${errors[0]?.message}`;
    throw new HttpProblem('invalid_request', detail, { errors });
  }
  if (body.jobs === undefined) return body;
  throw invalidForm('The batch has "jobs" beside a file. Put all of the jobs into the file.');
}

async function buffered(request: FastifyRequest, part: MultipartFile): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of fileChunks(request, part)) {
    size += chunk.length;
    if (size > MAX_FIELD_BYTES) throw invalidForm(`The batch has more than ${MAX_FIELD_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
