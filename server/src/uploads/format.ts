/** Content types of NDJSON; they mean the same. */
export const NDJSON_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'] as const;

/** Content type of CSV. */
export const CSV_TYPE = 'text/csv';

/** Content type of a batch with a file. */
export const FORM_TYPE = 'multipart/form-data';

/** Content types that an upload may have. */
export const UPLOAD_TYPES = [...NDJSON_TYPES, CSV_TYPE] as const;

/** In which form the jobs of an upload are written. */
export type UploadFormat = 'ndjson' | 'csv';

/** The format of a content type, which may have parameters; undefined for a type of another kind. */
export function formatOf(contentType: string | undefined): UploadFormat | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === CSV_TYPE) return 'csv';
  return NDJSON_TYPES.some((one) => one === type) ? 'ndjson' : undefined;
}

/** The parameter `charset` of a content type. */
export function charsetOf(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType ?? '')?.[1];
}
