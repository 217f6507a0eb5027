import type { VendorAnswer } from './http-vendor.ts';

export type Operation = 'insert' | 'update' | 'upsert' | 'delete';

export type Fields = Readonly<Record<string, unknown>>;

export interface RecordError {
  readonly statusCode: string;
  readonly message: string;
  readonly fields: readonly string[];
}

/** A record as one of the APIs brings it. */
export interface Write {
  readonly operation: Operation;
  readonly object: string;
  /** Field of the external id. */
  readonly key?: string | undefined;
  readonly fields: Fields;
}

export type Done = { readonly id: string; readonly created: boolean } | RecordError;

export const error = (status: number, errorCode: string, message: string): VendorAnswer => ({
  status,
  body: [{ errorCode, message }],
});

/** True for a field that the object does not have. */
export const isUnknown = (known: ReadonlySet<string> | undefined, name: string): boolean =>
  known !== undefined && !['attributes', 'id', 'Id'].includes(name) && !known.has(name);

export const refusal = (fields: Fields): RecordError => ({
  statusCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION',
  message: `We do not like ${Object.values(fields).join(' and ')}`,
  fields: ['Email'],
});
