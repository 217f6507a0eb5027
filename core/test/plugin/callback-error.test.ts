import { describe, expect, it } from 'vitest';
import { callbackRefused, refusedCallback } from '../../src/plugin/index.ts';

describe('a refused callback', () => {
  it('is known by its status and code', () => {
    const error = callbackRefused(401, 'invalid_signature', 'The signature is wrong');
    expect(refusedCallback(error)).toEqual({
      status: 401,
      code: 'invalid_signature',
      message: 'The signature is wrong',
    });
  });

  it('is known when it comes from another copy of this package', () => {
    const error = Object.assign(new Error('No body'), { callbackStatus: 400, code: 'empty_body' });
    expect(refusedCallback(error)?.status).toBe(400);
  });

  it('is nothing else', () => {
    for (const error of [
      new Error('x'),
      'x',
      undefined,
      Object.assign(new Error('x'), { callbackStatus: 403, code: 'x' }),
    ])
      expect(refusedCallback(error)).toBeUndefined();
  });
});
