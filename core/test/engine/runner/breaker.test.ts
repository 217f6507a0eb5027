import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Breaker, DEFAULT_BREAKER } from '../../../src/engine/runner/breaker.ts';

const settings = { minimumVolume: 4, failureRatio: 0.5, windowMs: 1_000, openMs: 100, maxOpenMs: 300 };

function call(breaker: Breaker, success: boolean, now: number): void {
  breaker.started(now);
  breaker.ended(success, now);
}

function opened(now = 0): Breaker {
  const breaker = new Breaker(settings);
  for (let i = 0; i < 4; i++) call(breaker, false, now);
  return breaker;
}

describe('a circuit breaker', () => {
  it('E19: lets calls through while it is closed', () => {
    expect(new Breaker().waitMs(0)).toBe(0);
    expect(new Breaker().state).toBe('closed');
  });

  it('E19: needs a minimum of calls before the ratio means anything', () => {
    const breaker = new Breaker(settings);
    for (let i = 0; i < 3; i++) call(breaker, false, 0);
    expect(breaker.state).toBe('closed');
    call(breaker, false, 0);
    expect(breaker.state).toBe('open');
  });

  it('E19: opens at the ratio of failures, not below', () => {
    const breaker = new Breaker(settings);
    for (const success of [true, true, true, false, true, false, false]) call(breaker, success, 0);
    expect(breaker.state).toBe('closed');
    call(breaker, false, 0);
    expect(breaker.state).toBe('open');
  });

  it('E19: forgets what is older than its window', () => {
    const breaker = new Breaker(settings);
    for (let i = 0; i < 3; i++) call(breaker, false, 0);
    call(breaker, false, 1_000);
    expect(breaker.state).toBe('closed');
  });

  it('E19: tells how long to wait while it is open', () => {
    const breaker = opened(50);
    expect(breaker.waitMs(60)).toBe(90);
    expect(breaker.idle).toBe(false);
  });

  it('E19: lets one probe through when its time is over, and closes with its success', () => {
    const breaker = opened();
    expect(breaker.waitMs(100)).toBe(0);
    breaker.started(100);
    expect(breaker.state).toBe('half-open');
    expect(breaker.waitMs(101)).toBeGreaterThan(0);
    breaker.ended(true, 110);
    expect(breaker.state).toBe('closed');
    expect(breaker.idle).toBe(true);
    for (let i = 0; i < 3; i++) call(breaker, false, 111);
    expect(breaker.state).toBe('closed');
  });

  it('E19: opens for twice as long with every failed probe, up to its limit', () => {
    const breaker = opened();
    let now = 100;
    for (const openMs of [200, 300, 300]) {
      call(breaker, false, now);
      expect(breaker.waitMs(now)).toBe(openMs);
      now += openMs;
    }
  });

  it('E19: is not moved by calls that were under way when it opened', () => {
    const breaker = opened();
    breaker.ended(true, 10);
    breaker.ended(false, 20);
    expect(breaker.state).toBe('open');
    expect(breaker.waitMs(20)).toBe(80);
  });

  it('E19: gives the probe to another call if it never started', () => {
    const breaker = opened();
    breaker.started(100);
    breaker.notStarted();
    expect(breaker.waitMs(100)).toBe(0);
  });

  it('E19: can be opened by an endpoint that asks for patience', () => {
    const breaker = new Breaker();
    breaker.open(0, 2_000);
    expect(breaker.waitMs(500)).toBe(1_500);
    breaker.open(0, 1_000);
    expect(breaker.waitMs(500)).toBe(1_500);
  });

  it('E19: never keeps an endpoint closed off for ever, over any history', () => {
    const steps = fc.array(
      fc.record({ success: fc.boolean(), afterMs: fc.nat(5_000), starts: fc.boolean() }),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const breaker = new Breaker();
        let now = 0;
        for (const { success, afterMs, starts } of list) {
          now += afterMs;
          if (breaker.waitMs(now) > 0) continue;
          breaker.started(now);
          if (starts) breaker.ended(success, now);
          else breaker.notStarted();
        }
        expect(breaker.waitMs(now)).toBeLessThanOrEqual(DEFAULT_BREAKER.maxOpenMs);
        expect(breaker.waitMs(now + DEFAULT_BREAKER.maxOpenMs)).toBe(0);
      }),
    );
  });
});

it('tells each change of its state once', () => {
  const changes: string[] = [];
  const breaker = new Breaker(settings, (state) => changes.push(state));
  for (let i = 0; i < 4; i++) breaker.ended(false, 0);
  expect(changes).toEqual(['open']);
  breaker.open(1, 10);
  const failing = breaker.waitMs(1) + 1;
  breaker.started(failing);
  breaker.ended(false, failing);
  const working = failing + breaker.waitMs(failing);
  breaker.started(working);
  breaker.ended(true, working);
  expect(changes).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
});
