import { describe, expect, it } from 'vitest';
import { bulkBody, groupKey, refusal } from '../src/bulk-call.ts';
import type { WebhookPayload } from '../src/payload.ts';

const url = 'https://example.com/hook';

const job = (id: string, payload: WebhookPayload) => ({
  id,
  batchId: 'b',
  seq: 0,
  payload,
  attempt: 3,
  possibleDuplicate: true,
});

describe('the body of a call for many jobs', () => {
  it('has a version, and each job with its id and body', () => {
    const jobs = [
      job('b.0', { url, body: { a: [1, null] } }),
      job('b.1', { url, body: 'text' }),
      job('b.2', { url, body: null }),
      job('b.3', { url }),
    ];
    expect(JSON.parse(JSON.stringify(bulkBody(jobs)))).toEqual({
      version: 1,
      jobs: [
        { id: 'b.0', body: { a: [1, null] } },
        { id: 'b.1', body: 'text' },
        { id: 'b.2', body: null },
        { id: 'b.3' },
      ],
    });
  });

  it('is the same in a repeat, since some receivers compare what comes under a known webhook-id', () => {
    const first = { ...job('b.0', { url }), attempt: 1, possibleDuplicate: false };
    expect(bulkBody([job('b.0', { url })])).toEqual(bulkBody([first]));
  });
});

describe('jobs that may share a call', () => {
  it('differ in their bodies and variables only', () => {
    const shared = { url, headers: { 'x-a': '1' }, auth: { type: 'bearer', token: 't' } } as const;
    expect(groupKey({ ...shared, body: 1, variables: { a: 1 } })).toBe(groupKey({ ...shared, body: [2] }));
    expect(groupKey({ url, method: 'post' })).toBe(groupKey({ url }));
  });

  it.each<Partial<WebhookPayload>>([
    { url: 'https://example.com/hook?a=1' },
    { method: 'PUT' },
    { headers: { 'x-a': '1' } },
    { auth: { type: 'bearer', token: 't' } },
    { timeoutMs: 5 },
    { successStatuses: [200] },
    { followRedirects: 1 },
    { successBody: { contains: 'ok' } },
  ])('have the same settings: %j makes a difference', (other) => {
    expect(groupKey({ url, ...other })).not.toBe(groupKey({ url }));
  });

  it('are not told apart by a trick with the order of values', () => {
    const one = groupKey({ url, headers: { 'x-a': '1","x-b":"2' } });
    expect(one).not.toBe(groupKey({ url, headers: { 'x-a': '1', 'x-b': '2' } }));
  });

  it('have a body to travel in, and leave the verdict to the list', () => {
    expect(refusal({ url, method: 'get' })).toMatchObject({ status: 'failed', code: 'invalid_method' });
    expect(refusal({ url, method: 'HEAD' })).toMatchObject({ status: 'failed', code: 'invalid_method' });
    expect(refusal({ url, successBody: { contains: 'ok' } })).toMatchObject({ code: 'not_for_bulk' });
    expect(refusal({ url, method: 'PUT' })).toBeUndefined();
  });
});
