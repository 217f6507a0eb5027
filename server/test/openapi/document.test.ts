import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
// biome-ignore lint/suspicious/noExplicitAny: a document of many shapes
let document: any;
beforeAll(async () => {
  server = await startApp();
  document = await (await fetch(`${server.url}/openapi.json`)).json();
});
afterAll(() => server.stop());

// biome-ignore lint/suspicious/noExplicitAny: a document of many shapes
type Operation = Record<string, any>;

const operations = (): [string, Operation][] =>
  Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
  );

/** All nodes of the document. */
function* nodes(node: unknown): Generator<Record<string, unknown>> {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) yield node as Record<string, unknown>;
  for (const child of Object.values(node)) yield* nodes(child);
}

test('it is OpenAPI 3.1 with the version of the server', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(document.info).toMatchObject({ title: 'BatchSender', version: '1.2.3' });
  expect(document.security).toEqual([{ bearer: [] }]);
  expect(document.components.securitySchemes.bearer).toMatchObject({ type: 'http', scheme: 'bearer' });
});

test('it lists every call of the API, and no other', () => {
  expect(
    operations()
      .map(([name]) => name)
      .sort(),
  ).toEqual([
    'delete /v1/connections/{connectionId}',
    'get /healthz',
    'get /metrics',
    'get /readyz',
    'get /v1/audit-log',
    'get /v1/batches',
    'get /v1/batches/{batchId}',
    'get /v1/batches/{batchId}/jobs',
    'get /v1/batches/{batchId}/results',
    'get /v1/connections',
    'get /v1/connections/{connectionId}',
    'get /v1/endpoints',
    'get /v1/jobs/{jobId}',
    'get /v1/modules',
    'get /v1/oauth/callback',
    'get /v1/suppressions',
    'patch /v1/connections/{connectionId}',
    'post /v1/batches',
    'post /v1/batches/{batchId}/cancel',
    'post /v1/batches/{batchId}/jobs',
    'post /v1/batches/{batchId}/pause',
    'post /v1/batches/{batchId}/resume',
    'post /v1/batches/{batchId}/retry',
    'post /v1/batches/{batchId}/seal',
    'post /v1/connections',
    'post /v1/connections/{connectionId}/authorize',
    'post /v1/connections/{connectionId}/test',
    'post /v1/connections/{connectionId}/unblock',
    'post /v1/jobs',
    'post /v1/jobs/{jobId}/resolve',
    'post /v1/modules/{type}/preview',
    'post /v1/suppressions',
    'post /v1/suppressions/check',
    'post /v1/suppressions/remove',
  ]);
});

test('every operation has an id of its own, a known tag, a summary, an answer and problems', () => {
  const tags = new Set(document.tags.map(({ name }: { name: string }) => name));
  const ids = operations().map(([, operation]) => operation['operationId']);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [name, operation] of operations()) {
    expect([name, operation['operationId']]).toEqual([name, expect.stringMatching(/^[a-z]+[A-Za-z]+$/)]);
    expect([name, operation['tags'].every((tag: string) => tags.has(tag))]).toEqual([name, true]);
    expect([name, operation['summary']]).toEqual([name, expect.stringMatching(/\w{3}/)]);
    const statuses = Object.keys(operation['responses']);
    expect([name, statuses.some((status) => status.startsWith('2'))]).toEqual([name, true]);
    const failures = statuses.filter((status) => !/^[23]/.test(status));
    expect([name, failures.length > 0]).toEqual([name, true]);
    for (const status of failures) {
      const content = operation['responses'][status].content['application/problem+json'];
      expect([name, status, content.schema]).toEqual([
        name,
        status,
        { $ref: '#/components/schemas/Problem' },
      ]);
    }
  }
});

test('calls with a key have a 401, public ones have no security', () => {
  for (const [name, operation] of operations()) {
    const isPublic = /\/(healthz|readyz|oauth\/callback)$/.test(name);
    expect([name, operation['responses']['401'] === undefined]).toEqual([name, isPublic]);
    expect([name, operation['security']]).toEqual([name, isPublic ? [] : undefined]);
  }
});

test('every parameter in a path is described', () => {
  for (const [name, operation] of operations()) {
    const inPath = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const described = ((operation['parameters'] ?? []) as Operation[])
      .filter((parameter) => parameter['in'] === 'path' && parameter['required'] === true)
      .map((parameter) => parameter['name']);
    expect([name, described]).toEqual([name, inPath]);
  }
});

test('every reference leads to a component', () => {
  const names = Object.keys(document.components.schemas);
  const refs = [...nodes(document)].flatMap((node) =>
    typeof node['$ref'] === 'string' ? [node['$ref']] : [],
  );
  expect(refs.length).toBeGreaterThan(10);
  for (const ref of refs) expect(names).toContain(ref.replace('#/components/schemas/', ''));
});

test('nothing is left in it that tools for 3.1 do not take', () => {
  for (const node of nodes(document)) {
    expect(node).not.toHaveProperty('patternProperties');
    expect(node).not.toHaveProperty('x-component');
    expect(node).not.toHaveProperty('nullable');
    expect(node).not.toHaveProperty('$id');
  }
});

describe('the bodies of jobs', () => {
  test.each([
    ['/v1/batches', 'NoteBatch'],
    ['/v1/jobs', 'NoteJob'],
  ])('%s is a union of the installed types, told apart by type', (path, name) => {
    const { schema } = document.paths[path].post.requestBody.content['application/json'];
    expect(schema).toEqual({
      oneOf: [{ $ref: `#/components/schemas/${name}` }],
      discriminator: { propertyName: 'type', mapping: { note: `#/components/schemas/${name}` } },
    });
    expect(document.components.schemas[name].properties.type).toEqual({ type: 'string', const: 'note' });
    expect(document.components.schemas[name].properties.provider.enum).toEqual(['local']);
  });

  test('a single job has the whole payload, a job of a batch may lack what the defaults have', () => {
    const { NotePayload, NoteFields, NoteBatch, NoteJob } = document.components.schemas;
    expect(NotePayload).toMatchObject({
      required: ['to'],
      properties: { to: { type: 'string', minLength: 1 } },
    });
    expect(NotePayload.properties.labels).toEqual({
      type: 'object',
      additionalProperties: { type: 'string' },
    });
    expect(NoteFields).not.toHaveProperty('required');
    expect(NoteJob.properties.payload).toEqual({ $ref: '#/components/schemas/NotePayload' });
    expect(NoteBatch.properties.jobs).toEqual({
      type: 'array',
      items: { $ref: '#/components/schemas/NoteFields' },
    });
  });

  test('an upload is described by its content types', () => {
    const { content } = document.paths['/v1/batches/{batchId}/jobs'].post.requestBody;
    expect(Object.keys(content)).toEqual(expect.arrayContaining(['application/x-ndjson', 'text/csv']));
  });

  test('a mapping of columns is a parameter, and a batch may be a form', () => {
    const { parameters } = document.paths['/v1/batches/{batchId}/jobs'].post;
    const names = parameters.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['delimiter', 'encoding', 'map']));
    const form = document.paths['/v1/batches'].post.requestBody.content['multipart/form-data'];
    expect(form.schema.required).toEqual(['batch', 'file']);
  });

  test('calls that create take an Idempotency-Key', () => {
    const withKey = operations().filter(([, operation]) =>
      ((operation['parameters'] ?? []) as Operation[]).some(({ name }) => name === 'Idempotency-Key'),
    );
    expect(withKey.map(([name]) => name).sort()).toEqual([
      'post /v1/batches',
      'post /v1/batches/{batchId}/jobs',
      'post /v1/connections',
      'post /v1/jobs',
    ]);
  });
});

describe('the page at /docs', () => {
  test('allows nothing inline and nothing from elsewhere', async () => {
    const response = await fetch(`${server.url}/docs`);
    const csp = response.headers.get('content-security-policy') ?? '';
    expect(csp).toContain("default-src 'none'");
    expect(csp).not.toMatch(/unsafe|https?:/);
    const html = await response.text();
    expect(html).not.toMatch(
      /<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=|(?:src|href)="(?:https?:)?\/\//,
    );
  });

  test('finds all of its parts on this server', async () => {
    const html = await (await fetch(`${server.url}/docs`)).text();
    const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(parts.length).toBeGreaterThan(4);
    for (const part of parts) {
      const response = await fetch(new URL(part, `${server.url}/docs`));
      expect([part, response.status]).toEqual([part, 200]);
    }
  });

  test('reads the same document', async () => {
    expect(await (await fetch(`${server.url}/docs/json`)).json()).toEqual(document);
  });
});

test('the page at / has links and no script', async () => {
  const response = await fetch(server.url);
  const html = await response.text();
  expect(html).toContain('href="/docs"');
  expect(html).not.toContain('<script');
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
});
