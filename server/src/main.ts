#!/usr/bin/env node
import { limitHeapGrowth } from './cli/limit-heap.ts';

limitHeapGrowth();
// Loaded after that, so that what loading needs for a moment is collected too.
const { run } = await import('./cli/run.ts');

await run(process.argv.slice(2));
