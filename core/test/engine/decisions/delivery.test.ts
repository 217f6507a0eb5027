import { describe, expect, it } from 'vitest';
import { deliveryOf, receiptsOf } from '../../../src/engine/decisions/delivery.ts';
import type { TimelineEvent } from '../../../src/engine/decisions/timeline.ts';

const events = (...kinds: string[]): TimelineEvent[] =>
  kinds.map((kind) => ({ kind, attempt: 1, at: new Date(0), data: null }));

describe('the delivery of a job', () => {
  it('is null while the provider reported nothing', () => {
    expect(deliveryOf(events(), receiptsOf())).toBeNull();
    expect(deliveryOf(events('attempted', 'succeeded', 'late'), receiptsOf())).toBeNull();
  });

  it.each([
    ['delivered', ['succeeded', 'delivered']],
    ['opened', ['delivered', 'opened', 'delivered']],
    ['bounced', ['bounced', 'delivered', 'opened']],
    ['complained', ['clicked', 'complained', 'bounced']],
  ])('is %s after %j', (delivery, kinds) => {
    expect(deliveryOf(events(...kinds), receiptsOf())).toBe(delivery);
  });

  it('follows the kinds and the precedence that a module declares', () => {
    const receipts = receiptsOf([
      { kind: 'read', precedence: 55 },
      { kind: 'delivered', precedence: 70 },
    ]);
    expect(deliveryOf(events('bounced', 'read'), receipts)).toBe('read');
    expect(deliveryOf(events('delivered', 'read', 'complained'), receipts)).toBe('delivered');
  });

  it('is the latest among kinds of the same precedence', () => {
    const receipts = receiptsOf([{ kind: 'read', precedence: 20 }]);
    expect(deliveryOf(events('opened', 'read'), receipts)).toBe('read');
    expect(deliveryOf(events('read', 'opened'), receipts)).toBe('opened');
  });
});
