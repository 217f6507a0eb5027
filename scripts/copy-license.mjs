// `prepack` of every published package: npm packs no file from outside a package's folder.
import { copyFileSync } from 'node:fs';

copyFileSync(new URL('../LICENSE', import.meta.url), 'LICENSE');
