import { describe, expect, it } from 'vitest';
import { brokenSession, forAll, parseJson, readText, succeeded } from '../../src/plugin/index.ts';

async function* parts(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

describe('the text of an answer', () => {
  it('is all of it, also where a character is cut between two parts', async () => {
    const bytes = Buffer.from('für');
    async function* cut() {
      yield bytes.subarray(0, 2);
      yield bytes.subarray(2);
    }
    expect(await readText(cut(), 4)).toBe('für');
    expect(await readText(null, 4)).toBe('');
  });

  it('is none if it is longer than allowed, and the rest is not read', async () => {
    let read = 0;
    async function* endless() {
      for (;;) {
        read += 1;
        yield Buffer.from('1234');
      }
    }
    expect(await readText(endless(), 10)).toBeUndefined();
    expect(read).toBe(3);
    expect(await readText(parts('1234', '56'), 6)).toBe('123456');
  });

  it('is read as JSON without an error that would quote it', () => {
    expect([parseJson('{"a":[1]}'), parseJson('null'), parseJson('<html>'), parseJson('')]).toEqual([
      { a: [1] },
      null,
      undefined,
      undefined,
    ]);
  });
});

describe('a result for all', () => {
  it('names each job', () => {
    expect(forAll([{ id: 'b.0' }, { id: 'b.1' }], succeeded('r'))).toEqual([
      { ...succeeded('r'), jobId: 'b.0' },
      { ...succeeded('r'), jobId: 'b.1' },
    ]);
  });
});

describe('a session of settings that contradict each other', () => {
  it('blocks, and is not healthy', async () => {
    const session = brokenSession('set one of them');
    const told = { code: 'invalid_settings', message: 'set one of them' };
    expect(session.process(undefined as never, undefined as never)).toMatchObject({
      status: 'blocked',
      ...told,
    });
    expect(await session.health?.(new AbortController().signal)).toEqual(told);
  });
});
