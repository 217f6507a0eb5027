/** 1,000 lost COMMIT replies and 1,000 dropped provider replies: `npm run chaos:replies -- --count N --seed S`. */
import { runLoop } from './command.ts';
import { lostReplies } from './lost-replies.ts';

await runLoop('lost replies', 1_000, lostReplies);
