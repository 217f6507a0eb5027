import { describe, expect, it } from 'vitest';
import type { CrmPayload } from '../src/payload.ts';
import { recipients } from '../src/recipients.ts';
import { validate } from '../src/validate.ts';

const base: CrmPayload = { operation: 'create', object: 'Contact', record: { LastName: 'Lovelace' } };

const codes = (payload: Partial<CrmPayload>) =>
  validate({ ...base, ...payload }).map(({ path, code }) => `${path} ${code}`);

describe('validate', () => {
  it.each<[string, Partial<CrmPayload>, string[]]>([
    ['a create', {}, []],
    ['a create with an id', { id: '003' }, ['/id id_not_allowed']],
    ['a create with an external id', { externalIdField: 'N' }, ['/externalIdField external_id_not_allowed']],
    ['a create without fields', { record: {} }, ['/record record_required']],
    ['an upsert', { operation: 'upsert', externalIdField: 'N', record: { N: 7 } }, []],
    ['an upsert without a field', { operation: 'upsert' }, ['/externalIdField external_id_field_required']],
    [
      'an upsert without a value',
      { operation: 'upsert', externalIdField: 'N' },
      ['/record/N external_id_required'],
    ],
    [
      'an upsert with an empty value',
      { operation: 'upsert', externalIdField: 'N', record: { N: ' ' } },
      ['/record/N external_id_required'],
    ],
    [
      'an upsert by an object',
      { operation: 'upsert', externalIdField: 'N', record: { N: {} } },
      ['/record/N external_id_required'],
    ],
    [
      'an upsert with an id',
      { operation: 'upsert', id: '1', externalIdField: 'N', record: { N: 'x' } },
      ['/id id_not_allowed'],
    ],
    ['an update by id', { operation: 'update', id: '003' }, []],
    ['an update by external id', { operation: 'update', externalIdField: 'N', record: { N: 'x' } }, []],
    ['an update of nothing', { operation: 'update' }, ['/id id_required']],
    [
      'an update by two ids',
      { operation: 'update', id: '1', externalIdField: 'N', record: { N: 'x' } },
      ['/id two_ids'],
    ],
    ['a delete by id', { operation: 'delete', id: '003', record: {} }, []],
    ['a delete of nothing', { operation: 'delete' }, ['/id id_required']],
  ])('judges %s', (_what, payload, expected) => {
    expect(codes(payload)).toEqual(expected);
  });

  it('refuses names that could get out of a URL, a CSV header or JSON', () => {
    const record = JSON.parse('{"a/b":1,"x,y":1,"__proto__":1,"":1,"ok":{"b d":1}}');
    expect(codes({ record })).toEqual(
      ['/record/a~1b', '/record/x,y', '/record/__proto__', '/record/', '/record/ok/b d'].map(
        (path) => `${path} invalid_field_name`,
      ),
    );
  });

  it('refuses records that are too deep, and values that are too long', () => {
    expect(codes({ record: { a: { b: { c: 1 } } } })).toEqual([]);
    expect(codes({ record: { a: { b: { c: { d: {} } } } } })).toEqual(['/record/a/b/c/d record_too_deep']);
    expect(codes({ record: { a: 'x'.repeat(131_073) } })).toEqual(['/record/a value_too_long']);
  });
});

describe('recipients', () => {
  it('finds the addresses of persons, at any depth and in any field', () => {
    const record = {
      Email: 'Ada@Example.com',
      emails: [{ value: 'a@b.example' }],
      note: 'write to c@d.example',
      n: 1,
    };
    expect(recipients({ ...base, record })).toEqual(['ada@example.com', 'a@b.example']);
    expect(recipients({ operation: 'delete', object: 'Contact', id: '1' })).toEqual([]);
  });
});
