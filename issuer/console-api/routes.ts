/** All operations of the console, by area. */
import { accessRoutes } from './access.ts'
import { auditRoutes } from './audit-log.ts'
import { batchRoutes } from './batches.ts'
import { bulletinRoutes } from './bulletin.ts'
import { cardRoutes } from './cards.ts'
import { caseRoutes } from './cases.ts'
import { catalogueRoutes } from './catalogue.ts'
import { enrolmentRoutes } from './enrolment.ts'
import { fundingRoutes } from './funding.ts'
import { journalRoutes } from './journal.ts'
import { ledgerRoutes } from './ledger.ts'
import { liveRoutes } from './live.ts'
import { merchantRoutes } from './merchants.ts'
import { overviewRoutes } from './overview.ts'
import type { ConsoleRoute } from './route.ts'
import { searchRoutes } from './search.ts'
import { settlementRoutes } from './settlement.ts'
import { terminalRoutes } from './terminals.ts'

export const consoleRoutes: readonly ConsoleRoute[] = [
  ...accessRoutes,
  ...auditRoutes,
  ...batchRoutes,
  ...cardRoutes,
  ...caseRoutes,
  ...bulletinRoutes,
  ...catalogueRoutes,
  ...enrolmentRoutes,
  ...fundingRoutes,
  ...journalRoutes,
  ...ledgerRoutes,
  ...liveRoutes,
  ...merchantRoutes,
  ...overviewRoutes,
  ...searchRoutes,
  ...settlementRoutes,
  ...terminalRoutes,
]
