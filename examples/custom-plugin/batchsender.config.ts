import { defineConfig } from '@batchsender/server';
import postcard from './src/index.ts';

export default defineConfig({ plugins: [postcard] });
