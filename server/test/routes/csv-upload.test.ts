import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, KEY, startApp, type TestApp } from '../helpers/app.ts';
import { csvText, cutText } from '../helpers/csv-text.ts';

let server: TestApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

const CSV = { 'content-type': 'text/csv' };

/** Uploads a CSV into a new batch whose defaults bring the one field that a note needs. */
async function upload(
  csv: string | Buffer,
  query = '',
  { defaults = { to: 'x' }, headers = CSV }: { defaults?: object; headers?: Record<string, string> } = {},
): Promise<Answer & { batchId: string }> {
  const { body } = await server.api('/v1/batches', { type: 'note', defaults });
  const answer = await server.api(`/v1/batches/${body.id}/jobs${query}`, csv, headers);
  return { ...answer, batchId: body.id };
}

const payloadsOf = async (batchId: string, count: number): Promise<Record<string, unknown>[]> =>
  Promise.all(
    Array.from(
      { length: count },
      async (_, seq) => (await server.api(`/v1/jobs/${batchId}.${seq}`)).body.payload,
    ),
  );

const total = async (batchId: string): Promise<number> =>
  (await server.api(`/v1/batches/${batchId}`)).body.counts.total;

const require = createRequire(import.meta.url);
const spectrum = dirname(require.resolve('csv-spectrum'));
const samples = readdirSync(join(spectrum, 'csvs')).map((file) => file.replace(/\.csv$/, ''));

describe('the awkward file', () => {
  test.each(samples)('%s of csv-spectrum arrives as its rows', async (name) => {
    const json = readFileSync(join(spectrum, 'json', `${name}.json`), 'utf8');
    // One of the files has another phone number in its JSON, which is no list.
    const rows: Record<string, string>[] = [JSON.parse(json.replace('1234567890', '2095257564'))].flat();
    const { body, batchId } = await upload(readFileSync(join(spectrum, 'csvs', `${name}.csv`)));
    expect(body).toEqual({ accepted: rows.length, rejected: 0, duplicates: 0, errors: [] });
    const expected = rows.map((row) => {
      // An empty cell leaves its field out.
      return { variables: Object.fromEntries(Object.entries(row).filter(([, value]) => value !== '')) };
    });
    expect(await payloadsOf(batchId, rows.length)).toEqual(expected);
  });
});

describe('a CSV', () => {
  test('fills fields, variables and parts of fields, and is delivered', async () => {
    const csv = 'To;First name;labels.a;extra;text\nada@x.org;Ada;1;"{""n"":[1]}";Hi, you\nbob@x.org;;;5;\n';
    const { body, batchId } = await upload(csv, '', { defaults: { text: 'Hello' } });
    expect(body.accepted).toBe(2);
    expect(await payloadsOf(batchId, 2)).toEqual([
      {
        to: 'ada@x.org',
        text: 'Hi, you',
        extra: { n: [1] },
        labels: { a: '1' },
        variables: { 'First name': 'Ada' },
      },
      { to: 'bob@x.org', extra: '5' },
    ]);
    await server.api(`/v1/batches/${batchId}/seal`, null);
    await server.untilState(batchId, 'completed');
    expect(server.calls).toContain('ada@x.org');
  });

  test('is mapped by the query', async () => {
    const { body, batchId } = await upload(
      'E-Mail|PLZ|x\na|01234|y\n',
      '?map.E-Mail=to&map.PLZ=variables.zip&map.x=',
    );
    expect(body.accepted).toBe(1);
    expect(await payloadsOf(batchId, 1)).toEqual([{ to: 'a', variables: { zip: '01234' } }]);
  });

  test.each([
    ['a comma', 'a,b\n1,2', ''],
    ['a semicolon', 'a;b\n1;2', ''],
    ['a tab', 'a\tb\r1\t2', ''],
    ['a pipe', 'a|b\r\n1|2', ''],
    ['sep=', '\ufeffsep=~\r\na~b\r\n1~2', ''],
    ['the query', 'a:b\n1:2', '?delimiter=:'],
    ['the query, by its name', 'a\tb\n1\t2', '?delimiter=tab'],
    ['the query, against the looks', 'a:b\n1:2\n', '?delimiter=%3A'],
    ['the header, outside quotes', '"a";b\n1;2\n', ''],
  ])('may be delimited by %s', async (_name, csv, query) => {
    const { batchId } = await upload(csv, query);
    expect(await payloadsOf(batchId, 1)).toEqual([{ variables: { a: '1', b: '2' } }]);
  });

  test.each([
    ['UTF-16LE with a mark', Buffer.from('\ufeffa\n€\n', 'utf16le'), '', CSV],
    ['UTF-16LE by the query', Buffer.from('a\n€\n', 'utf16le'), '?encoding=utf-16le', CSV],
    ['windows-1252 by the query', Buffer.from('a\n\x80\n', 'latin1'), '?encoding=windows-1252', CSV],
    [
      'windows-1252 by charset',
      Buffer.from('a\n\x80\n', 'latin1'),
      '',
      { 'content-type': 'text/csv; charset=windows-1252' },
    ],
    ['UTF-8 by charset', Buffer.from('a\n€\n'), '', { 'content-type': 'text/csv;charset="UTF-8"' }],
  ])('may be %s', async (_name, bytes, query, headers) => {
    const { batchId } = await upload(bytes, query, { headers });
    expect(await payloadsOf(batchId, 1)).toEqual([{ variables: { a: '€' } }]);
  });

  test('repeated with its Idempotency-Key is stored once', async () => {
    const batchId = await server.openBatch();
    const headers = { ...CSV, 'idempotency-key': 'csv-once' };
    const first = await server.api(`/v1/batches/${batchId}/jobs`, 'to\na\nb\n', headers);
    const second = await server.api(`/v1/batches/${batchId}/jobs`, 'to\na\nb\n', headers);
    expect([second.status, second.body]).toEqual([200, first.body]);
    expect(await total(batchId)).toBe(2);
  });
});

describe('a bad CSV stores nothing, and is told', () => {
  const good = 'to,a\n1,2\n3,"4\r\n5"\n';
  test.each([
    ['too few cells', `${good}6\n7,8`, 'invalid_line', 5, 'too_few_cells'],
    ['too many cells', `${good}6,7,8\n`, 'invalid_line', 5, 'too_many_cells'],
    ['a quote that is never closed', `${good}6,"7\n8,9\n`, 'invalid_line', 5, 'quote_not_closed'],
    ['a quote behind a blank', `${good}6, "8"\n`, 'invalid_line', 5, 'stray_quote'],
    ['text behind a quote', `${good}6,"7"8\n`, 'invalid_line', 5, 'stray_quote'],
    ['a workbook', Buffer.from('PK\u0003\u0004\u0014\u0000\u0006\u0000'), 'invalid_line', 1, 'not_csv'],
    ['a NUL', `${good}6,7\0\n`, 'invalid_line', 5, 'nul_character'],
    [
      'Latin-1 that nobody named',
      Buffer.from(`${good}6,\xe9\n`, 'latin1'),
      'invalid_line',
      5,
      'invalid_encoding',
    ],
    ['UTF-16 that nobody named', Buffer.from(good, 'utf16le'), 'invalid_line', 1, 'nul_character'],
    [
      'a lone surrogate',
      Buffer.from('\ufeffto\na\n\ud800b\n', 'utf16le'),
      'invalid_line',
      3,
      'invalid_encoding',
    ],
    [
      'a payload that the schema refuses',
      'to,outcome\na,failed\nb,nonsense\n',
      'invalid_payload',
      3,
      'invalid_value',
    ],
    ['a forbidden key in a cell', 'to,extra\na,"{""__proto__"":{}}"\n', 'invalid_line', 2, 'forbidden_key'],
    ['a header twice', '\n\nto,a,a\n1,2,3\n', 'invalid_header', 3, 'duplicate_column'],
    ['a header without a name', 'to,,a\n1,2,3\n', 'invalid_header', 1, 'empty_column'],
    ['a header of delimiters', ',,\n1,2,3\n', 'invalid_header', 1, 'empty_column'],
    ['a broken header', 'to, "b"\n1,2\n', 'invalid_line', 1, 'stray_quote'],
    ['a header that never ends', `to,"${'x\n'.repeat(600_000)}`, 'line_too_long', 1, 'line_too_long'],
    ['a row that never ends', `${good}6,"${'x\n'.repeat(600_000)}`, 'line_too_long', 5, 'line_too_long'],
    ['a million columns', `${'c,'.repeat(400_000)}c\n`, 'invalid_header', 1, 'too_many_columns'],
    ['__proto__ as a column', 'to,__proto__\n1,2\n', 'invalid_header', 1, 'forbidden_key'],
    ['a part that the field has not', 'to.name\n1\n', 'invalid_header', 1, 'unknown_column'],
  ])('of %s', async (_name, csv, code, line, place) => {
    const { status, body, batchId } = await upload(csv);
    expect([status, body.code]).toEqual([code === 'line_too_long' ? 413 : 422, code]);
    expect(body.errors[0]).toMatchObject({ line, code: place });
    expect(body.detail).toContain(`ine ${line}`);
    expect(await total(batchId)).toBe(0);
  });

  test('of a missing column at once, by its name, before the rows', async () => {
    const { body } = await upload(`name,mail\nAda,a\n${'x'.repeat(100)}`, '', { defaults: {} });
    expect(body.errors).toEqual([
      { line: 1, path: '/to', code: 'missing_column', message: expect.stringContaining('"name", "mail"') },
    ]);
    expect(body.detail).toContain('?map.<column>=to');
  });

  test('of the first of two bad lines', async () => {
    const { body } = await upload('to,outcome\na,nonsense\nb\nc,"never\n');
    expect(body.errors[0]).toMatchObject({ line: 2, path: '/outcome' });
  });

  test.each([
    ['nothing', ''],
    ['a mark', '\ufeff'],
    ['blank lines', '\n \r\n'],
    ['a header', 'to,a\n'],
    ['a header without an end', 'to,a'],
    ['a header and empty rows', 'to,a\n,\n\n'],
    ['sep=', 'sep=;\n'],
  ])('if it holds only %s', async (_name, csv) => {
    const { status, body } = await upload(csv);
    expect([status, body.code]).toEqual([422, 'empty_upload']);
  });

  test.each([
    ['?delimiter=ab', '/delimiter'],
    ['?delimiter=%22', '/delimiter'],
    ['?delimiter=', '/delimiter'],
    ['?encoding=klingon', '/encoding'],
    ['?map.a=to&map.a=text', '/map.a'],
    ['?mapp.a=to', '/mapp.a'],
  ])('with the query %s', async (query, path) => {
    const { status, body } = await upload('a\n1\n', query);
    expect([status, body.code, body.errors[0].path]).toEqual([400, 'invalid_query', path]);
  });

  test('with parameters for CSV on NDJSON', async () => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const { status, body } = await upload('{"to":"a"}', '?delimiter=;', { headers });
    expect([status, body.code]).toEqual([400, 'invalid_query']);
  });
});

const cell = fc.string({
  unit: fc.constantFrom('a', 'é', '😀', ',', ';', '|', '\t', '"', '\r', '\n', ' ', '0', '='),
});

test('any table that is written as CSV, in any style and in any pieces, comes back the same', async () => {
  const table = fc
    .integer({ min: 1, max: 4 })
    .chain((width) =>
      fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }),
    );
  const style = fc.record({
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(
      table,
      style,
      fc.array(fc.nat(), { maxLength: 10 }),
      async (rows, { seed, ...rest }, places) => {
        const names = (rows[0] ?? []).map((_, column) => `c${column}`);
        const quotes = (place: number): boolean => (seed >> (place % 30)) % 2 === 1;
        const bytes: Uint8Array = Buffer.from(csvText([names, ...rows], { ...rest, quotes }));
        const expected = rows
          .map((cells) =>
            cells.flatMap((text, column) => (text === '' ? [] : [[`c${column}`, text] as const])),
          )
          .filter((cells) => cells.length > 0 && (names.length > 1 || cells[0]?.[1].trim() !== ''))
          .map((cells) => ({ variables: Object.fromEntries(cells) }));
        const { batchId } = await uploadPieces(
          cutText(bytes, places),
          names.length > 1 ? '' : rest.delimiter,
        );
        expect(await payloadsOf(batchId, await total(batchId))).toEqual(expected);
      },
    ),
    { numRuns: 40 },
  );
});

/** Uploads pieces of bytes one after the other, in one body. */
async function uploadPieces(pieces: readonly Uint8Array[], delimiter: string): Promise<{ batchId: string }> {
  const { body } = await server.api('/v1/batches', { type: 'note', defaults: { to: 'x' } });
  const query = delimiter === '' ? '' : `?delimiter=${encodeURIComponent(delimiter)}`;
  await server.stream(`/v1/batches/${body.id}/jobs${query}`, pieces, CSV);
  return { batchId: body.id };
}

describe('an export that comes back', () => {
  test('fills the same payloads: our columns and the marks of harmless cells go away', async () => {
    const csv = `to,Über,zip,text\n=1+1,@x,01234,"a\nb"\n'=it,+49 151 2,-5,'plain\n`;
    const { batchId } = await upload(csv);
    const first = await payloadsOf(batchId, 2);
    const exported = await server.api(`/v1/batches/${batchId}/results?format=csv`);
    expect(exported.body.split('\r\n')[0]).toMatch(/^to,Über,zip,text,bs_id,bs_seq,/);
    const again = await upload(exported.body);
    expect(again.body).toMatchObject({ accepted: 2, errors: [] });
    expect(await payloadsOf(again.batchId, 2)).toEqual(first);
  });

  test('keeps a text that begins with a quote mark in a file that is no export', async () => {
    const { batchId } = await upload(`to,text\na,'=1\n`);
    expect(await payloadsOf(batchId, 1)).toEqual([{ to: 'a', text: "'=1" }]);
  });

  test('with onInvalid=skip names the bad rows and keeps the good ones', async () => {
    const { body, batchId } = await upload('to,labels\na,{}\nb\nc,{\nd,\n', '?onInvalid=skip');
    expect(body).toMatchObject({ accepted: 2, rejected: 2, duplicates: 0 });
    expect(body.errors.map(({ line, code }: { line: number; code: string }) => [line, code])).toEqual([
      [3, 'too_few_cells'],
      [4, expect.any(String)],
    ]);
    expect(await payloadsOf(batchId, 2)).toEqual([{ to: 'a', labels: {} }, { to: 'd' }]);
  });

  test('is free of duplicates with dedupeBy, and shows its columns in a form as well', async () => {
    const form = new FormData();
    form.set('batch', JSON.stringify({ type: 'note', dedupeBy: 'to', sealed: false }));
    form.set('onInvalid', 'skip');
    form.set('file', new Blob(['to,Town\na,X\nb,Y\na,Z\nc\n'], { type: 'text/csv' }), 'people.csv');
    const response = await fetch(`${server.url}/v1/batches`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
      body: form,
    });
    const batch = (await response.json()) as { id: string };
    expect(batch).toMatchObject({
      duplicates: 1,
      rejected: 1,
      upload: { accepted: 2, rejected: 1, duplicates: 1, errors: [{ line: 5, code: 'too_few_cells' }] },
    });
    const exported = await server.api(`/v1/batches/${batch.id}/results?format=csv`);
    expect(exported.body.split('\r\n')[0]).toMatch(/^to,Town,bs_id,/);
  });
});
