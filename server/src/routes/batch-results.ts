import type { BatchResults, Engine } from '@batchsender/core';
import type { Static } from 'typebox';
import { preferredType } from '../http/accept.ts';
import { HttpProblem } from '../http/problem.ts';
import { csvFormat } from '../results/csv-format.ts';
import { fileName } from '../results/file-name.ts';
import { ndjsonFormat } from '../results/ndjson-format.ts';
import { resultBody } from '../results/result-body.ts';
import type { ResultFormat } from '../results/result-format.ts';
import { BatchParams } from '../schemas/common.ts';
import { problems } from '../schemas/problem.ts';
import { RESULT_FILE, ResultsQuery } from '../schemas/result.ts';
import { invalidParameter } from '../uploads/csv-options.ts';
import { CSV_TYPE as CSV, NDJSON_TYPES } from '../uploads/format.ts';
import type { App } from './app-type.ts';

const [NDJSON] = NDJSON_TYPES;

type Query = Static<typeof ResultsQuery>;

/** `GET /v1/batches/{id}/results`: what became of every job, as a file. */
export function batchResultsRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/batches/:batchId/results',
    {
      // A HEAD would read the whole batch for nothing.
      exposeHeadRoute: false,
      schema: {
        operationId: 'getBatchResults',
        tags: ['Batches'],
        summary: 'Export what became of the jobs',
        description:
          'CSV (`accept: text/csv`, or `?format=csv`) or NDJSON (`accept: application/x-ndjson`, or ' +
          '`?format=ndjson`), in the order of submission. CSV has the columns that were uploaded, or the ' +
          "fields of the type's schema, then ours, whose names begin with `bs_`. Cells that a spreadsheet " +
          'would run as a formula get a leading quote mark; NDJSON is exact.',
        params: BatchParams,
        querystring: ResultsQuery,
        response: { 200: RESULT_FILE, ...problems('batch_not_found', 'not_acceptable') },
      },
    },
    async (request, reply) => {
      const { tenantId, params, query } = request;
      const type = contentType(query, request.headers.accept);
      const states = query.state ?? [];
      const results = await engine.results(params.batchId, {
        tenantId,
        ...(states.length === 0 ? {} : { states }),
      });
      const body = await resultBody(results, formatOf(type, results, query), (error) => {
        request.log.error({ err: error }, 'an export was cut: its connection is closed');
      });
      const name = fileName(results.batch, states, type === CSV ? 'csv' : 'ndjson');
      return reply
        .type(type === CSV ? `${CSV}; charset=utf-8; header=present` : type)
        .header('content-disposition', `attachment; filename="${name}"`)
        .header('vary', 'accept')
        .send(body);
    },
  );
}

/** The type of the answer. @throws HttpProblem `not_acceptable`, `invalid_query`. */
function contentType({ format, bom }: Query, accept: string | undefined): string {
  const asked = format === undefined ? undefined : { csv: CSV, ndjson: NDJSON }[format];
  const type = asked ?? preferredType(accept, [CSV, ...NDJSON_TYPES]);
  if (type === undefined) {
    throw new HttpProblem(
      'not_acceptable',
      `Results come as ${CSV} or ${NDJSON}. Set the accept header to one of them, or add ?format=csv or ?format=ndjson.`,
    );
  }
  if (bom === true && type !== CSV) {
    throw invalidParameter(
      'bom',
      'A byte order mark belongs to CSV. Leave bom out, or ask for CSV with format=csv.',
    );
  }
  return type;
}

const formatOf = (type: string, { columns }: BatchResults, { bom = false }: Query): ResultFormat =>
  type === CSV ? csvFormat(columns, { bom }) : ndjsonFormat();
