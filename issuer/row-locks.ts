/** Rows that a transaction's decisions rest on are locked before they are read (store.ts, writeBeside). */
import type { SelectQueryBuilder } from 'kysely'
import { isPostgres } from './bulk-rows.ts'
import type { StoreReader, Tables } from './store.ts'

/** In SQLite a writer is alone, and there is nothing to lock. The query names the order in which it locks. */
export const locking = <From extends keyof Tables, Row>(
  db: Pick<StoreReader, 'getExecutor'>,
  query: SelectQueryBuilder<Tables, From, Row>,
): SelectQueryBuilder<Tables, From, Row> => (isPostgres(db) ? query.forNoKeyUpdate() : query)
