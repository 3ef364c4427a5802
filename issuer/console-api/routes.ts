/** All operations of the console, by area. */
import { accessRoutes } from './access.ts'
import { auditRoutes } from './audit-log.ts'
import { enrolmentRoutes } from './enrolment.ts'
import { liveRoutes } from './live.ts'
import type { ConsoleRoute } from './route.ts'
import { terminalRoutes } from './terminals.ts'

export const consoleRoutes: readonly ConsoleRoute[] = [
  ...accessRoutes,
  ...auditRoutes,
  ...enrolmentRoutes,
  ...liveRoutes,
  ...terminalRoutes,
]
