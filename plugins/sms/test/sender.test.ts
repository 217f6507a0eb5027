import { describe, expect, it } from 'vitest';
import { parseSender } from '../src/sender.ts';
import { SERVICE_SID } from './helpers/twilio-server.ts';

describe('parseSender', () => {
  it.each<[from: string, kind: string, value: string]>([
    ['+1 202 555 0188', 'number', '+12025550188'],
    ['12345', 'shortCode', '12345'],
    ['Example', 'name', 'Example'],
    ['My Shop 24', 'name', 'My Shop 24'],
    ['A', 'name', 'A'],
    [SERVICE_SID, 'messagingService', SERVICE_SID],
  ])('reads %j as a %s', (from, kind, value) => {
    expect(parseSender(from)).toEqual({ kind, value });
  });

  it.each([
    '',
    ' ',
    'Example Shop', // 12 characters
    'Äpfel',
    'Shop!',
    '12',
    '123456789',
    '12025550188',
    '+1',
    '+447700900123',
    SERVICE_SID.toUpperCase(),
    `${SERVICE_SID}0`,
    'a\nb',
  ])('takes %j for none', (from) => {
    expect(parseSender(from)).toBeUndefined();
  });
});
