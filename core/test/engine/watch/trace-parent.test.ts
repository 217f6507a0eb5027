import { expect, it } from 'vitest';
import {
  activeTraceParent,
  parseTraceParent,
  sharedTraceParent,
} from '../../../src/engine/watch/trace-parent.ts';

const text = (flags: string, span = '1') =>
  `00-0af7651916cd43dd8448eb211c80319c-${span.padStart(16, '0')}-${flags}`;

it('reads the text that it was written as, and takes nothing else for a context', () => {
  expect(parseTraceParent(text('01', 'ab'))).toEqual({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: '00000000000000ab',
    traceFlags: 1,
    isRemote: true,
  });
  for (const wrong of [null, '', 'x', text('01', '0'), `00-${'0'.repeat(32)}-b7ad6b7169203331-01`])
    expect([wrong, parseTraceParent(wrong)]).toEqual([wrong, undefined]);
});

it('is null where nothing is traced', () => {
  expect(activeTraceParent()).toBeNull();
});

it('of jobs that share a batch, the first that is recorded is the parent', () => {
  expect(sharedTraceParent([null, text('00', '1'), text('01', '2'), text('01', '3')])).toBe(text('01', '2'));
  expect(sharedTraceParent([null, text('00', '1')])).toBe(text('00', '1'));
  expect(sharedTraceParent([null])).toBeNull();
});
