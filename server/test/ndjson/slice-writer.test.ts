import { describe, expect, test } from 'vitest';
import { LineError } from '../../src/ndjson/line-error.ts';
import { SliceWriter } from '../../src/ndjson/slice-writer.ts';
import { CollectingUpload } from '../helpers/collecting-upload.ts';

const good = (n: number) => ({ payload: { n } });
const malformed = (line: number) => new LineError(line, 'malformed_json', 'It is no JSON.');

describe('a slice writer', () => {
  test('writes full slices when it is asked to, and the rest at the end', async () => {
    const upload = new CollectingUpload();
    const writer = new SliceWriter(upload, 10);
    for (let n = 0; n < 25; n++) writer.add(good(n), n + 1);
    await writer.writeFull();
    expect(upload.sizes).toEqual([10, 10]);
    await writer.finish();
    await writer.finish();
    expect(upload.sizes).toEqual([10, 10, 5]);
    expect(upload.rows.map(({ line }) => line)).toEqual(Array.from({ length: 25 }, (_, n) => n + 1));
  });

  test('fails with a line that is no row, after the rows before it, and looks at none behind it', async () => {
    const upload = new CollectingUpload();
    const writer = new SliceWriter(upload, 10);
    writer.add(good(1), 1);
    writer.reject(malformed(2));
    writer.reject(new LineError(3, 'line_too_long', 'It is too long.'));
    writer.add({ payload: { bad: true } }, 4);
    const errors = [{ line: 2, path: '', code: 'malformed_json', message: 'It is no JSON.' }];
    await expect(writer.writeFull()).rejects.toMatchObject({
      code: 'invalid_line',
      message: 'Line 2: It is no JSON. Nothing was stored.',
      errors,
    });
    expect(upload.rows).toHaveLength(1);
  });

  test('tells an invalid row before a line that is no row', async () => {
    const writer = new SliceWriter(new CollectingUpload(), 10);
    writer.add({ payload: { bad: true } }, 7);
    writer.reject(malformed(8));
    await expect(writer.finish()).rejects.toMatchObject({ code: 'invalid_payload', errors: [{ line: 7 }] });
  });

  test('names the field that is to blame, where it is one', async () => {
    const writer = new SliceWriter(new CollectingUpload(), 10);
    writer.reject(new LineError(3, 'malformed_json', 'It is no JSON.', '/body'));
    await expect(writer.finish()).rejects.toMatchObject({
      message: 'Line 3, /body: It is no JSON. Nothing was stored.',
      errors: [{ line: 3, path: '/body' }],
    });
  });

  test('has a code of its own for a line that is too long', async () => {
    const writer = new SliceWriter(new CollectingUpload(), 10);
    writer.reject(new LineError(3, 'line_too_long', 'It is too long.'));
    await expect(writer.finish()).rejects.toMatchObject({ code: 'line_too_long', errors: [{ line: 3 }] });
  });

  test('hands skipped lines on in their place', async () => {
    const upload = new CollectingUpload('skip');
    const writer = new SliceWriter(upload, 2, 'skip');
    writer.reject(malformed(1));
    writer.add({ payload: { bad: true } }, 2);
    writer.add(good(3), 3);
    writer.reject(malformed(4));
    await writer.finish();
    expect(upload.skipped).toEqual([
      [1, 'malformed_json'],
      [2, 'invalid_value'],
      [4, 'malformed_json'],
    ]);
    expect(upload.rows).toHaveLength(1);
    expect(upload.sizes).toEqual([2, 2]);
  });
});
