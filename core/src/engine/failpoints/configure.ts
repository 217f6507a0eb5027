import type { Logger } from '../../plugin/index.ts';
import { parseFailpoints } from './failpoint.ts';
import { Failpoints } from './failpoints.ts';

/** The variable that sets failpoints in a test's process. */
const VARIABLE = 'BATCHSENDER_FAILPOINTS';
/** The variable that allows them outside of tests, with the value `1`. */
const ALLOWED = 'BATCHSENDER_ALLOW_FAILPOINTS';

/**
 * The failpoints that the options or the environment set; undefined without any, so that nothing
 * is wrapped. @throws Error outside of tests, unless they are allowed explicitly.
 */
export function configuredFailpoints(
  option: string | undefined,
  env: NodeJS.ProcessEnv,
  logger: Logger,
): Failpoints | undefined {
  const text = [option, env[VARIABLE]].filter((one) => one !== undefined).join(',');
  const points = parseFailpoints(text);
  if (points.length === 0) return undefined;
  if (env['NODE_ENV'] !== 'test' && env[ALLOWED] !== '1') {
    throw new Error(
      `Failpoints break the engine on purpose and are for tests: remove ${VARIABLE} (or the option ` +
        `tuning.failpoints), or set NODE_ENV=test or ${ALLOWED}=1 if this is one.`,
    );
  }
  return new Failpoints(points, (failpoint) => logger.warn({ failpoint }, 'a failpoint fired'));
}
