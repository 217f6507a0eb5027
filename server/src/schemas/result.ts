import { type TUnsafe, Type } from 'typebox';
import { COMPONENT, oneOfStrings, openObject, strict, Time } from './common.ts';
import { JobStateSchema, summaryFields } from './job.ts';

const { batchId: _batchId, ...fields } = summaryFields;

/** A job as exports have it: a line of NDJSON. */
export const ResultSchema = strict(
  {
    ...fields,
    settledAt: Type.Union([Time, Type.Null()], { description: 'Time of the outcome that holds.' }),
    payload: openObject({ description: "As submitted, without the batch's defaults." }),
  },
  { [COMPONENT]: 'Result' },
);

/** Query of an export. */
export const ResultsQuery = strict({
  format: Type.Optional(
    oneOfStrings(['csv', 'ndjson'], { description: 'Counts more than the header `accept`.' }),
  ),
  state: Type.Optional(
    Type.Array(JobStateSchema, {
      minItems: 1,
      description: 'Only jobs in these states; with commas, or repeated. Default: all.',
    }),
  ),
  bom: Type.Optional(
    Type.Boolean({ description: 'CSV with a byte order mark, which old spreadsheets need. Default false.' }),
  ),
});

/** The answer: a file in one of two forms. */
export const RESULT_FILE: { description: string; content: Record<string, { schema: TUnsafe<unknown> }> } = {
  description:
    'The whole file. If the database fails in the middle, the connection is cut: a file that ends without ' +
    'an error of the client is complete.',
  content: {
    'text/csv': {
      schema: Type.Unsafe({ type: 'string', description: 'RFC 4180, UTF-8, with a header row.' }),
    },
    'application/x-ndjson': { schema: Type.Unsafe<unknown>(ResultSchema) },
  },
};
