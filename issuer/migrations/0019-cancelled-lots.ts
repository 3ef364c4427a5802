/** A lot that was cancelled stays so for a voucher, too, whose load turns out void later. */
import type { Migration } from './migration.ts'

export const cancelledLots: Migration = {
  version: 19,
  name: 'cancelled lots',
  statements: [
    'ALTER TABLE voucher_lot ADD COLUMN cancelled_at {int}',
    // When exactly is in the audit log; that it was shows in its vouchers.
    `UPDATE voucher_lot SET cancelled_at = made_at WHERE EXISTS
      (SELECT 1 FROM funding WHERE funding.lot_no = voucher_lot.lot_no AND funding.state = 'cancelled')`,
  ],
}
