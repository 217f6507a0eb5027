import { describe, expect, it } from 'vitest';
import { MAX_COLUMNS, mergeColumns, schemaColumns } from '../../../src/engine/decisions/result-columns.ts';
import { Type } from '../../../src/plugin/index.ts';

const column = (name: string, path: string) => ({ name, path });

describe('the columns of a batch', () => {
  it('are those of the first upload, then what later ones add', () => {
    const first = [column('E-Mail', '/to'), column('city', '/variables/city')];
    const later = [column('plan', '/variables/plan'), column('mail', '/to')];
    expect(mergeColumns([], first)).toEqual(first);
    expect(mergeColumns(first, later)).toEqual([...first, later[0]]);
  });

  it('keep their names apart: a name that is taken gives way to the path', () => {
    const merged = mergeColumns([column('name', '/to')], [column('name', '/variables/name')]);
    expect(merged).toEqual([column('name', '/to'), column('/variables/name', '/variables/name')]);
  });

  it('end at a thousand', () => {
    const many = Array.from({ length: 1_500 }, (_, n) => column(`c${n}`, `/variables/c${n}`));
    const merged = mergeColumns(many.slice(0, 700), many);
    expect(merged).toEqual(many.slice(0, MAX_COLUMNS));
  });

  it('follow from the schema where no CSV was uploaded', () => {
    const schema = Type.Object({ to: Type.String(), 'a/b~c': Type.Optional(Type.Number()) });
    expect(schemaColumns(schema)).toEqual([column('to', '/to'), column('a/b~c', '/a~1b~0c')]);
  });

  it('are the whole payload for a schema without fields, or a plugin that is gone', () => {
    const whole = [column('payload', '')];
    expect(schemaColumns(Type.Union([Type.String(), Type.Number()]))).toEqual(whole);
    expect(schemaColumns(undefined)).toEqual(whole);
  });
});
