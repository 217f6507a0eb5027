import { type Rate, type Static, secret, Type } from '@batchsender/core/plugin';
import type { CrmPayload } from '../payload.ts';

const API = 'https://api.pipedrive.com';

/** Requests in two seconds that the smallest plan has (https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting). */
const DEFAULT_REQUESTS = 20;

/** An upsert makes two requests: one that searches, and one that writes. */
const REQUESTS_A_CALL = 2;

/** Schema of the credentials of the provider `pipedrive`. */
export const PipedriveCredentials = Type.Object(
  {
    apiToken: secret({ description: 'Your personal API token: Personal preferences, API.', minLength: 1 }),
    requestsPerTwoSeconds: Type.Optional(
      Type.Integer({
        minimum: 2,
        maximum: 10_000,
        description: 'Requests in two seconds that your plan has. Default 20, as in the smallest one.',
      }),
    ),
    baseUrl: Type.Optional(
      Type.String({
        minLength: 1,
        description: `Where the API is. Default ${API}, or https://acme.pipedrive.com.`,
      }),
    ),
  },
  { additionalProperties: false },
);

/** The credentials of the provider `pipedrive`. */
export type PipedriveCredentials = Static<typeof PipedriveCredentials>;

export const apiOf = ({ baseUrl = API }: PipedriveCredentials): string =>
  `${baseUrl.replace(/\/+$/, '')}/api/v2`;

export const ratesOf = ({
  requestsPerTwoSeconds = DEFAULT_REQUESTS,
}: PipedriveCredentials): Rate<CrmPayload>[] => [
  { per: 'call', max: Math.max(1, Math.floor(requestsPerTwoSeconds / REQUESTS_A_CALL)), windowMs: 2_000 },
];
