/** The addresses of everything that has a page of its own, and links to them. */
import { Link } from 'wouter'
import { terminalNames } from '../../console-contract/terminals.ts'
import { useApi } from '../api/query.ts'
import { Code } from './values.tsx'

const part = encodeURIComponent

export const pathTo = {
  terminal: (terminalId: string) => `/terminals/${part(terminalId)}`,
  batch: (batch: { terminalId: string; epoch: number; batchNo: number }) =>
    `/batches/${part(batch.terminalId)}/${batch.epoch}/${batch.batchNo}`,
  /** @param at.entry its number within the epoch */
  entry: (at: { terminalId: string; epoch: number; batchNo: number; entry: number }) =>
    `/batches/${part(at.terminalId)}/${at.epoch}/${at.batchNo}/entries/${at.entry}`,
  card: (cardId: string) => `/cards/${part(cardId)}`,
  /** One counter of a card. */
  counter: (cardId: string, counter: number) => `/cards/${part(cardId)}?counter=${counter}`,
  case: (caseNo: number | string) => `/exceptions/${part(String(caseNo))}`,
  merchant: (merchantNo: number) => `/merchants/${merchantNo}`,
  period: (periodNo: number) => `/settlement/${periodNo}`,
  account: (accountNo: number) => `/ledger/${accountNo}`,
  item: (itemId: string) => `/catalogue/${part(itemId)}`,
  search: (q: string) => `/search?q=${part(q)}`,
} as const

/** Fetched once for all links of a page, and again when a terminal is added or a change is noted. */
const useTerminalName = (id: string): string | undefined =>
  useApi(terminalNames, '/terminals/names', { live: ['terminals', 'audit'] }).data?.terminals.find(
    ({ terminalId }) => terminalId === id,
  )?.name

/** By its name, or its id where it has none. */
export function TerminalLink({ id }: { id: string }) {
  const name = useTerminalName(id)
  return (
    <Link href={pathTo.terminal(id)} title={id}>
      {name ?? <Code>{id}</Code>}
    </Link>
  )
}

export function CardLink({ id }: { id: string }) {
  return (
    <Link href={pathTo.card(id)}>
      <Code>{id}</Code>
    </Link>
  )
}

export function MerchantLink({ no, name }: { no: number; name: string }) {
  return <Link href={pathTo.merchant(no)}>{name}</Link>
}

export function BatchLink(batch: { terminalId: string; epoch: number; batchNo: number; short?: boolean }) {
  return (
    <Link href={pathTo.batch(batch)}>
      {batch.short ? (
        <span className="figure">{`${batch.epoch}/${batch.batchNo}`}</span>
      ) : (
        <Code>{`${batch.terminalId}/${batch.epoch}/${batch.batchNo}`}</Code>
      )}
    </Link>
  )
}

export function EntryLink(at: { terminalId: string; epoch: number; batchNo: number; entry: number }) {
  return (
    <Link href={pathTo.entry(at)}>
      <span className="figure">{at.entry}</span>
    </Link>
  )
}

/** A document's name in the books, such as "batch 0123456789abcdef/1/7", as a link where it has a page. */
export function DocumentLink({ name }: { name: string }) {
  const batch = /^batch ([0-9a-f]{16})\/(\d+)\/(\d+)$/.exec(name)
  if (batch === null) return <span>{name}</span>
  const [, terminalId = '', epoch, batchNo] = batch
  return <BatchLink terminalId={terminalId} epoch={Number(epoch)} batchNo={Number(batchNo)} />
}
