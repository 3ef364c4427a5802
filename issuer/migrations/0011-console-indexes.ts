/** What the console's pages need to be quick over a million entries: sales by time, batches by arrival, exceptions by batch. */
import type { Migration } from './migration.ts'

export const consoleIndexes: Migration = {
  version: 11,
  name: 'console-indexes',
  statements: [
    // Holds all that sums of sales are made of: the table itself is not read.
    `CREATE INDEX sale_by_time ON settlement (order_time, terminal_no, amount_minor)
      WHERE order_type = 'payment' AND exception IS NULL`,
    'CREATE INDEX batch_by_arrival ON batch (received_at, batch_pk)',
    'CREATE INDEX batch_by_terminal ON batch (terminal_no, received_at, batch_pk)',
    'CREATE INDEX entry_exception_by_batch ON entry_exception (terminal_no, epoch, batch_no, entry)',
    'CREATE INDEX entry_exception_by_time ON entry_exception (noted_at, exception_no)',
  ],
}
