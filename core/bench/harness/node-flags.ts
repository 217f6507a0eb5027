/** Those of `npm start`. Every contestant gets the same: a larger young generation helps them all. */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=16', '--conditions=@batchsender/source'];
