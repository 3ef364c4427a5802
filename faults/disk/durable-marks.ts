/** Marks what is durable: after every call of a ledger or a store that changed it, the fingerprint of what it holds now. */
import { ledgerPath } from '../../db/open.ts'
import type { Issuer } from '../../issuer/issuer.ts'
import type { Terminal } from '../../main/terminal.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Mark } from './marks.ts'

/** @param name what the marks are called: "NAME FINGERPRINT" */
const markChanges = (name: string, file: string, mark: Mark): (() => void) => {
  let last = ''
  return () => {
    const now = fingerprintOf(file)
    if (now !== last) mark(`${name} ${now}`)
    last = now
  }
}

/** Marks "ledger FINGERPRINT" now, and whenever a call returned that changed the ledger. */
export const watchLedger = (terminal: Terminal, mark: Mark): Terminal => {
  const look = markChanges('ledger', ledgerPath(terminal.dataDir), mark)
  look()
  const ledger = new Proxy(terminal.ledger, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return (...given: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, target, given)
        look()
        return result
      }
    },
  })
  return new Proxy(terminal, { get: (target, key) => (key === 'ledger' ? ledger : Reflect.get(target, key)) })
}

/** Marks "store FINGERPRINT" now, and whenever a transaction returned that changed the store. */
export const watchStore = (issuer: Issuer, file: string, mark: Mark): Issuer => {
  const look = markChanges('store', file, mark)
  look()
  const { store } = issuer
  const looked = async <Result>(writing: Promise<Result>): Promise<Result> => {
    const result = await writing
    look()
    return result
  }
  return {
    ...issuer,
    store: {
      ...store,
      write: (work) => looked(store.write(work)),
      writeBeside: (work) => looked(store.writeBeside(work)),
    },
  }
}
