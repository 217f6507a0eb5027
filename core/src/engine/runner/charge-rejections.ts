import type { Logger } from '../../plugin/index.ts';
import { runningPlugin } from './running-plugin.ts';

/** Marks the handlers of engines, also of those that another copy of this package made. */
const MARK = Symbol.for('batchsender.chargeRejections');

/**
 * A rejection that nobody awaited, in the code of a plugin, is logged with the plugin's name and
 * does not end the process (E22). Any other one is treated as Node treats it. Answers a function
 * that takes the handler away.
 */
export function chargeRejections(logger: Logger): () => void {
  const handler = (reason: unknown) => {
    const plugin = runningPlugin.getStore();
    if (plugin === undefined) {
      const listeners = process.listeners('unhandledRejection');
      // Without a listener of the app, Node would end the process: the first engine does.
      if (listeners[0] === handler && listeners.every((listener) => MARK in listener)) throw reason;
      return;
    }
    const message = reason instanceof Error ? reason.message : String(reason);
    logger.error(
      { plugin, error: message.slice(0, 300) },
      `Plugin ${plugin} left a rejected promise that nobody awaits`,
    );
  };
  Object.assign(handler, { [MARK]: true });
  process.on('unhandledRejection', handler);
  return () => {
    process.off('unhandledRejection', handler);
  };
}
