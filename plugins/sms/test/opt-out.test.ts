import { describe, expect, it } from 'vitest';
import { optOutAnswer, optOutOf } from '../src/opt-out.ts';

describe('optOutOf', () => {
  it.each([
    'STOP',
    'stop',
    ' Stop \n',
    'StopAll',
    'unsubscribe',
    'CANCEL',
    'End',
    'quit',
    'revoke',
    'optout',
  ])('takes %j for a wish to hear no more', (text) => {
    expect(optOutOf(text)).toBe('stop');
  });

  it.each(['START', 'unstop', 'Yes'])('takes %j for a wish to hear again', (text) => {
    expect(optOutOf(text)).toBe('start');
  });

  it.each(['Stop please', 'Do not stop', 'STOP!', '', 'HELP', 'constructor', 'Yes, please'])(
    'sees no wish in %j',
    (text) => {
      expect(optOutOf(text)).toBeUndefined();
    },
  );
});

describe('optOutAnswer', () => {
  it('suppresses and lifts the number in E.164', () => {
    expect(optOutAnswer('stop', '+4915123456789')).toEqual({
      events: [],
      suppress: [{ recipient: '+4915123456789', reason: 'unsubscribed' }],
    });
    expect(optOutAnswer('start', '+4915123456789')).toEqual({ events: [], lift: ['+4915123456789'] });
  });

  it.each(['', '12345', 'Example'])('does nothing for the sender %j, which is no phone', (number) => {
    expect(optOutAnswer('stop', number)).toEqual({ events: [] });
  });
});
