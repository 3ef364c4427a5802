/** A card's life at the issuer: what loads are funded with, money back, and how a card ends. */
import type { Migration } from './migration.ts'

export const cards: Migration = {
  version: 5,
  name: 'cards',
  statements: [
    // As personalised here; absent: the card was made elsewhere. blocked_at: since when it is on the hotlist, by whom and why.
    'ALTER TABLE card ADD COLUMN expires_at {int}',
    'ALTER TABLE card ADD COLUMN balance_max_minor {int}',
    'ALTER TABLE card ADD COLUMN pin_free_max_minor {int}',
    'ALTER TABLE card ADD COLUMN personalised_at {int}',
    'ALTER TABLE card ADD COLUMN blocked_at {int}',
    'ALTER TABLE card ADD COLUMN blocked_by TEXT',
    'ALTER TABLE card ADD COLUMN blocked_reason TEXT',
    'CREATE INDEX card_by_expiry ON card (expires_at)',
    "CREATE INDEX card_hotlisted ON card (card_no) WHERE status = 'hotlisted'",
    // The account that the load's money comes from; absent: the cash of the order's merchant.
    'ALTER TABLE load_authorisation ADD COLUMN funded_from {int} REFERENCES account (account_no)',
    // paid_at: when the bank told of their money; absent: handed out on trust.
    `CREATE TABLE voucher_lot (
      lot_no {serial},
      amount_minor {int} NOT NULL CHECK (amount_minor > 0),
      voucher_count {int} NOT NULL CHECK (voucher_count > 0),
      expires_at {int} NOT NULL,
      paid_at {int},
      paid_reference TEXT,
      made_at {int} NOT NULL,
      made_by TEXT NOT NULL,
      CHECK ((paid_at IS NULL) = (paid_reference IS NULL))
    ) {strict}`,
    // reference: of credits alone, which one card can use; a voucher is known by its hash. only_counter: no other counter of the card
    // takes it, unless that one is settled. from_account: what a credit was booked from. used_order: the one load that has it.
    `CREATE TABLE funding (
      funding_no {serial},
      reference_hash {blob} NOT NULL UNIQUE CHECK (length(reference_hash) = 16),
      kind TEXT NOT NULL CHECK (kind IN ('voucher', 'credit')),
      amount_minor {int} NOT NULL CHECK (amount_minor > 0),
      state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'used', 'cancelled', 'lapsed', 'paidOut')),
      expires_at {int},
      lot_no {int} REFERENCES voucher_lot (lot_no),
      card_no {int} REFERENCES card (card_no),
      reference TEXT,
      cause TEXT CHECK (cause IN ('moneyBack', 'replacement', 'goodwill', 'dispute')),
      only_counter {int},
      from_account {int} REFERENCES account (account_no),
      used_order {blob} UNIQUE CHECK (length(used_order) = 60),
      used_card_no {int} REFERENCES card (card_no),
      used_counter {int},
      used_at {int},
      made_at {int} NOT NULL,
      made_by TEXT NOT NULL,
      CHECK ((state = 'used') = (used_order IS NOT NULL)),
      CHECK ((kind = 'voucher') = (lot_no IS NOT NULL)),
      CHECK ((kind = 'credit') = (card_no IS NOT NULL AND reference IS NOT NULL AND from_account IS NOT NULL AND cause IS NOT NULL))
    ) {strict}`,
    'CREATE INDEX funding_by_lot ON funding (lot_no, state)',
    'CREATE INDEX funding_by_card ON funding (card_no)',
    'CREATE INDEX funding_by_use ON funding (used_card_no, used_counter)',
    // charged: whose money it was. at_risk: decided before the protocol's rule allowed it, at that party's own risk.
    `CREATE TABLE money_back (
      card_no {int} NOT NULL REFERENCES card (card_no),
      counter {int} NOT NULL,
      amount_minor {int} NOT NULL CHECK (amount_minor > 0),
      charged TEXT NOT NULL CHECK (charged IN ('merchant', 'issuer')),
      at_risk {int} NOT NULL CHECK (at_risk IN (0, 1)),
      funding_no {int} NOT NULL REFERENCES funding (funding_no),
      reason TEXT NOT NULL,
      decided_at {int} NOT NULL,
      decided_by TEXT NOT NULL,
      PRIMARY KEY (card_no, counter)
    ) {strict}`,
    // How a card's remaining value leaves it: as a credit for another card, through the bank, or as breakage.
    // waiting: until ready_at entries of terminals may still come. amount_minor: 0 until done.
    `CREATE TABLE card_closure (
      closure_no {serial},
      card_no {int} NOT NULL REFERENCES card (card_no),
      kind TEXT NOT NULL CHECK (kind IN ('replace', 'refund', 'breakage')),
      state TEXT NOT NULL CHECK (state IN ('waiting', 'done')),
      replacement_no {int} REFERENCES card (card_no),
      reason TEXT NOT NULL,
      requested_at {int} NOT NULL,
      requested_by TEXT NOT NULL,
      ready_at {int} NOT NULL,
      amount_minor {int} NOT NULL DEFAULT 0 CHECK (amount_minor >= 0),
      at_risk {int} NOT NULL DEFAULT 0 CHECK (at_risk IN (0, 1)),
      funding_no {int} REFERENCES funding (funding_no),
      done_at {int},
      done_by TEXT,
      CHECK ((kind = 'replace') = (replacement_no IS NOT NULL)),
      CHECK ((state = 'done') = (done_at IS NOT NULL))
    ) {strict}`,
    "CREATE UNIQUE INDEX card_closure_waiting ON card_closure (card_no) WHERE state = 'waiting'",
    'CREATE INDEX card_closure_by_card ON card_closure (card_no)',
  ],
}
