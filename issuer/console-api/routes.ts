/** All operations of the console, by area. */
import { accessRoutes } from './access.ts'
import { auditRoutes } from './audit-log.ts'
import { batchRoutes } from './batches.ts'
import { enrolmentRoutes } from './enrolment.ts'
import { liveRoutes } from './live.ts'
import { overviewRoutes } from './overview.ts'
import type { ConsoleRoute } from './route.ts'
import { searchRoutes } from './search.ts'
import { terminalRoutes } from './terminals.ts'

export const consoleRoutes: readonly ConsoleRoute[] = [
  ...accessRoutes,
  ...auditRoutes,
  ...enrolmentRoutes,
  ...liveRoutes,
  ...terminalRoutes,
  ...batchRoutes,
  ...overviewRoutes,
  ...searchRoutes,
]
