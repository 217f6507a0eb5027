import { describe, expect, test } from 'vitest';
import { CsvReader } from '../../src/csv/reader.ts';
import type { Schema } from '../../src/csv/schema-shape.ts';
import type { HttpProblem } from '../../src/http/problem.ts';

const text = { type: 'string' };
const schema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['to'],
  properties: {
    to: { anyOf: [text, { type: 'object', properties: { address: text }, additionalProperties: false }] },
    subject: text,
    count: { type: 'integer' },
    ratio: { type: 'number' },
    urgent: { type: 'boolean' },
    redirects: { anyOf: [{ type: 'boolean' }, { type: 'integer' }] },
    tags: { type: 'array', items: text },
    level: { enum: ['low', 'high'] },
    body: {},
    record: { type: 'object', additionalProperties: {} },
    headers: { type: 'object', patternProperties: { '^.*$': text } },
    auth: { type: 'object', properties: { type: text, token: text }, additionalProperties: false },
    variables: { type: 'object', additionalProperties: { anyOf: [text, { type: 'number' }] } },
  },
};

interface Read {
  readonly payloads: unknown[];
  readonly columns: CsvReader['columns'];
  readonly rejected: unknown[];
}

function read(
  csv: string,
  options: { map?: Record<string, string>; schema?: Schema; defaults?: object } = {},
): Read {
  const payloads: unknown[] = [];
  const rejected: unknown[] = [];
  const reader = new CsvReader(
    {
      schema: options.schema ?? schema,
      defaults: (options.defaults ?? { to: 'x' }) as Record<string, unknown>,
      map: new Map(Object.entries(options.map ?? {})),
      maxRowChars: 10_000,
    },
    {
      add: ({ payload }) => payloads.push(payload),
      reject: ({ line, code, path }) => rejected.push({ line, code, path }),
    },
  );
  reader.push(Buffer.from(csv));
  reader.end();
  return { payloads, rejected, columns: reader.columns };
}

function codesOf(header: string, options: Parameters<typeof read>[1] = {}): string[] {
  try {
    read(`${header}\n`, options);
  } catch (error) {
    return ((error as HttpProblem).errors ?? []).map(({ code }) => code);
  }
  return [];
}

describe('a column', () => {
  test.each([
    ['to', '/to'],
    [' To ', '/to'],
    ['SUBJECT', '/subject'],
    ['to.address', '/to/address'],
    ['Record.Email', '/record/Email'],
    ['record.Account.Name', '/record/Account/Name'],
    ['body.user.name', '/body/user/name'],
    ['headers.X-A.b', '/headers/X-A.b'],
    ['variables.name', '/variables/name'],
    ['variables.a.b', '/variables/a.b'],
    ['First name', '/variables/First name'],
    ['a/b', '/variables/a~1b'],
    ['constructor', '/variables/constructor'],
    ['E-Mail', '/variables/E-Mail'],
    ['to_', '/variables/to_'],
  ])('%j fills %s', (name, path) => {
    expect(read(`${name}\nx`).columns).toEqual([{ name, path }]);
  });

  test('goes where the caller maps it, or nowhere', () => {
    const map = { 'E-Mail': 'to', zip: 'variables.zip', note: '' };
    const { payloads, columns } = read('E-Mail,zip,note,Subject\na@b.c,01234,hidden,Hi\n', {
      map,
      defaults: {},
    });
    expect(payloads).toEqual([{ to: 'a@b.c', variables: { zip: '01234' }, subject: 'Hi' }]);
    expect(columns.map(({ path }) => path)).toEqual(['/to', '/variables/zip', '/subject']);
  });

  test('of a schema without variables must name a field, unless the schema is open', () => {
    const closed = { type: 'object', properties: { to: text }, additionalProperties: false };
    expect(codesOf('to,colour', { schema: closed })).toEqual(['unknown_column']);
    const open = { type: 'object', properties: { to: text } };
    expect(read('to,colour\na,red', { schema: open }).payloads).toEqual([{ to: 'a', colour: 'red' }]);
  });

  test.each([
    ['a name twice', 'to,x,x', ['duplicate_column']],
    ['two names of one field', 'to,TO', ['duplicate_column']],
    ['a field and a part of it', 'body,body.x', ['duplicate_column']],
    ['no name', 'to,,x', ['empty_column']],
    ['a part that the field has not', 'to,auth.tokn', ['unknown_column']],
    ['a part of plain text', 'to,subject.x', ['unknown_column']],
    ['a name of two thousand levels', `to,body${'.a'.repeat(2_000)}`, ['unknown_column']],
    ['nothing behind a dot', 'to,record.', ['unknown_column']],
    ['__proto__', 'to,__proto__', ['forbidden_key']],
    ['__proto__ in a field', 'to,body.__proto__.x', ['forbidden_key']],
    ['constructor.prototype', 'to,body.constructor.prototype', ['forbidden_key']],
    [
      'more columns than there may be',
      Array.from({ length: 1_001 }, (_, n) => `c${n}`).join(),
      ['too_many_columns'],
    ],
  ])('with %s is refused', (_name, header, codes) => {
    expect(codesOf(header)).toEqual(codes);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  test.each([
    [{ a: '__proto__' }, ['unknown_column']],
    [{ a: 'variables.__proto__' }, ['forbidden_key']],
    [{ a: 'nowhere' }, ['unknown_column']],
    [{ other: 'to' }, ['unknown_column']],
  ])('cannot be mapped by %j', (map, codes) => {
    expect(codesOf('a', { map })).toEqual(codes);
  });

  test('that every job needs must be there, unless the defaults have it', () => {
    expect(codesOf('subject', { defaults: {} })).toEqual(['missing_column']);
    expect(codesOf('subject', { defaults: { to: 'all' } })).toEqual([]);
    expect(codesOf('to.address', { defaults: {} })).toEqual([]);
    expect(codesOf('mail', { map: { mail: 'to' }, defaults: {} })).toEqual([]);
  });
});

describe('a cell', () => {
  test.each([
    ['to', '0123', '0123'],
    ['to', 'true', 'true'],
    ['to', '"{""address"":""a""}"', { address: 'a' }],
    ['to', '[a] b', '[a] b'],
    ['to', '[1]', '[1]'],
    ['subject', '{"a":1}'.replaceAll('"', '""').replace(/.*/, '"$&"'), '{"a":1}'],
    ['subject', '=SUM(A1)', '=SUM(A1)'],
    ['subject', ' a ', ' a '],
    ['count', '007', 7],
    ['count', ' -5 ', -5],
    ['count', '1e3', 1_000],
    ['count', '1.5', '1.5'],
    ['count', '0x10', '0x10'],
    ['count', '12345678901234567890', '12345678901234567890'],
    ['count', 'Infinity', 'Infinity'],
    ['ratio', '1.5', 1.5],
    ['ratio', '1e999', '1e999'],
    ['ratio', '"1,5"', '1,5'],
    ['urgent', 'TRUE', true],
    ['urgent', 'no', false],
    ['urgent', '1', true],
    ['urgent', 'ja', 'ja'],
    ['redirects', '1', 1],
    ['redirects', 'true', true],
    ['tags', '"[""a"",""b""]"', ['a', 'b']],
    ['tags', 'a', 'a'],
    ['tags', '{}', '{}'],
    ['level', 'high', 'high'],
    ['body', '42', '42'],
    ['body', '"{""a"":[1]}"', { a: [1] }],
    ['body', '{broken', '{broken'],
  ])('of %s: %s', (field, csv, value) => {
    expect(read(`${field},subject\n${csv},\n`.replace('subject,subject', 'subject,level')).payloads).toEqual([
      { [field]: value },
    ]);
  });

  test('of a variable is text, whatever it looks like', () => {
    const { payloads } = read('zip,flag,json\n01234,true,{}\n');
    expect(payloads).toEqual([{ variables: { zip: '01234', flag: 'true', json: '{}' } }]);
  });

  test('that is empty leaves its field out, quoted or not', () => {
    expect(read('to,zip,auth.token\na,"",\n').payloads).toEqual([{ to: 'a' }]);
  });

  test('of JSON may hold no forbidden key, and is not nested too deep', () => {
    const deep = `${'['.repeat(300)}${']'.repeat(300)}`;
    const { rejected } = read(`body,x\n"{""__proto__"":1}",\n${deep},\n`);
    expect(rejected).toEqual([
      { line: 2, code: 'forbidden_key', path: '/body' },
      { line: 3, code: 'too_deep', path: '/body' },
    ]);
  });
});

test('blank lines and rows of empty cells are left out, and count as lines', () => {
  const { payloads, rejected } = read('\n \nto,x\n\n,\n,,,,\na,b\n   \nc\n');
  expect(payloads).toEqual([{ to: 'a', variables: { x: 'b' } }]);
  expect(rejected).toEqual([{ line: 9, code: 'too_few_cells', path: '' }]);
});
