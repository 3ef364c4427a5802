/** English: the dictionary that gives all others their shape. Instructions have at most eight words. */
import type { ItemKind, OutOfServiceReason, RefusalReason, TopUpRefusal } from '../../preload/contract.ts'
import { countedBy } from './counts.ts'

const locale = 'en-GB'
const counted = countedBy(locale)

interface Refusal {
  /** What happened, as a headline. */
  readonly what: string
  /** What to do now. */
  readonly todo: string
}

const refusal: Readonly<Record<RefusalReason, Refusal>> = {
  outOfService: { what: 'Not for sale just now', todo: 'Please use another kiosk.' },
  outOfStock: { what: 'Sold out', todo: 'Please choose something else.' },
  notAPurse: {
    what: 'This card cannot pay here',
    todo: 'Use your Farthing card. Bank cards and phones do not work here.',
  },
  cardSuspect: { what: 'This card could not be verified', todo: 'Try it once more, or use another card.' },
  cardBlocked: { what: 'This card is blocked', todo: 'Use another card, or ask at the desk.' },
  hotlisted: { what: 'This card was reported lost', todo: 'Use another card, or ask at the desk.' },
  cardExpired: { what: 'This card has expired', todo: 'Use another card, or ask for a new one.' },
  wrongCurrency: { what: 'This card holds another currency', todo: 'Use another card.' },
  limit: { what: 'Over this card’s limit here', todo: 'Choose something cheaper, or try again later.' },
  balanceTooLow: { what: 'Not enough money on this card', todo: 'Load your card at the desk, or use another card.' },
  pinNeeded: { what: 'This card asks for its PIN', todo: 'This kiosk has no PIN pad. Please use another card.' },
  pinWrong: { what: 'The PIN was wrong', todo: 'Please try again.' },
  pinBlocked: { what: 'The PIN is blocked', todo: 'Use another card, or ask at the desk.' },
  cancelled: { what: 'Stopped', todo: 'You can start again whenever you like.' },
  timeout: { what: 'No card came in time', todo: 'Start again when your card is ready.' },
}

const outOfService: Readonly<Record<OutOfServiceReason, { readonly what: string; readonly why: string }>> = {
  starting: { what: 'Ready in a moment', why: 'This kiosk is starting.' },
  notEnrolled: { what: 'Not open yet', why: 'This kiosk has not been set up.' },
  noReader: { what: 'Closed for the moment', why: 'The card reader does not answer.' },
  storage: { what: 'Closed for the moment', why: 'This kiosk cannot keep its records safely.' },
  emptyCatalogue: { what: 'Nothing to sell yet', why: 'The shelves of this kiosk are empty.' },
  stale: { what: 'Closed for the moment', why: 'This kiosk has been offline too long to check cards.' },
  stopped: { what: 'Closed for the moment', why: 'The operator has closed this kiosk.' },
}

const kind: Readonly<Record<ItemKind, { readonly name: string; readonly how: string }>> = {
  document: { name: 'To read', how: 'Opens here at once. Take it along on your phone.' },
  media: { name: 'To look at and hear', how: 'Opens here at once. Take it along on your phone.' },
  code: { name: 'Code', how: 'Shown here at once. Works once, only for you.' },
  ticket: { name: 'Ticket', how: 'Shown here at once. Valid for one entry.' },
}

const topUpProblem: Readonly<Record<TopUpRefusal | 'inDoubt', string>> = {
  unknownVoucher: 'No voucher has this code. Check it letter by letter.',
  usedVoucher: 'This voucher was used already.',
  expiredVoucher: 'This voucher has expired.',
  offline: 'The bank cannot be reached now. Your voucher stays valid.',
  notAPurse: 'This card cannot be loaded here. Use your Farthing card.',
  cardSuspect: 'This card could not be verified. Your voucher stays valid.',
  cardBlocked: 'This card is blocked. Your voucher stays valid.',
  wrongCurrency: 'This card holds another currency. Your voucher stays valid.',
  overBalanceMax: 'Your card cannot hold that much. Your voucher stays valid.',
  cardLost: 'The card left too soon. Nothing is lost: hold it again.',
  refused: 'The bank refused this. Please ask at the desk.',
  unanswered: 'The bank did not answer. If the voucher fails later, ask at the desk.',
  inDoubt: 'The card left too soon. Hold it here again to finish.',
}

export const en = {
  /** What this language calls itself. */
  autonym: 'English',
  /** The locale by which Intl writes money and dates. */
  locale,
  /** What a title starts with before its first word: a cover leaves it out. */
  leadingArticle: /^(the|a|an)\s+/i,

  attract: {
    headline: 'Something good for small change',
    start: 'Touch to start',
    how: 'Choose, tap your card, take it along.',
    from: (amount: string) => `From ${amount}.`,
    balance: 'Tap your card any time to see its balance.',
  },
  bar: {
    back: 'Back',
    done: 'Done',
    leave: 'Leave',
    cancel: 'Cancel',
    close: 'Close',
    contrast: 'Contrast',
    largeType: 'Larger type',
    reach: 'Within reach',
    speech: 'Spoken',
    lessMotion: 'Less movement',
    startOver: 'Start over',
    language: 'Language',
    /** Drawn small and large: a letter that everybody who reads this language knows. */
    typeSign: 'A',
  },
  offline: 'Offline: you can still buy',
  failed: 'That did not work. Please try again.',
  idle: {
    question: 'Are you still there?',
    stay: 'Yes, carry on',
    ending: 'This ends soon.',
    more: 'More time',
    left: (seconds: number) =>
      counted(seconds, { one: (n) => `Back to start in ${n} second`, other: (n) => `Back to start in ${n} seconds` }),
  },
  speech: {
    transcript: 'What is spoken',
    repeat: 'Say it again',
    slower: 'Slower',
    faster: 'Faster',
    /** Said after a name: what can be pressed, and whether it is. */
    button: 'button',
    on: 'on',
    off: 'off',
    /** Instead of a key of the PIN: which one it is stays unsaid. */
    digitKey: 'A digit',
    choices: (count: number) =>
      counted(count, { one: () => 'One thing to choose.', other: (n) => `${n} things to choose from.` }),
    keys: 'Keys: 8 goes on, 2 goes back, 5 chooses, star leaves, hash repeats, 0 ends speech.',
    pinKeys: 'Type it on the keys. Hash confirms, star deletes.',
    codeKeys: 'Type figures. Hash turns to letters and back: 2, 4, 6 and 8 move there, 5 chooses. Star deletes.',
    letters: 'Letters: 2, 4, 6 and 8 move, 5 chooses.',
    figures: 'Figures: type them.',
  },
  catalogue: {
    headline: 'What would you like?',
    soldOut: 'Sold out',
    left: (count: number) => counted(count, { other: (n) => `${n} left` }),
    all: 'Everything',
    shelves: 'Categories',
    until: (time: string) => `Until ${time}`,
    age: (years: string) => `${years}+`,
    up: 'Further up',
    down: 'Further down',
  },
  kind,
  item: {
    buy: (amount: string) => `Buy for ${amount}`,
    preview: { look: 'Look inside', listen: 'Listen', watch: 'Watch' },
    isPreview: 'A preview',
    closePreview: 'Close',
    tax: (percent: string) => `${percent} tax included`,
    until: (time: string) => `On sale until ${time}`,
    print: 'Printed here at once.',
    age: (years: string) => `Only from the age of ${years}`,
    ageQuestion: (years: string) => `Are you ${years} or older?`,
    ageWhy: (years: string) => `This is sold only from the age of ${years}.`,
    yes: 'Yes',
    no: 'No',
    instead: 'Still to be had',
  },
  search: {
    open: 'Search',
    close: 'End search',
    hint: 'Type a few letters',
    query: 'What is looked for',
    space: 'Space',
    letters: 'Other letters',
    found: (count: number) => counted(count, { one: (n) => `${n} thing found`, other: (n) => `${n} things found` }),
    nothing: (query: string) => `Nothing here for “${query}”`,
    nothingTodo: 'Try fewer letters, or another word.',
    everything: 'Show everything',
  },
  pay: {
    headline: 'Hold your card to the reader',
    where: {
      below: 'The reader is below',
      above: 'The reader is above',
      left: 'The reader is on the left',
      right: 'The reader is on the right',
    },
    twoCards: 'One card only, please',
    twoCardsTodo: 'Take one card away from the reader.',
    working: 'Hold the card still',
    workingHint: 'Only a moment.',
    seconds: (count: number) => counted(count, { one: (n) => `${n} second`, other: (n) => `${n} seconds` }),
  },
  pin: {
    headline: 'Enter your card’s PIN',
    tap: 'Hold the same card to the reader',
    wrong: 'That PIN was wrong. You were not charged.',
    tries: (count: number) => counted(count, { one: () => 'One try left', other: (n) => `${n} tries left` }),
    entered: (count: number) =>
      counted(count, { one: (n) => `${n} digit entered`, other: (n) => `${n} digits entered` }),
    back: 'Delete the last one',
    enter: 'Confirm',
  },
  topUp: {
    open: 'Load money',
    headline: 'Type your voucher’s code',
    hint: 'Sixteen letters and figures',
    entered: 'The code so far',
    next: 'Go on',
    asking: 'One moment',
    worth: 'Your voucher is worth',
    done: (amount: string) => `${amount} loaded`,
    failed: 'Nothing was loaded',
    problem: topUpProblem,
  },
  approved: {
    paid: (amount: string) => `You paid ${amount}`,
    recovered: 'Your earlier payment is complete. Nothing was charged twice.',
    balance: 'Left on your card',
    takeCard: 'Take your card with you.',
    show: { document: 'Open it', media: 'Open it', code: 'Show the code', ticket: 'Show the ticket' } satisfies Record<
      ItemKind,
      string
    >,
  },
  receipt: {
    title: 'Receipt',
    tax: (percent: string) => `Including ${percent} tax`,
    card: 'Card',
    print: 'Print the receipt',
    working: 'Printing…',
    done: 'Receipt printed',
    failed: 'It did not print. Try again',
  },
  goods: {
    takeAlong: 'Take it along',
    scan: 'Scan with your phone',
    scanCode: 'Scan to take the code',
    until: (day: string) => `Until ${day}`,
    offlineClaim: 'Works although this kiosk is offline.',
    yourCode: 'Your code',
    yourTicket: 'Your ticket',
    once: 'It works once, and only you have it.',
    onceTicket: 'It is valid once, and only you have it.',
    loading: 'Opening…',
    unreadable: 'This cannot be shown here',
    unreadableTodo: 'It is yours all the same. Take it along on your phone.',
    elsewhere: 'It waits for your phone',
    elsewhereTodo: 'Scan the code to open it there.',
    owed: 'It is yours, but not here',
    owedTodo: 'Hold your card here again later, or ask at the desk.',
    closer: 'Larger',
    further: 'Smaller',
    page: (page: number, pages: number) => `Page ${page} of ${pages}`,
    place: 'Where you are',
    book: 'The book',
    contents: 'Contents',
    nextPage: 'Next page',
    previousPage: 'Previous page',
    largerType: 'Larger type',
    smallerType: 'Smaller type',
    play: 'Play',
    pause: 'Pause',
    rewind: (seconds: number) => `Back ${seconds} seconds`,
    forward: (seconds: number) => `On ${seconds} seconds`,
    timeOf: (at: string, all: string) => `${at} of ${all}`,
    scanTicket: 'Show this code at the entrance',
    finish: 'I’m done',
  },
  declined: {
    notCharged: 'You were not charged',
    returned: (amount: string) => `You got ${amount} back: you paid nothing`,
    refusal,
    missing: (amount: string) => `${amount} is missing`,
    balance: 'On your card',
    price: 'Price',
    alternatives: 'Your card can buy this instead',
    again: 'Try again',
    other: 'Choose something else',
  },
  recover: {
    waiting: 'Tap the same card again',
    waitingWhy: 'The card left too soon. Tapping it again completes your payment. You will not pay twice.',
    wrongCard: 'That was a different card',
    wrongCardWhy: 'It was not charged. Please hold the first card to the reader.',
    working: 'Hold the card still',
    leaveHint: 'If you leave, your card settles this at its next tap.',
    unfinished: (amount: string) => `${amount} not yet completed`,
  },
  balance: {
    take: (amount: string) => `Take ${amount} back onto the card`,
    left: 'Balance',
    ending: (digits: string) => `Card ending in ${digits}`,
    validUntil: (day: string) => `Valid until ${day}`,
    blocked: 'This card is blocked. Please ask at the desk.',
    movements: 'Latest movements',
    none: 'Nothing bought with this card yet.',
    collect: 'Collect again',
    kind: { payment: 'Purchase', load: 'Money loaded', reversal: 'Money returned' },
    shop: 'Buy something',
  },
  outOfService: { reason: outOfService, notCharged: 'No card will be charged here.' },
  broken: { what: 'One moment, please', why: 'This screen is starting afresh. Your card and your purchases are safe.' },
}

export type Dictionary = typeof en
