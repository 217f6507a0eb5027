import { type OAuth, type Rate, type Static, secret, Type } from '@batchsender/core/plugin';
import type { CrmPayload } from '../payload.ts';

const API = 'https://api.hubapi.com';

/**
 * Calls in ten seconds that every account has: 100 for an app of one account in the free and starter
 * editions, 110 for a public app (https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines).
 */
const DEFAULT_CALLS = 100;

/** Schema of the credentials of the provider `hubspot`. */
export const HubspotCredentials = Type.Object(
  {
    accessToken: Type.Optional(
      secret({ description: 'Token of a private app, such as pat-eu1-…; OAuth fills it in by itself.' }),
    ),
    refreshToken: Type.Optional(secret({ description: 'OAuth fills it in by itself.' })),
    clientId: Type.Optional(
      Type.String({ minLength: 1, description: 'For OAuth: the client ID of your app.' }),
    ),
    clientSecret: Type.Optional(secret({ description: 'For OAuth: the client secret of your app.' })),
    requestsPerTenSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: 'Calls in ten seconds. Default 100; 190 in the professional and enterprise editions.',
      }),
    ),
    baseUrl: Type.Optional(Type.String({ minLength: 1, description: `Where the API is. Default ${API}.` })),
  },
  // Without any setting the jobs belong into the sandbox.
  { additionalProperties: false, minProperties: 1 },
);

/** The credentials of the provider `hubspot`. */
export type HubspotCredentials = Static<typeof HubspotCredentials>;

export const apiOf = ({ baseUrl = API }: HubspotCredentials): string => baseUrl.replace(/\/+$/, '');

export const ratesOf = ({
  requestsPerTenSeconds = DEFAULT_CALLS,
}: HubspotCredentials): Rate<CrmPayload>[] => [{ per: 'call', max: requestsPerTenSeconds, windowMs: 10_000 }];

/** https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/oauth/working-with-oauth */
export const hubspotOAuth: OAuth<HubspotCredentials> = {
  authorizationUrl: 'https://app.hubspot.com/oauth/authorize',
  tokenUrl: (credentials) => `${apiOf(credentials)}/oauth/v1/token`,
  scopes: ['contacts', 'companies', 'deals'].flatMap((object) => [
    `crm.objects.${object}.read`,
    `crm.objects.${object}.write`,
  ]),
  expiresIn: 1_800,
};
