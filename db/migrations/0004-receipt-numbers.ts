/**
 * Version 4: captured payments are numbered without gaps (docs/OPERATIONS.md, Receipts). What was captured before gets its
 * number in the order in which it was captured: by the first of its entries.
 */
export const receiptNumbersMigration = `
ALTER TABLE intent ADD COLUMN receipt_no INTEGER CHECK (receipt_no >= 1);

UPDATE intent SET receipt_no = numbered.receipt_no FROM (
  SELECT terminal_seq, row_number() OVER (ORDER BY captured, terminal_seq) AS receipt_no FROM (
    SELECT terminal_seq, (
      SELECT min(entry.id) FROM entry
      WHERE entry.card_id = intent.card_id AND entry.counter = intent.counter AND entry.status = 'captured'
    ) AS captured
    FROM intent WHERE type = 'payment' AND state IN ('captured', 'reversed')
  )
) AS numbered WHERE intent.terminal_seq = numbered.terminal_seq;

CREATE UNIQUE INDEX intent_receipt_no ON intent (receipt_no) WHERE receipt_no IS NOT NULL;
`
