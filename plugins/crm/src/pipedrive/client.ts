import { LostCallError, parseJson } from '@batchsender/core/plugin';
import { objectOf, readAnswer, type TextAnswer } from '../http-text.ts';
import { apiOf, type PipedriveCredentials } from './credentials.ts';

const ANSWER_LIMIT = 2_000_000;

/** A request to Pipedrive; the path begins behind `/api/v2`. */
export interface PipedriveRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

export type Pipedrive = (request: PipedriveRequest) => Promise<unknown>;

/** An error status of Pipedrive. */
export class PipedriveError extends Error {
  override readonly name = 'PipedriveError';
  readonly answer: TextAnswer;

  constructor(answer: TextAnswer) {
    super(`Pipedrive answered ${answer.status}`);
    this.answer = answer;
  }
}

/**
 * Makes requests for one call, over the guarded fetch. Answers `data`.
 * @throws PipedriveError for an error status, LostCallError for an answer that is none of Pipedrive.
 */
export function pipedriveClient(
  credentials: PipedriveCredentials,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Pipedrive {
  return async ({ method, path, body }) => {
    const response = await fetch(`${apiOf(credentials)}${path}`, {
      method,
      signal,
      headers: {
        accept: 'application/json',
        'x-api-token': credentials.apiToken,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await readAnswer(response, ANSWER_LIMIT);
    if (!response.ok) throw new PipedriveError(answer);
    const said = objectOf(parseJson(answer.text));
    if (said?.['success'] !== true)
      throw new LostCallError('The answer is not one of Pipedrive', 'invalid_response');
    return said['data'];
  };
}
