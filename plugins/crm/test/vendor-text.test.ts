import { describe, expect, it } from 'vitest';
import type { CrmPayload } from '../src/payload.ts';
import { codeOf, fieldOf, messageOf } from '../src/vendor-text.ts';

const payload: CrmPayload = {
  operation: 'update',
  object: 'Contact',
  id: '003xx000004TmiQAAS',
  record: {
    LastName: 'Lovelace',
    Email: 'ada@example.com',
    Age__c: 3651,
    Account: { Number__c: 'Acme & Co' },
    A: 'x',
  },
};

describe('a vendor code', () => {
  it.each([
    ['REQUIRED_FIELD_MISSING', 'required_field_missing'],
    ['VALIDATION_ERROR.INVALID_EMAIL', 'validation_error_invalid_email'],
    ['invalidGrant', 'invalid_grant'],
    ['', 'other'],
    ['Ada Lovelace', 'other'],
    ['ada@example.com', 'other'],
    [undefined, 'other'],
    [{}, 'other'],
  ])('%j becomes %s', (code, expected) => {
    expect(codeOf(code, 'other')).toBe(expected);
  });
});

describe('a vendor sentence', () => {
  it.each([
    [
      "No such column 'LastName' on sobject of type Contact",
      "No such column 'LastName' on sobject of type Contact",
    ],
    ["No such column 'Grace' on it", 'No such column … on it'],
    ['bad value: LOVELACE (ada@example.com)', 'bad value: … (…)'],
    ['duplicates value on record with id: 003xx000004TmiQAAS', 'duplicates value on record with id: …'],
    ['someone else: grace@navy.example, +1 (555) 123-4567', 'someone else: …, …'],
    ['Acme & Co has 3651', '… has …'],
    ['see https://example.com/secret?token=1', 'see https://example.com'],
  ])('%j is kept as %j', (text, expected) => {
    expect(messageOf(text, payload)).toBe(expected);
  });

  it('is cut, and is nothing if there is none', () => {
    expect(messageOf('word '.repeat(1_000), payload)?.length).toBeLessThanOrEqual(200);
    expect(messageOf(' ', payload)).toBeUndefined();
    expect(messageOf(7, payload)).toBeUndefined();
  });

  it('takes no time for what is made to take long', () => {
    const text = `'${'a'.repeat(100_000)}@${'1 '.repeat(50_000)}`;
    const startedMs = performance.now();
    messageOf(text, { ...payload, record: { a: 'a'.repeat(50_000), b: '1 1 1 1' } });
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});

describe('a field', () => {
  it('is kept if it is a name', () => {
    expect(fieldOf('Account.Number__c')).toBe('Account.Number__c');
    expect(fieldOf('ada@example.com')).toBeUndefined();
    expect(fieldOf(undefined)).toBeUndefined();
  });
});
