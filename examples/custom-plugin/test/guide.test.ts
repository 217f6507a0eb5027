import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

it('is quoted word for word by the guide for authors of plugins, in under 60 lines', () => {
  const source = read('../src/index.ts');
  expect(read('../../../docs/writing-a-plugin.md')).toContain(`\`\`\`ts\n${source}\`\`\`\n`);
  expect(source.trim().split('\n').length).toBeLessThan(60);
});
