/** A lot that was cancelled stays so for a voucher, too, whose load turns out void later. */
import type { Migration } from './migration.ts'

export const cancelledLots: Migration = {
  version: 19,
  name: 'cancelled lots',
  statements: [
    'ALTER TABLE voucher_lot ADD COLUMN cancelled_at {int}',
    // The audit log tells: vouchers of a lot that nobody paid are called cancelled, too, long after they expired.
    `UPDATE voucher_lot SET cancelled_at = (SELECT MIN(audit_log.at) FROM audit_log
      WHERE audit_log.action = 'voucher.lot.cancel' AND audit_log.subject = CAST(voucher_lot.lot_no AS TEXT))`,
  ],
}
