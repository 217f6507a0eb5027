import type { Logger } from '../../plugin/index.ts';
import { runningPlugin } from './runner.ts';

/**
 * A rejection that nobody awaited, in the code of a plugin, is logged with the plugin's name and
 * does not end the process (E22). Any other one is treated as Node treats it. Answers a function
 * that takes the handler away.
 */
export function chargeRejections(logger: Logger): () => void {
  const handler = (reason: unknown) => {
    const plugin = runningPlugin.getStore();
    if (plugin === undefined) {
      if (process.listenerCount('unhandledRejection') === 1) throw reason;
      return;
    }
    const message = reason instanceof Error ? reason.message : String(reason);
    logger.error({ plugin, error: message.slice(0, 300) }, `Plugin ${plugin} left a rejected promise that nobody awaits`);
  };
  process.on('unhandledRejection', handler);
  return () => {
    process.off('unhandledRejection', handler);
  };
}
