/** What the next publication would change, line by line. */
import { Link } from 'wouter'
import type { ChangesAnswer } from '../../console-contract/catalogue.ts'
import { pathTo, TerminalLink } from './links.tsx'
import { Badge, Code, Count, DateTime, Money } from './values.tsx'
import './goods.css'

function Article({ id }: { id: string }) {
  return (
    <Link href={pathTo.item(id)}>
      <Code>{id}</Code>
    </Link>
  )
}

export function Changes({ changes }: { changes: ChangesAnswer }) {
  if (changes.nothing) return <p>Nothing: terminals are told what the catalogue says.</p>
  return (
    <ul className="changes">
      {changes.added.map((item) => (
        <li key={`+${item.id}`}>
          <Badge tone="good">New</Badge> <Article id={item.id} /> at <Money minor={item.priceMinor} />
        </li>
      ))}
      {changes.changed.map(({ before, after }) => (
        <li key={`~${after.id}`}>
          <Badge tone="note">Changed</Badge> <Article id={after.id} />
          {before.priceMinor === after.priceMinor ? (
            <span>says or contains something else, version {after.version}</span>
          ) : (
            <span>
              <Money minor={before.priceMinor} /> becomes <Money minor={after.priceMinor} strong />
            </span>
          )}
        </li>
      ))}
      {changes.withdrawn.map((item) => (
        <li key={`-${item.id}`}>
          <Badge tone="warn">Withdrawn</Badge> <Article id={item.id} />
        </li>
      ))}
      {changes.announced.map(({ from, item }) => (
        <li key={`>${item.id}${from}`}>
          <Badge tone="note">Announced</Badge> <Article id={item.id} /> at <Money minor={item.priceMinor} /> from{' '}
          <DateTime at={from} />
        </li>
      ))}
      {changes.cancelled.map(({ from, item }) => (
        <li key={`<${item.id}${from}`}>
          <Badge tone="warn">Taken back</Badge> <Article id={item.id} /> at <Money minor={item.priceMinor} /> from{' '}
          <DateTime at={from} />
        </li>
      ))}
      {changes.assortments.map(({ name, outcome, added, removed }) => (
        <li key={`a${name}`}>
          <Badge>Assortment {outcome}</Badge> <Code>{name}</Code>
          {added.map((id) => (
            <span key={id}>
              with <Code>{id}</Code>
            </span>
          ))}
          {removed.map((id) => (
            <span key={id}>
              without <Code>{id}</Code>
            </span>
          ))}
        </li>
      ))}
      {changes.shown.map((id) => (
        <li key={`*${id}`}>
          <Badge tone="note">Shown otherwise</Badge> <Article id={id} />
        </li>
      ))}
      {changes.categories ? (
        <li>
          <Badge tone="note">Categories</Badge> others, or in another order
        </li>
      ) : null}
      {changes.brands.map((merchant) => (
        <li key={`b${merchant}`}>
          <Badge tone="note">Logo or accent</Badge> {merchant}
        </li>
      ))}
      {changes.terminals.map((id) => (
        <li key={id}>
          <Badge>Another assortment</Badge> <TerminalLink id={id} />
        </li>
      ))}
      {changes.unitsToDeal === 0 ? null : (
        <li>
          <Badge>Codes</Badge> <Count of={changes.unitsToDeal} /> are dealt to terminals, for good
        </li>
      )}
    </ul>
  )
}
