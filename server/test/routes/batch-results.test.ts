import { parse } from 'csv-parse/sync';
import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ResultSchema } from '../../src/schemas/result.ts';
import { type Answer, startApp, type TestApp } from '../helpers/app.ts';

const JOBS = [
  { to: '=1+1', text: 'say "hi",\r\nthen stop' },
  { to: '-5', outcome: 'failed', variables: { city: 'Köln 漢字 🎉' } },
  { to: 'c', outcome: 'unknown', extra: [1, { a: null }] },
];
const MISSING = '019aa8c6-5c1f-7d2e-9f0a-3b1c2d4e5f60';

let server: TestApp;
let id: string;
beforeAll(async () => {
  server = await startApp();
  id = (await server.api('/v1/batches', { type: 'note', name: 'Größe', jobs: JOBS })).body.id;
  await server.untilState(id, 'completed');
});
afterAll(() => server.stop());

const results = (query = '', accept = '*/*'): Promise<Answer> =>
  server.api(`/v1/batches/${id}/results${query}`, undefined, { accept });

const records = (csv: string): Record<string, string>[] => parse(csv, { columns: true, bom: true });
// biome-ignore lint/suspicious/noExplicitAny: tests look at parts of lines
const linesOf = (ndjson: string): any[] =>
  ndjson
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const seqsOf = async (query: string): Promise<string> =>
  records((await results(query)).body)
    .map((record) => record['bs_seq'])
    .join();

describe('as CSV', () => {
  test('every job has a row: the fields of the schema, then what became of it', async () => {
    const { status, headers, body } = await results('', 'text/csv');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(headers.get('content-disposition')).toBe(`attachment; filename="results-Gro-e-${id}.csv"`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body.split('\r\n')[0]).toBe(
      'to,text,outcome,labels,extra,variables,' +
        'bs_id,bs_seq,bs_state,bs_code,bs_message,bs_ref,bs_delivery,bs_attempts,bs_possibleDuplicate,bs_at,bs_settledAt',
    );
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(records(body)).toMatchObject([
      {
        to: "'=1+1",
        text: 'say "hi",\r\nthen stop',
        bs_id: `${id}.0`,
        bs_state: 'succeeded',
        bs_ref: 'ref-=1+1',
      },
      {
        to: '-5',
        variables: '{"city":"Köln 漢字 🎉"}',
        bs_state: 'failed',
        bs_code: 'refused',
        bs_message: 'The note was refused.',
      },
      {
        to: 'c',
        extra: '[1,{"a":null}]',
        bs_state: 'unknown',
        bs_attempts: '1',
        bs_at: time,
        bs_settledAt: time,
      },
    ]);
  });

  test('columns that were uploaded come back under their names', async () => {
    const batchId = await server.openBatch();
    const upload = await server.engine.upload(batchId);
    await upload.write([{ payload: { to: 'a', variables: { city: '+49 (0)151' } } }]);
    const columns = [
      { name: 'City, "home"', path: '/variables/city' },
      { name: 'bs_state', path: '/to' },
    ];
    await upload.commit({ columns });
    const { body } = await server.api(`/v1/batches/${batchId}/results`);
    expect(records(body)).toMatchObject([
      { 'City, "home"': "'+49 (0)151", bs_state: 'a', bs__state: 'waiting', bs__seq: '0' },
    ]);
  });

  test('a byte order mark is there only if it is asked for', async () => {
    const bytes = async (query: string): Promise<Uint8Array> => {
      const headers = { authorization: 'Bearer bs_test_key_of_the_suite' };
      const answer = await fetch(`${server.url}/v1/batches/${id}/results${query}`, { headers });
      return new Uint8Array(await answer.arrayBuffer()).slice(0, 3);
    };
    expect([...(await bytes('?bom=true'))]).toEqual([0xef, 0xbb, 0xbf]);
    expect([...(await bytes('?bom=false'))]).toEqual([...Buffer.from('to,')]);
  });

  test('without any job it is the header alone', async () => {
    const { status, body } = await results('?state=cancelled');
    expect([status, body.match(/\r\n/g)?.length]).toEqual([200, 1]);
  });
});

describe('as NDJSON', () => {
  test.each([
    ['', 'application/x-ndjson'],
    ['?format=ndjson', 'text/csv'],
  ])('every job is a line as the API describes it (%s, %s)', async (query, accept) => {
    const { headers, body } = await results(query, accept);
    expect(headers.get('content-type')).toBe('application/x-ndjson');
    const lines = linesOf(body);
    expect(lines.map(({ payload }) => payload)).toEqual(JOBS);
    expect(lines.map(({ state }) => state)).toEqual(['succeeded', 'failed', 'unknown']);
    const validator = Compile(ResultSchema);
    for (const line of lines) expect(validator.Errors(line)).toEqual([]);
  });

  test('without any job it is empty', async () => {
    expect(await results('?format=ndjson&state=waiting')).toMatchObject({ status: 200, body: '' });
  });
});

describe('states', () => {
  test.each([
    ['?state=failed', '1'],
    ['?state=failed,unknown', '1,2'],
    ['?state=unknown&state=failed', '1,2'],
    ['?state=failed,unknown&state=succeeded', '0,1,2'],
    ['?state=failed&state=failed', '1'],
  ])('%s exports the jobs %s', async (query, seqs) => {
    expect(await seqsOf(query)).toBe(seqs);
  });

  test('are part of the name of the file', async () => {
    const { headers } = await results('?state=failed,unknown&format=ndjson');
    expect(headers.get('content-disposition')).toContain(`-failed-unknown-${id}.ndjson"`);
  });
});

describe('a request that cannot be met', () => {
  test.each([
    ['?state=lost', '/state'],
    ['?state=failed,', '/state'],
    ['?state=', '/state'],
    ['?format=xlsx', '/format'],
    ['?format=csv&format=csv', '/format'],
    ['?bom=perhaps', '/bom'],
    ['?bom=true&format=ndjson', '/bom'],
    ['?limit=5', '/limit'],
  ])('%s is refused, naming %s', async (query, path) => {
    const { status, headers, body } = await results(query);
    expect([status, body.code]).toEqual([400, 'invalid_query']);
    expect(body.errors[0].path.startsWith(path)).toBe(true);
    expect(headers.get('content-disposition')).toBeNull();
  });

  test.each(['application/json', 'text/html', 'text/csv;q=0'])(
    'accept: %s is refused with the remedy',
    async (accept) => {
      const { status, body } = await results('', accept);
      expect([status, body.code]).toEqual([406, 'not_acceptable']);
      expect(body.detail).toContain('?format=csv');
    },
  );

  test('an unknown batch is not found', async () => {
    for (const batchId of [MISSING, 'banana']) {
      const { status, body } = await server.api(`/v1/batches/${batchId}/results`);
      expect([status, body.code]).toEqual([404, 'batch_not_found']);
    }
  });

  test('a batch of another tenant is not found', async () => {
    const other = await server.engine.submit({ type: 'note', jobs: [{ to: 'x' }] }, { tenantId: 'other' });
    const { status, body } = await server.api(`/v1/batches/${other.id}/results`);
    expect([status, body.code]).toEqual([404, 'batch_not_found']);
  });

  test('a wrong key is refused', async () => {
    const { status } = await server.api(`/v1/batches/${id}/results`, undefined, {
      authorization: 'Bearer bs_no',
    });
    expect(status).toBe(401);
  });

  test('HEAD is refused, since it would read the batch for nothing', async () => {
    const headers = { authorization: 'Bearer bs_test_key_of_the_suite' };
    const { status } = await fetch(`${server.url}/v1/batches/${id}/results`, { method: 'HEAD', headers });
    expect(status).toBe(405);
  });
});
