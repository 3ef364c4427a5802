/**
 * Unit and integration tests, beside the code they test. Those that use a card reader share one pcscd, stop it and
 * plug cards into it, and so run one after the other; `npm test` runs them beside the others (scripts/test.mjs).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { defineConfig } from 'vitest/config'

const folders = [
  'protocol',
  'card',
  'db',
  'main',
  'preload',
  'renderer',
  'chromium',
  'issuer',
  'cli',
  'simulate',
  'faults',
  'scripts',
  'bench',
]
const tests = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && folders.includes(entry.name))
  .flatMap(({ name }) =>
    readdirSync(path.join(import.meta.dirname, name), { recursive: true, encoding: 'utf8' }).map((file) =>
      path.join(name, file),
    ),
  )
  .filter((file) => /\.test\.tsx?$/.test(file))
/** What a test that uses a reader says somewhere: how it is to be run, or what it takes the rig from. */
const usesPcscd = (file: string) =>
  /with-pcscd|scripts\/pcsc\//.test(readFileSync(path.join(import.meta.dirname, file), 'utf8'))

/** The issuer's suites run on both databases: those that leave it to openBench which one. */
const onBothStores = (file: string) =>
  file.startsWith('issuer') &&
  // Of sockets and pages, not of what is stored.
  !/(server|claim-page|ticket-page)\.test\.ts$/.test(file) &&
  /openBench|testStoreUrl/.test(readFileSync(path.join(import.meta.dirname, file), 'utf8'))

/** What is waited for comes at once on a quiet machine; on two busy cores it may take its time. */
const common = {
  environment: 'node',
  testTimeout: 30_000,
  hookTimeout: 30_000,
  expect: { poll: { timeout: 10_000 } },
} as const

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'plain',
          provide: { storeKind: 'sqlite' },
          include: tests.filter((file) => !usesPcscd(file)),
          // Vitest would leave one core of two idle.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: 'postgres',
          provide: { storeKind: 'postgres' },
          include: tests.filter(onBothStores),
          globalSetup: ['issuer/test-postgres-setup.ts'],
          setupFiles: ['issuer/test-postgres-project.ts'],
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...common,
          name: 'pcscd',
          include: tests.filter(usesPcscd),
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
