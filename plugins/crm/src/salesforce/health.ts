import type { JobResult, Logger } from '@batchsender/core/plugin';
import { objectOf } from '../http-text.ts';
import { errorOf, judgeCall } from './judge.ts';
import type { Salesforce } from './transport.ts';

type Reason = { readonly code: string; readonly message: string };

/** Calls a day, of the organisation and of all who call it (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_limits.htm). */
export async function health(
  { connection, last }: Salesforce,
  refused: () => JobResult,
  logger: Logger,
): Promise<Reason | undefined> {
  try {
    const limits = objectOf(await connection.request('/limits'));
    const requests = objectOf(limits?.['DailyApiRequests']);
    const batches = objectOf(limits?.['DailyBulkApiBatches']);
    const { Max: max, Remaining: left } = requests ?? {};
    if (typeof max !== 'number' || typeof left !== 'number') {
      return {
        code: 'invalid_response',
        message: 'Salesforce did not answer its limits: is instanceUrl right?',
      };
    }
    logger.info(
      { dailyApiRequests: max, remaining: left, bulkBatchesRemaining: batches?.['Remaining'] ?? null },
      'what Salesforce has left of its limits for today',
    );
    if (left > 0) return undefined;
    return { code: 'daily_limit', message: `All ${max} API calls of the last 24 hours are used up` };
  } catch (error) {
    const answer = last();
    if (answer === undefined || answer.status < 400) throw error;
    const result = judgeCall(answer, errorOf(answer), refused);
    const { code = `http_${answer.status}`, message = `Salesforce answered ${answer.status}` } = (result ??
      {}) as Partial<Reason>;
    return { code, message };
  }
}
