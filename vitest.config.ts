import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], testTimeout: 20_000 } },
      {
        test: {
          name: 'compat',
          include: ['compat-tests/**/*.test.ts'],
          exclude: ['compat-tests/image/**'],
          globalSetup: ['compat-tests/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      { test: { name: 'image', include: ['compat-tests/image/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
    ],
  },
});
