import { describe, expect, it } from 'vitest';
import type { WebhookPayload } from '../src/payload.ts';
import { receiverTexts } from '../src/receiver-text.ts';

const payload: WebhookPayload = {
  url: 'https://example.com/hooks/lovelace?k=v1',
  headers: { 'x-customer': 'customer-4711' },
  auth: { type: 'bearer', token: 'token-91f2c7' },
  body: { person: { name: 'Ada Lovelace', phone: 4_479_460_000 }, event: 'paid' },
  variables: { city: 'London' },
};

const texts = (entry: object) => receiverTexts({ ...entry }, payload);

describe('what a receiver says of a job', () => {
  it('is kept as code, message and ref', () => {
    expect(texts({ code: 'no_stock', message: 'Nothing left', ref: 'r-1' })).toEqual({
      code: 'no_stock',
      message: 'Nothing left',
      ref: 'r-1',
    });
    expect(texts({})).toEqual({});
  });

  it.each([
    ['OutOfStock', 'outofstock'],
    ['E-1002', 'e_1002'],
    ['quota exceeded.', 'quota_exceeded'],
    ['42', undefined],
    ['', undefined],
    ['a'.repeat(65), undefined],
    ['ada@example.com', undefined],
    [17, undefined],
    [null, undefined],
    [{ code: 'x' }, undefined],
  ])('has a code in snake_case: %j becomes %j', (code, expected) => {
    expect(texts({ code }).code).toBe(expected);
  });

  it.each([
    ['two\nlines\t here', 'two lines here'],
    ['see https://user:pw@vendor.example/x?token=1', 'see https://vendor.example'],
    ['ask bob@vendor.example for it', 'ask … for it'],
    ['   ', undefined],
    [5, undefined],
    [{ toString: 1 }, undefined],
  ])('has a message that may be kept: %j becomes %j', (message, expected) => {
    expect(texts({ message }).message).toBe(expected);
  });

  it('is cut', () => {
    expect(texts({ message: 'x'.repeat(100_000) }).message).toHaveLength(200);
  });

  it.each([
    ['r_1', 'r_1'],
    [17, '17'],
    ['', undefined],
    ['with space', undefined],
    ['ünï', undefined],
    ['r'.repeat(257), undefined],
    [1.5, undefined],
    [true, undefined],
  ])('has a ref that is an id: %j becomes %j', (ref, expected) => {
    expect(texts({ ref }).ref).toBe(expected);
  });

  it.each([
    'ADA LOVELACE is not known',
    'phone 4479460000 is taken',
    'nobody in london',
    'customer-4711 is locked',
    'token-91f2c7 was refused',
    'no route /hooks/lovelace',
  ])('is left out where it repeats the payload: %s', (message) => {
    expect(texts({ message })).toEqual({});
  });

  it('is left out where the cut would leave half of a name', () => {
    expect(texts({ message: `${'x'.repeat(195)} Ada Lovelace` })).toEqual({});
  });

  it('is left out of code and ref too', () => {
    expect(texts({ code: 'london', ref: 'customer-4711' })).toEqual({});
  });
});
