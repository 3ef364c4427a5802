/** All migrations of the issuer's store, in order. */
import { books } from './migrations/0001-books.ts'
import { catalogue } from './migrations/0002-catalogue.ts'
import { closing } from './migrations/0004-closing.ts'
import { cards } from './migrations/0005-cards.ts'
import { cases } from './migrations/0006-cases.ts'
import { access } from './migrations/0007-access.ts'
import { hotlist } from './migrations/0008-hotlist.ts'
import { publications } from './migrations/0009-publications.ts'
import { ingest } from './migrations/0010-ingest.ts'
import { consoleIndexes } from './migrations/0011-console-indexes.ts'
import { finalRows } from './migrations/0012-final-rows.ts'
import { contact } from './migrations/0013-contact.ts'
import { terminalNames } from './migrations/0014-terminal-names.ts'
import { moneyDecisions } from './migrations/0015-money-decisions.ts'
import { caseRounds } from './migrations/0016-case-rounds.ts'
import { shelf } from './migrations/0017-shelf.ts'
import { journals } from './migrations/0018-journals.ts'
import { cancelledLots } from './migrations/0019-cancelled-lots.ts'
import type { Migration } from './migrations/migration.ts'

export const migrations: readonly Migration[] = [
  books,
  catalogue,
  closing,
  cards,
  cases,
  access,
  hotlist,
  publications,
  ingest,
  consoleIndexes,
  finalRows,
  contact,
  terminalNames,
  moneyDecisions,
  caseRounds,
  shelf,
  journals,
  cancelledLots,
]
