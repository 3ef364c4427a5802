/** Before the suites that run on PostgreSQL: one server for all of them, ended after them. */
import { startCluster } from './test-postgres.ts'

export default async (): Promise<() => Promise<void>> => {
  const cluster = await startCluster()
  // Inherited by the workers, where openBench finds it.
  process.env.FARTHING_TEST_POSTGRES = cluster.url
  return () => cluster.stop()
}
