/** What the books' and the protocol's names mean, in words for a person (docs/PROTOCOL.md). */
import type { Tone } from './values.tsx'

export interface Word {
  readonly title: string
  readonly tone: Tone
  /** A sentence. */
  readonly says: string
}

type Words = Readonly<Record<string, Word>>

const exceptionReasons: Words = {
  layout: { title: 'Unreadable', tone: 'bad', says: 'Its bytes are not laid out as an entry. Nothing was booked.' },
  terminal: {
    title: 'Wrong terminal',
    tone: 'bad',
    says: 'It is a record of another terminal than the one that sent it. Nothing was booked.',
  },
  unknownCard: { title: 'Unknown card', tone: 'bad', says: 'No such card was ever issued here. Nothing was booked.' },
  keyVersion: {
    title: 'Wrong key version',
    tone: 'bad',
    says: 'The card has keys of another version than the record says. Nothing was booked.',
  },
  currency: { title: 'Wrong currency', tone: 'bad', says: 'The order is in another currency. Nothing was booked.' },
  settlementMac: {
    title: 'Not proven',
    tone: 'bad',
    says: 'The card’s proof is wrong: forged, or damaged at the terminal. Nothing was booked.',
  },
  clone: {
    title: 'Copied card',
    tone: 'bad',
    says: 'Another record stands at this counter of the card already: there are two of it. Nothing was booked.',
  },
  balance: {
    title: 'Balance does not fit',
    tone: 'bad',
    says: 'The card says another balance than its records before. The amount waits in suspense.',
  },
  itemOrPrice: {
    title: 'Item or price',
    tone: 'warn',
    says: 'No item of that price was ever published. The amount waits in suspense.',
  },
  reversal: {
    title: 'Reversal does not fit',
    tone: 'warn',
    says: 'It undoes no payment right before it. The amount waits in suspense.',
  },
  load: {
    title: 'Load not authorised',
    tone: 'bad',
    says: 'The issuer never authorised this load. The amount waits in suspense.',
  },
  status: {
    title: 'Status does not fit',
    tone: 'note',
    says: 'What the terminal says of it cannot be. The record is booked all the same.',
  },
  limit: {
    title: 'Over the limit',
    tone: 'warn',
    says: 'One sale cost more than any may. The amount waits in suspense.',
  },
}

const entryStatuses: Words = {
  captured: { title: 'Captured', tone: 'good', says: 'The terminal saw the card’s proof.' },
  witness: {
    title: 'Witness',
    tone: 'note',
    says: 'Read from the card after a tap elsewhere: it speaks for another kiosk.',
  },
  inDoubt: { title: 'In doubt', tone: 'warn', says: 'The card left before the answer. Its next tap decides.' },
  void: { title: 'Void', tone: 'quiet', says: 'The card proved that no money moved.' },
  owed: { title: 'Goods owed', tone: 'warn', says: 'Paid, and the goods could not be handed over: the claim stands.' },
  abandoned: { title: 'Abandoned', tone: 'warn', says: 'The terminal will never know whether it was paid.' },
  unreadable: { title: 'Unreadable', tone: 'bad', says: 'Its bytes are not laid out as an entry.' },
}

const orderTypes: Words = {
  payment: { title: 'Payment', tone: 'quiet', says: 'The card paid.' },
  reversal: { title: 'Reversal', tone: 'quiet', says: 'The payment before it was undone.' },
  load: { title: 'Load', tone: 'quiet', says: 'Money was put on the card.' },
  block: { title: 'Block', tone: 'quiet', says: 'The card was blocked for good.' },
}

const alarms: Words = {
  clone: { title: 'Copied card', tone: 'bad', says: 'Two records claim the same counter of one card.' },
  fork: { title: 'Ledger went back', tone: 'bad', says: 'A terminal sent another batch under a number that is taken.' },
  journalFork: { title: 'Forked journal', tone: 'bad', says: 'Two journals of its operators bear the same number.' },
  journalBreak: {
    title: 'Broken journal',
    tone: 'bad',
    says: 'A journal of its operators does not continue the one before it.',
  },
  refundAsked: {
    title: 'Refund to decide',
    tone: 'warn',
    says: 'An operator took a sale back: a person gives the money back, or does not.',
  },
  chainBreak: { title: 'Broken chain', tone: 'bad', says: 'A batch does not continue the one before it.' },
  firstEntry: {
    title: 'Entries misnumbered',
    tone: 'bad',
    says: 'A batch begins at another entry than the one before ends.',
  },
  settlementMac: { title: 'Wrong proof', tone: 'bad', says: 'A terminal sent an entry whose proof is wrong.' },
  balance: { title: 'Balance does not fit', tone: 'bad', says: 'A card told a balance that its records deny.' },
  reversal: { title: 'Reversal does not fit', tone: 'warn', says: 'A reversal undoes no payment right before it.' },
  voidButSettled: {
    title: 'Paid, but called void',
    tone: 'bad',
    says: 'A terminal called a payment void that its card proves.',
  },
}

const accounts: Words = {
  float: { title: 'Float', tone: 'quiet', says: 'What cards hold: owed to cardholders.' },
  payable: { title: 'Merchants payable', tone: 'quiet', says: 'Owed to merchants for sales.' },
  merchantCash: { title: 'Cash with merchants', tone: 'quiet', says: 'Taken for loads, and not handed on yet.' },
  fees: { title: 'Fees', tone: 'quiet', says: 'Earned from merchants.' },
  suspense: { title: 'Suspense', tone: 'quiet', says: 'Waits for a person’s decision.' },
  holes: { title: 'Holes', tone: 'quiet', says: 'Sums of counters that are missing.' },
  bank: { title: 'Bank', tone: 'quiet', says: 'The issuer’s own account.' },
  breakage: { title: 'Breakage', tone: 'quiet', says: 'Left on cards that have expired.' },
  vouchers: { title: 'Vouchers', tone: 'quiet', says: 'Sold, and on no card yet.' },
  credits: { title: 'Credits', tone: 'quiet', says: 'Owed to cardholders beside their cards.' },
  losses: { title: 'Losses', tone: 'quiet', says: 'Written off.' },
}

const sources: Words = {
  batch: { title: 'Its terminal’s batch', tone: 'quiet', says: 'The terminal that made it brought it.' },
  witness: { title: 'A witness', tone: 'note', says: 'Another terminal read it from the card.' },
  claim: { title: 'A claim', tone: 'note', says: 'The customer’s phone brought it.' },
  load: { title: 'The load’s authorisation', tone: 'quiet', says: 'Taken as done when it was authorised.' },
}

const verdicts: Words = {
  taken: { title: 'Taken', tone: 'good', says: 'All that could be booked was booked.' },
  outOfOrder: { title: 'Taken early', tone: 'warn', says: 'The batch before it was not here when it came.' },
}

const acts: Words = {
  start: { title: 'Journal begins', tone: 'quiet', says: 'The terminal keeps a journal from here on.' },
  enter: { title: 'Entered', tone: 'quiet', says: 'An operator entered with card and PIN.' },
  wrongPin: { title: 'Wrong PIN', tone: 'warn', says: 'An operator’s card was shown with a wrong PIN.' },
  leave: { title: 'Left', tone: 'quiet', says: 'The operator mode was left.' },
  dayClose: { title: 'Day closed', tone: 'quiet', says: 'The day was closed at the terminal.' },
  load: { title: 'Load for cash', tone: 'note', says: 'Cash was taken at the terminal to load a card.' },
  testSale: { title: 'Test sale', tone: 'quiet', says: 'A sale to try the terminal.' },
  reprint: { title: 'Reprint', tone: 'quiet', says: 'A receipt was printed again.' },
  refund: { title: 'Refund', tone: 'note', says: 'A sale was taken back: its goods are never released there again.' },
  export: { title: 'Export', tone: 'quiet', says: 'Documents were written to a stick.' },
  import: { title: 'Import', tone: 'quiet', says: 'Documents were read from a stick.' },
  sync: { title: 'Sync', tone: 'quiet', says: 'A sync was asked for.' },
  outOfService: { title: 'Out of service', tone: 'warn', says: 'The terminal was taken out of service.' },
  inService: { title: 'In service', tone: 'good', says: 'The terminal was taken into service again.' },
  restart: { title: 'Restart', tone: 'quiet', says: 'The terminal was restarted.' },
  volume: { title: 'Volume', tone: 'quiet', says: 'The volume was changed.' },
  brightness: { title: 'Brightness', tone: 'quiet', says: 'The brightness was changed.' },
  languages: {
    title: 'Languages',
    tone: 'quiet',
    says: 'The languages were chosen; the first is where customers begin.',
  },
  stock: { title: 'Stock', tone: 'quiet', says: 'The stock of codes was looked at.' },
  logs: { title: 'Logs', tone: 'quiet', says: 'Logs were looked at or exported.' },
  readerTest: { title: 'Reader test', tone: 'quiet', says: 'The card reader was tried.' },
  printerTest: { title: 'Printer test', tone: 'quiet', says: 'The printer was tried.' },
  unreadable: {
    title: 'Unreadable',
    tone: 'bad',
    says: 'The entry is none of ours; the terminal’s program may be broken.',
  },
}

const refunds: Words = {
  waiting: {
    title: 'Waits',
    tone: 'note',
    says: 'Its payment has not arrived yet, or what follows it is not settled.',
  },
  booked: { title: 'Booked', tone: 'good', says: 'The money is owed to the card, and comes with its next load.' },
  person: { title: 'To decide', tone: 'warn', says: 'A person gives the money back on the card’s page, or does not.' },
  refused: { title: 'Refused', tone: 'quiet', says: 'There is nothing to give back.' },
}

const find =
  (words: Words) =>
  (name: string): Word =>
    words[name] ?? { title: name, tone: 'quiet', says: '' }

export const actWord = find(acts)
export const refundWord = find(refunds)
export const reasonWord = find(exceptionReasons)
export const statusWord = find(entryStatuses)
export const orderWord = find(orderTypes)
export const alarmWord = find(alarms)
export const accountWord = find(accounts)
export const sourceWord = find(sources)
export const verdictWord = find(verdicts)

/** Names and titles, for a filter's choice. */
export const reasonOptions = Object.entries(exceptionReasons).map(([name, { title }]) => [name, title] as const)
export const statusOptions = Object.entries(entryStatuses).map(([name, { title }]) => [name, title] as const)
