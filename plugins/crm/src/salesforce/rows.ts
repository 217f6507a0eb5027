import { failed, type Job, type JobResult, type JsonValue } from '@batchsender/core/plugin';
import { type CrmPayload, recordOf } from '../payload.ts';

/** How the Bulk API empties a field (https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_csv_valid_record_rows.htm). */
const NULL = '#N/A';

/** A record as a row of CSV: column to text. */
export type Row = Readonly<Record<string, string>>;

/** Why Salesforce cannot be given a job; undefined if it can. */
export function refusalOfJob({
  operation,
  externalIdField,
  id,
  record = {},
}: CrmPayload): JobResult | undefined {
  if ((operation === 'update' || operation === 'delete') && id === undefined) {
    const message = `Salesforce needs its own id to ${operation} a record: give id, or upsert by externalIdField`;
    return failed('id_required', { message });
  }
  const taken = Object.keys(record).find(
    (name) => /^(attributes|id)$/i.test(name) && name !== externalIdField,
  );
  if (taken === undefined) return undefined;
  return failed('invalid_field_name', {
    message: 'A record of Salesforce has no field of this name that can be written: remove it',
    data: { field: taken },
  });
}

/** A record as JSON for sObject Collections. */
export function jsonRecord({ payload }: Job<CrmPayload>): Record<string, unknown> {
  const { object, id } = payload;
  const fields = Object.entries(recordOf(payload)).map(([name, value]) => [name, jsonValue(value)] as const);
  return {
    attributes: { type: object },
    ...(id === undefined ? {} : { id }),
    ...Object.fromEntries(fields),
  };
}

/** Picklists of several values are one text, with semicolons. */
const jsonValue = (value: JsonValue): unknown => {
  if (Array.isArray(value)) return value.join(';');
  return value === '' ? null : value;
};

/** A record as a row for the Bulk API; a reference by external id is a column such as `Account.Number__c`. */
export function rowOf(payload: CrmPayload): Row {
  const { operation, id } = payload;
  const row: Record<string, string> = {};
  if (id !== undefined) row['Id'] = id;
  if (operation !== 'delete') fill(row, recordOf(payload), '');
  return row;
}

function fill(
  row: Record<string, string>,
  fields: Readonly<Record<string, JsonValue>>,
  prefix: string,
): void {
  for (const [name, value] of Object.entries(fields)) {
    if (Array.isArray(value)) row[`${prefix}${name}`] = value.length === 0 ? NULL : value.join(';');
    else if (typeof value === 'object' && value !== null) {
      fill(row, value as Readonly<Record<string, JsonValue>>, `${prefix}${name}.`);
    } else row[`${prefix}${name}`] = value === null || value === '' ? NULL : String(value);
  }
}
