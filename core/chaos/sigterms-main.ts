/** 50 SIGTERMs under load: `npm run chaos:sigterm -- --count N --seed S`. */
import { runLoop } from './command.ts';
import { sigterms } from './sigterms.ts';

await runLoop('SIGTERM under load', 50, sigterms);
