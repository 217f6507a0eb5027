import { expect, it } from 'vitest';
import { preview } from '../src/preview.ts';

const to = '+4915123456789';

it('tells the number in E.164 and the segments', () => {
  expect(preview({ to: '01512 3456789', country: 'DE', body: 'Hello' })).toEqual({
    to,
    encoding: 'GSM-7',
    segments: 1,
    units: 5,
  });
});

it('offers the replacement of typographic characters where that saves a segment', () => {
  const body = `${'It’s here. '.repeat(8)}`;
  expect(preview({ to, body })).toMatchObject({
    encoding: 'UCS-2',
    segments: 2,
    withSmartEncoding: { encoding: 'GSM-7', segments: 1, body: body.replaceAll('’', "'") },
  });
  expect(preview({ to, body, smartEncoding: true })).toEqual({
    to,
    encoding: 'GSM-7',
    segments: 1,
    units: body.length,
  });
});

it('offers nothing where it saves nothing', () => {
  for (const body of ['It’s', 'Hello', '🎉 It’s here'])
    expect(preview({ to, body })).not.toHaveProperty('withSmartEncoding');
});
