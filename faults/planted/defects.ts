/**
 * Defects to plant in the production code, one at a time, each with what must notice it. A defect whose place is not found
 * any more fails its test: it moves with the code.
 */
export interface Defect {
  readonly name: string
  readonly file: string
  readonly find: string
  readonly replace: string
  /** `simulator`, or the path of the tests that must fail. */
  readonly caughtBy: string
  /** One that the test command plants; the others are planted by `node faults/planted/main.ts`. */
  readonly always?: true
}

export const defects: readonly Defect[] = [
  {
    name: 'the recovery looks one counter too low',
    file: 'main/purchase/recovery.ts',
    find: 'const back = stand.next - doubt.counter\n',
    replace: 'const back = stand.next - doubt.counter - 1\n',
    caughtBy: 'simulator',
  },
  {
    name: 'the card counts by two',
    file: 'card/purse.ts',
    find: 'counter: counter(card.counter + 1)',
    replace: 'counter: counter(card.counter + 2)',
    caughtBy: 'card/purse.test.ts',
  },
  {
    name: 'a batch leaves out the first of the new entries',
    file: 'db/ledger.ts',
    find: 'const firstEntry = last?.next ?? 1\n',
    replace: 'const firstEntry = last === undefined ? 1 : last.next + 1\n',
    caughtBy: 'simulator',
    always: true,
  },
  {
    name: 'a sale is captured before the card is debited',
    file: 'main/purchase/purchase.ts',
    find: '    const committed = await session.commit(sale.offer, expected)\n',
    replace:
      '    ledger.capture(payment, sale.offer.offerMac)\n    const committed = await session.commit(sale.offer, expected)\n',
    caughtBy: 'simulator',
    always: true,
  },
  {
    name: 'what cannot be read is called void',
    file: 'main/purchase/recovery.ts',
    find: "if (answer.outcome !== 'read' || answer.record.counter !== doubt.counter) return 'unknown'",
    replace: "if (answer.outcome !== 'read' || answer.record.counter !== doubt.counter) return 'void'",
    caughtBy: 'main/purchase/purchase.test.ts',
  },
  {
    name: 'an acceptance MAC is not looked at',
    file: 'main/purse-session.ts',
    find: '    return equalBytes(right, answer.acceptanceMac)\n',
    replace: '    return right.length > 0\n',
    caughtBy: 'simulator',
  },
  {
    name: 'a card that left during COMMIT was not charged, says the till',
    file: 'main/purchase/purchase.ts',
    find: "if (error instanceof CardFault) return { outcome: 'inDoubt', payment }",
    replace:
      "if (error instanceof CardFault) {\n      ledger.writeVoids([payment])\n      return { outcome: 'cardLost' }\n    }",
    caughtBy: 'simulator',
  },
  {
    name: 'goods go out though their reversal was begun',
    file: 'db/ledger.ts',
    find: "statements.goods.run('withheld', payment.terminalSeq)",
    replace: 'void payment',
    caughtBy: 'simulator',
  },
  {
    name: 'a code in doubt is sold to the next customer',
    file: 'db/ledger.ts',
    find: "unit IS NOT NULL AND state NOT IN ('void', 'reversed')`),\n",
    replace: "unit IS NOT NULL AND state = 'captured'`),\n",
    caughtBy: 'simulator',
  },
  {
    name: 'the issuer believes any settlement MAC',
    file: 'issuer/settlement-proof.ts',
    find: 'return !differs(mac, bytes, at + recordLength)',
    replace: 'return !differs(mac, mac, 0)',
    caughtBy: 'simulator',
  },
  {
    name: 'a reversal charges nobody',
    file: 'issuer/card-line.ts',
    find: "const from = charged?.record.order.type === 'payment' ? payable(charged.merchantNo) : suspense",
    replace: 'const from = charged === undefined ? suspense : this.#accounts.holes',
    caughtBy: 'simulator',
  },
  {
    name: 'a load that was asked for twice is booked twice',
    file: 'issuer/loads.ts',
    find: "    return earlier.state === 'void' ? refused : { verdict: 'authorised' }",
    replace:
      "    line.authorise({ order: load.orderBytes.slice().fill(1, 40), recordBytes: load.recordBytes, record: load.record, terminalNo: terminal.terminalNo, merchantNo: terminal.merchantNo }, books.now)\n    return { verdict: 'authorised' }",
    caughtBy: 'issuer/loads.test.ts',
  },
  {
    name: 'an alarm tells the key that it is about',
    file: 'issuer/ingest.ts',
    find: "kind: 'settlementMac', terminal: judgement.terminal, detail: `v",
    replace:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code to be planted
      "kind: 'settlementMac', terminal: judgement.terminal, detail: `${Buffer.from(desk.issuer.keys.terminalKey(1, judgement.terminal.terminalId) ?? []).toString('hex')}",
    caughtBy: 'simulator',
  },
  {
    name: 'a claim is honoured without its seal',
    file: 'protocol/claim.ts',
    find: "requireMac(claimSeal(terminalKey, bytes.subarray(0, -macLength)), bytes.subarray(-macLength), 'claim seal')",
    replace: 'void [terminalKey, bytes, requireMac]',
    caughtBy: 'simulator',
  },
  {
    name: 'a new epoch forgets what was not acknowledged',
    file: 'db/ledger.ts',
    find: 'for (const row of left) append(parseEntry(new Uint8Array(row.bytes)), row.appended_time)',
    replace: 'void left',
    caughtBy: 'simulator',
  },
  {
    name: 'no terminal ever passes a record on',
    file: 'main/purchase/recovery.ts',
    find: 'for (let back = 1; back <= logLength && newest - back + 1 >= 1; back += 1) {',
    replace: 'for (let back = 1; back <= 0; back += 1) {',
    caughtBy: 'simulator',
  },
  {
    name: 'goods that are owed are not called so',
    file: 'db/ledger.ts',
    find: "    appendAbout(payment, 'owed', payment.settlementMac)\n",
    replace: '',
    caughtBy: 'simulator',
  },
  {
    name: 'a card that left during COMMIT was never charged, says the screen',
    file: 'main/purchase/purchase.ts',
    find: "if (error instanceof CardFault) return { outcome: 'inDoubt', payment }",
    replace: "if (error instanceof CardFault) return { outcome: 'cardLost' }",
    caughtBy: 'simulator',
  },
  {
    name: 'two records at one counter are no alarm',
    file: 'issuer/settlement.ts',
    find: "    books.alarm({ kind: 'clone', card, counter: record.counter, terminal })\n    return { outcome: 'clone' }",
    replace: "    return { outcome: 'known', exception: known.exception }",
    caughtBy: 'simulator',
  },
  {
    name: 'worthless settlement MACs are no alarm',
    file: 'issuer/ingest.ts',
    find: "    if (!isWitness) books.alarm({ kind: 'settlementMac'",
    replace: "    if (isWitness && !isWitness) books.alarm({ kind: 'settlementMac'",
    caughtBy: 'simulator',
  },
  {
    name: 'a commit need not be on the disk (a skipped fsync)',
    file: 'db/open.ts',
    find: "database.pragma('synchronous = FULL')",
    replace: "database.pragma('synchronous = NORMAL')",
    caughtBy: 'faults/disk/power-loss',
  },
]
