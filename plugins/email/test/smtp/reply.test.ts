import { describe, expect, it } from 'vitest';
import { parseReply, queueIdOf } from '../../src/smtp/reply.ts';

describe('parseReply', () => {
  it.each([
    ['550 5.1.1 No such user', { status: 550, enhanced: '5.1.1' }],
    ['550-5.1.1 No\n550 5.1.1 such user', { status: 550, enhanced: '5.1.1' }],
    ['250', { status: 250, enhanced: undefined }],
    ['550 No such user', { status: 550, enhanced: undefined }],
    ['451 5.7.1 the digits differ', { status: 451, enhanced: undefined }],
    ['550 5.1.1.9 is no code', { status: 550, enhanced: undefined }],
  ])('reads %j', (text, reply) => {
    expect(parseReply(text)).toEqual(reply);
  });

  it.each([undefined, '', 'hello', '2', '25 x', '2500', '199 x', '999 x', '<html>', 'x550 5.1.1'])(
    'takes %j for none',
    (text) => {
      expect(parseReply(text)).toBeUndefined();
    },
  );
});

describe('queueIdOf', () => {
  it.each([
    ['250 2.0.0 Ok: queued as 4XyZ12abc', '4XyZ12abc'],
    ['250 OK id=1tFabc-000000001Xy-2z3A', '1tFabc-000000001Xy-2z3A'],
    ['250 2.0.0 4AP9abcd012345 Message accepted for delivery', '4AP9abcd012345'],
    ['250 2.0.0 OK  1732545000 d2e1a72fcca58-724de55 - gsmtp', 'd2e1a72fcca58-724de55'],
    ['250 Ok 0100018b5c3c0a4f-1234-5678-000000', '0100018b5c3c0a4f-1234-5678-000000'],
    ['250 2.6.0 <x@y> [InternalId=123456789, Hostname=a] Queued mail for delivery', '123456789'],
    ['250 Ok', undefined],
    ['250 queued as <ada@example.com>', undefined],
  ])('finds it in %j', (text, id) => {
    expect(queueIdOf(text)).toBe(id);
  });
});
