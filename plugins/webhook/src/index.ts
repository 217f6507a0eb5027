import { defineModule, definePlugin, type Plugin } from '@batchsender/core/plugin';
import { type BulkOptions, bulkProvider } from './bulk-provider.ts';
import { http } from './http-provider.ts';
import { WebhookPayload } from './payload.ts';
import { sandbox } from './sandbox-provider.ts';
import { validate } from './validate.ts';
import { VERSION } from './version.ts';

export { BulkCredentials } from './bulk-credentials.ts';
export type { BulkOptions } from './bulk-provider.ts';
export { HttpCredentials } from './credentials.ts';
export { WebhookPayload } from './payload.ts';
export { SandboxCredentials } from './sandbox-provider.ts';
export { publicKeyOf } from './sign.ts';

/** What can be set when the plugin is made by hand. */
export interface WebhookPluginOptions {
  /** Limits of the calls of the provider `bulk`. */
  readonly bulk?: BulkOptions;
}

/**
 * Makes the plugin with other limits than the default export has.
 *
 * @example
 * createEngine({ database, plugins: [webhookPlugin({ bulk: { batchSize: 20 } })] });
 */
export function webhookPlugin(options: WebhookPluginOptions = {}): Plugin {
  return definePlugin({
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
        providers: { http, bulk: bulkProvider(options.bulk), sandbox },
      }),
    ],
  });
}

export default webhookPlugin();
