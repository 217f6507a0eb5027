import { describe, expect, it } from 'vitest';
import type { SmsPayload } from '../src/payload.ts';
import { recipients } from '../src/recipients.ts';
import { validate } from '../src/validate.ts';
import { SMS } from './helpers/session.ts';

const problems = (payload: Partial<SmsPayload>) =>
  validate({ ...SMS, ...payload }).map(({ path, code }) => `${path} ${code}`);

describe('validate', () => {
  it.each<Partial<SmsPayload>>([
    {},
    { to: '0151 23456789', country: 'DE' },
    { from: 'Example' },
    { body: 'a'.repeat(1_530) },
    { body: '👍'.repeat(330) },
    { body: `${'a'.repeat(900)}’`, smartEncoding: true },
  ])('has nothing against %j', (payload) => {
    expect(problems(payload)).toEqual([]);
  });

  it.each<[Partial<SmsPayload>, string]>([
    [{ to: '0151 23456789' }, '/to country_missing'],
    [{ to: '0151 23456789', country: 'ZZ' }, '/country unknown_country'],
    [{ to: '+19005550123' }, '/to premium_number'],
    [{ from: 'A sender with a long name' }, '/from invalid_sender'],
    [{ body: ' \n ' }, '/body no_content'],
    [{ body: 'a'.repeat(1_531) }, '/body too_many_segments'],
    [{ body: '👍'.repeat(331) }, '/body too_many_segments'],
    [{ body: `${'a'.repeat(900)}’` }, '/body too_many_segments'],
    [{ body: `${'a'.repeat(900)}’я`, smartEncoding: true }, '/body too_many_segments'],
  ])('has something against %j', (payload, problem) => {
    expect(problems(payload)).toEqual([problem]);
  });

  it('says how to mend a national number and a long text', () => {
    expect(validate({ ...SMS, to: '0151 23456789' })[0]?.message).toMatch(/\+49.*which country/);
    expect(validate({ ...SMS, body: 'я'.repeat(700) })[0]?.message).toMatch(
      /11 messages in UCS-2.*SMS alphabet/,
    );
  });

  it('finds all problems at once', () => {
    expect(problems({ to: '1', from: '!', body: ' ' })).toHaveLength(3);
  });
});

describe('recipients', () => {
  it('gives the number in E.164, however it was written', () => {
    expect(recipients({ ...SMS, to: '0151 / 23456789', country: 'DE' })).toEqual(['+4915123456789']);
    expect(recipients({ ...SMS, to: '+49 151 23456789' })).toEqual(['+4915123456789']);
    expect(recipients({ ...SMS, to: 'nobody' })).toEqual([]);
  });
});
