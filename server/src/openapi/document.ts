import type { RegisteredModule } from '@batchsender/core';
import { CSV_TYPE, FORM_TYPE, NDJSON_TYPES } from '../uploads/format.ts';
import { hoistComponents } from './components.ts';
import { bodyUnion, payloadComponents } from './payload-components.ts';
import type { Json, JsonRecord } from './plain-schema.ts';

/** The parts of the document that are the same for every server. */
export const DOCUMENT = {
  openapi: '3.1.0' as const,
  info: {
    title: 'BatchSender',
    description:
      'Delivers large batches of jobs through plugins, and knows what became of every single job. ' +
      'Errors are `application/problem+json` with a stable `code`.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  tags: [
    { name: 'Modules', description: 'What this server can deliver.' },
    { name: 'Batches', description: 'Create, fill and read batches.' },
    { name: 'Steering', description: 'Seal, pause, resume, cancel, retry.' },
    { name: 'Jobs', description: 'Single jobs, and the fate of each.' },
    { name: 'Connections', description: 'What the jobs are sent through.' },
    { name: 'Suppressions', description: 'Whom nothing is sent to.' },
    { name: 'Audit', description: 'Who did what.' },
    { name: 'Health', description: 'For load balancers.' },
  ],
  security: [{ bearer: [] as string[] }],
};

export const SECURITY_SCHEMES = {
  bearer: { type: 'http' as const, scheme: 'bearer', description: 'The API key, `bs_…`.' },
};

const IDEMPOTENT = ['createBatch', 'createJob', 'uploadJobs', 'createConnection'];

const IDEMPOTENCY_HEADER: JsonRecord = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'A repeat with the same key and the same body gets the first answer, for 24 hours.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

// Its keys are the parameters: `?map.E-Mail=to`.
const MAPPING: JsonRecord = {
  name: 'map',
  in: 'query',
  required: false,
  style: 'form',
  explode: true,
  description: 'Of a CSV: `map.<column>=<field>` sends a column to a field, `map.<column>=` leaves it out.',
  schema: { type: 'object', additionalProperties: { type: 'string' } },
  example: { 'map.E-Mail': 'to', 'map.Notes': '' },
};

/** Completes the document that Fastify's plugin collected: payload unions, upload, components. */
export function completeDocument(collected: object, modules: readonly RegisteredModule[]): JsonRecord {
  const { node, components } = hoistComponents(JSON.parse(JSON.stringify(collected)) as Json);
  const document = node as JsonRecord;
  const bodies = payloadComponents(modules, bodyOf(document, 'createBatch'), bodyOf(document, 'createJob'));
  const schemas = { ...Object.fromEntries(components), ...bodies };
  return {
    ...document,
    paths: mapOperations(document['paths'] as JsonRecord, (operation) =>
      completeOperation(operation, modules),
    ),
    components: { ...(document['components'] as JsonRecord), schemas },
  };
}

function completeOperation(operation: JsonRecord, modules: readonly RegisteredModule[]): JsonRecord {
  const id = String(operation['operationId']);
  const parameters = (operation['parameters'] ?? []) as readonly Json[];
  const more = [
    ...(IDEMPOTENT.includes(id) ? [IDEMPOTENCY_HEADER] : []),
    ...(id === 'uploadJobs' ? [MAPPING] : []),
  ];
  const withHeader = more.length > 0 ? { ...operation, parameters: [...parameters, ...more] } : operation;
  const body = requestBody(id, modules);
  return body === undefined ? withHeader : { ...withHeader, requestBody: body };
}

function requestBody(operationId: string, modules: readonly RegisteredModule[]): JsonRecord | undefined {
  if (operationId === 'uploadJobs') return uploadBody();
  if (operationId === 'retryBatch' || modules.length === 0) return undefined;
  if (operationId === 'createBatch') return batchBody(modules);
  if (operationId === 'createJob') return jsonBody(bodyUnion(modules, 'Job'));
  return undefined;
}

const jsonBody = (schema: JsonRecord): JsonRecord => ({
  required: true,
  content: { 'application/json': { schema } },
});

function batchBody(modules: readonly RegisteredModule[]): JsonRecord {
  const batch = bodyUnion(modules, 'Batch');
  const properties = {
    batch: { ...batch, description: 'Without `jobs`. It comes first.' },
    onInvalid: { type: 'string', enum: ['fail', 'skip'] },
    delimiter: { type: 'string', description: 'Of a CSV, as in the query of an upload.' },
    encoding: { type: 'string', description: 'Of a CSV, as in the query of an upload.' },
    file: {
      type: 'string',
      format: 'binary',
      description: 'The jobs, by type or name: .csv, .ndjson, .jsonl, also with .gz. It comes last.',
    },
  };
  const form = {
    type: 'object',
    required: ['batch', 'file'],
    properties,
    additionalProperties: { type: 'string', description: '`map.<column>`: the field of a column.' },
  };
  const { content, ...body } = jsonBody(batch);
  return { ...body, content: { ...(content as JsonRecord), [FORM_TYPE]: { schema: form } } };
}

function uploadBody(): JsonRecord {
  const ndjson = { type: 'string', description: "One JSON object a line: the fields of the type's payload." };
  const csv = { type: 'string', description: 'A header row, then a job a row. Empty cells are left out.' };
  const content = Object.fromEntries(NDJSON_TYPES.map((type) => [type, { schema: ndjson as Json }]));
  return { required: true, content: { ...content, [CSV_TYPE]: { schema: csv } } };
}

function bodyOf(document: JsonRecord, operationId: string): JsonRecord {
  for (const [, item] of Object.entries(document['paths'] as JsonRecord)) {
    for (const operation of Object.values(item as JsonRecord) as JsonRecord[]) {
      if (operation['operationId'] !== operationId) continue;
      const content = (operation['requestBody'] as JsonRecord)['content'] as JsonRecord;
      return (content['application/json'] as JsonRecord)['schema'] as JsonRecord;
    }
  }
  throw new Error(`There is no operation ${operationId}.`);
}

function mapOperations(paths: JsonRecord, map: (operation: JsonRecord) => JsonRecord): JsonRecord {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => {
      const operations = Object.entries(item as JsonRecord).map(([method, op]) => [
        method,
        map(op as JsonRecord),
      ]);
      return [path, Object.fromEntries(operations)];
    }),
  );
}
