/** Before the suites that run on PostgreSQL: one server for all of them, ended after them. */
import type { TestProject } from 'vitest/node'
import { startCluster } from './test-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Which database a project's suites are to run on. */
    readonly storeKind: 'sqlite' | 'postgres'
    readonly postgresUrl: string
  }
}

export default async (project: TestProject): Promise<() => Promise<void>> => {
  const cluster = await startCluster()
  // Not through the environment: the workers of all projects have that.
  project.provide('postgresUrl', cluster.url)
  return () => cluster.stop()
}
