import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp, type TestApp } from '../helpers/app.ts';

let server: TestApp;
// biome-ignore lint/suspicious/noExplicitAny: a document of many shapes
let document: any;
beforeAll(async () => {
  server = await startApp();
  document = await (await fetch(`${server.url}/openapi.json`)).json();
});
afterAll(() => server.stop());

/** The schema of an answer with its references put in place. */
function schemaOf(method: string, path: string, status: number): object {
  const { content } = document.paths[path][method].responses[status];
  const media = content['application/json'] ?? content['application/problem+json'];
  return inline(media.schema) as object;
}

function inline(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(inline);
  if (typeof node !== 'object' || node === null) return node;
  const { $ref } = node as { $ref?: string };
  if ($ref !== undefined)
    return inline(document.components.schemas[$ref.replace('#/components/schemas/', '')]);
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, inline(value)]));
}

async function check(path: string, template: string, body?: unknown): Promise<unknown> {
  const answer = await server.api(path, body);
  const validator = Compile(schemaOf(body === undefined ? 'get' : 'post', template, answer.status));
  expect([path, answer.status, validator.Errors(answer.body)]).toEqual([path, answer.status, []]);
  return answer.body;
}

test('answers have exactly the shapes that the document promises', async () => {
  const jobs = [{ to: 'a' }, { to: 'b', outcome: 'failed' }, { to: 'c', outcome: 'unknown' }];
  const { id } = (await check('/v1/batches', '/v1/batches', { type: 'note', jobs })) as { id: string };
  await server.untilState(id, 'completed');
  await check('/healthz', '/healthz');
  await check('/readyz', '/readyz');
  await check('/v1/modules', '/v1/modules');
  await check('/v1/connections', '/v1/connections');
  await check('/v1/connections/note.local', '/v1/connections/{connectionId}');
  await check('/v1/connections/note.local/test', '/v1/connections/{connectionId}/test', null);
  await check('/v1/batches?includeSingle=true', '/v1/batches');
  await check(`/v1/batches/${id}`, '/v1/batches/{batchId}');
  await check(`/v1/batches/${id}/jobs`, '/v1/batches/{batchId}/jobs');
  for (const seq of [0, 1, 2]) await check(`/v1/jobs/${id}.${seq}`, '/v1/jobs/{jobId}');
  await check(`/v1/jobs/${id}.2/resolve`, '/v1/jobs/{jobId}/resolve', { outcome: 'failed' });
  await check(`/v1/batches/${id}/retry`, '/v1/batches/{batchId}/retry', {});
  await check('/v1/jobs', '/v1/jobs', { type: 'note', payload: { to: 'd' } });
  await check(`/v1/batches/${id}/seal`, '/v1/batches/{batchId}/seal', null);
});

test('problems have the shape that the document promises', async () => {
  await check('/v1/batches/banana', '/v1/batches/{batchId}');
  await check('/v1/batches?x=1', '/v1/batches');
  await check('/v1/connections/banana', '/v1/connections/{connectionId}');
  await check('/v1/connections', '/v1/connections', {
    type: 'note',
    provider: 'local',
    name: 'A b',
    credentials: {},
  });
  await check('/v1/connections/note.local/authorize', '/v1/connections/{connectionId}/authorize', {});
  await check('/v1/oauth/callback?state=x', '/v1/oauth/callback');
  await check('/v1/batches', '/v1/batches', { type: 'note', jobs: [{ to: 5 }] });
  await check('/v1/batches', '/v1/batches', '{"broken');
  await check('/v1/jobs', '/v1/jobs', { type: 'pigeon', payload: {} });
});
