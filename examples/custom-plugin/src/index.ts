import {
  callError,
  classifyHttp,
  defineModule,
  definePlugin,
  defineProvider,
  LostCallError,
  secret,
  succeeded,
  Type,
  variables,
} from '@batchsender/core/plugin';

const line = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const closed = { additionalProperties: false };

const payload = Type.Object(
  { name: line(80), address: line(200), country: line(2), text: line(400), variables: variables() },
  closed,
);
const credentials = Type.Object({ apiKey: secret(), baseUrl: Type.Optional(Type.String()) }, closed);

const press = defineProvider({
  title: 'Postcard Press',
  payload,
  credentials,
  guarantee: { kind: 'keyed', scope: 'job', ttlMs: 86_400_000 },
  rates: [{ per: 'call', max: 20, windowMs: 1_000 }],
  timeoutMs: 10_000,
  open: ({ apiKey, baseUrl = 'https://api.postcard-press.example' }, { fetch }) => ({
    async process({ payload: { variables: _, ...card } }, { idempotencyKey, signal }) {
      const auth = { authorization: `Bearer ${apiKey}`, 'idempotency-key': idempotencyKey };
      const headers = { 'content-type': 'application/json', ...auth };
      const request = { method: 'POST', headers, body: JSON.stringify(card), signal };
      let response: Response;
      let body: string;
      try {
        response = await fetch(`${baseUrl}/v1/cards`, request);
        body = await response.text();
      } catch (error) {
        throw callError(error);
      }
      if (!response.ok) return classifyHttp(response, { blocked: [401, 403], throttles: 'connection' });
      const id = /"id":"(card_\w+)"/.exec(body)?.[1];
      // A success that names no card is no answer of the press: nobody knows, so the guarantee decides.
      if (id === undefined) throw new LostCallError('The answer names no card', 'invalid_response');
      return succeeded(id);
    },
  }),
});

export default definePlugin({
  name: '@batchsender/example-custom-plugin',
  version: '0.1.0',
  contract: 1,
  modules: [defineModule({ type: 'postcard', title: 'Postcard', version: 1, payload, providers: { press } })],
});
