import { type OAuth, type Static, secret, Type } from '@batchsender/core/plugin';

/** Winter '25; each version is supported for three years at least (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/api_rest_eol.htm). */
const API_VERSION = '62.0';

/** Schema of the credentials of the provider `salesforce`. */
export const SalesforceCredentials = Type.Object(
  {
    instanceUrl: Type.String({
      minLength: 1,
      description: 'Your My Domain, such as https://acme.my.salesforce.com. OAuth puts it right by itself.',
    }),
    accessToken: Type.Optional(
      secret({ description: 'OAuth fills it in by itself; or a token of your own.' }),
    ),
    refreshToken: Type.Optional(secret({ description: 'OAuth fills it in by itself.' })),
    clientId: Type.Optional(
      Type.String({ minLength: 1, description: 'For OAuth: the consumer key of your app.' }),
    ),
    clientSecret: Type.Optional(secret({ description: 'For OAuth: the consumer secret of your app.' })),
    consumerKey: Type.Optional(
      // Not `clientId`: with that one a person is to grant access.
      Type.String({ minLength: 1, description: 'For client credentials: the consumer key of your app.' }),
    ),
    consumerSecret: Type.Optional(secret({ description: 'For client credentials: the consumer secret.' })),
    loginUrl: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Where tokens come from, if not from instanceUrl: such as https://login.salesforce.com.',
      }),
    ),
    apiVersion: Type.Optional(
      Type.String({
        pattern: '^[0-9]{2,3}\\.0$',
        description: `Version of the API. Default ${API_VERSION}.`,
      }),
    ),
  },
  { additionalProperties: false },
);

/** The credentials of the provider `salesforce`. */
export type SalesforceCredentials = Static<typeof SalesforceCredentials>;

export const versionOf = ({ apiVersion = API_VERSION }: SalesforceCredentials): string => apiVersion;

/** Where tokens come from; client credentials are given by a My Domain alone. */
export const loginOf = ({ loginUrl, instanceUrl }: SalesforceCredentials): string =>
  (loginUrl ?? instanceUrl).replace(/\/+$/, '');

/** https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_web_server_flow.htm */
export const salesforceOAuth: OAuth<SalesforceCredentials> = {
  authorizationUrl: (credentials) => `${loginOf(credentials)}/services/oauth2/authorize`,
  tokenUrl: (credentials) => `${loginOf(credentials)}/services/oauth2/token`,
  scopes: ['api', 'refresh_token'],
  // Salesforce does not say how long a token lives: the session's timeout rules, two hours unless it was changed.
  expiresIn: 7_200,
  fields: ({ instance_url: instanceUrl }) => (typeof instanceUrl === 'string' ? { instanceUrl } : {}),
};
