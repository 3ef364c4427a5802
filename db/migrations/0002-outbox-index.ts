/**
 * Version 2: which batch to send again is asked at every sync and stands behind each batch's bytes. Without this, a year's
 * batches are read to answer it.
 */
export const outboxIndexMigration = `
CREATE INDEX batch_out_of_order ON batch (epoch, batch_no) WHERE verdict = 'outOfOrder';
`
