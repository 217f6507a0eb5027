import { defineModule, definePlugin } from '@batchsender/core/plugin';
import { http } from './http-provider.ts';
import { WebhookPayload } from './payload.ts';
import { validate } from './validate.ts';
import { VERSION } from './version.ts';

export { HttpCredentials, WebhookPayload } from './payload.ts';

export default definePlugin({
  name: '@batchsender/plugin-webhook',
  version: VERSION,
  contract: 1,
  modules: [
    defineModule({
      type: 'webhook',
      title: 'Webhook',
      version: 1,
      payload: WebhookPayload,
      validate,
      providers: { http },
    }),
  ],
});
