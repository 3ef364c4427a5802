/** What the search box found. */
import { Link, Redirect, useSearchParams } from 'wouter'
import { type SearchResult, searchResult } from '../../console-contract/search.ts'
import { useApi } from '../api/query.ts'
import { Card, PageHead } from '../parts/layout.tsx'
import { pathTo } from '../parts/links.tsx'
import { Answer, EmptyState } from '../parts/states.tsx'
import { Code } from '../parts/values.tsx'

type Found = SearchResult['found'][number]

const kinds: Readonly<Record<Found['kind'], string>> = {
  terminal: 'Terminals',
  card: 'Cards',
  batch: 'Batches',
  merchant: 'Merchants',
  item: 'Articles',
}

const addressOf = ({ kind, key }: Found): string => {
  switch (kind) {
    case 'terminal':
      return pathTo.terminal(key)
    case 'card':
      return pathTo.card(key)
    case 'batch':
      return `/batches/${key}`
    case 'merchant':
      return pathTo.merchant(Number(key))
    case 'item':
      return pathTo.item(key)
  }
}

function Results({ result, q }: { result: SearchResult; q: string }) {
  const [only] = result.found
  if (only !== undefined && result.found.length === 1 && only.key === q.trim().toLowerCase())
    return <Redirect to={addressOf(only)} replace />
  if (result.found.length === 0)
    return (
      <Card>
        <EmptyState
          title={`Nothing is called “${q}”`}
          text="Cards and terminals are found by the beginning of their ids, terminals by a part of their names too, batches by TERMINAL/EPOCH/NUMBER or the document’s name, merchants by a part of theirs."
        />
      </Card>
    )
  return (
    <div className="stack">
      {Object.entries(kinds).map(([kind, title]) => {
        const found = result.found.filter((each) => each.kind === kind)
        if (found.length === 0) return null
        return (
          <Card key={kind} title={title} flush>
            <ul className="found-list">
              {found.map((each) => (
                <li key={each.key}>
                  <Link href={addressOf(each)}>
                    {kind === 'merchant' || kind === 'item' ? each.title : <Code>{each.title}</Code>}
                  </Link>
                  <span className="soft">{each.note}</span>
                </li>
              ))}
            </ul>
          </Card>
        )
      })}
      {result.more ? <p className="soft">There are more: type more of the name.</p> : null}
    </div>
  )
}

export default function Search() {
  const [search] = useSearchParams()
  const q = search.get('q') ?? ''
  const answer = useApi(searchResult, '/search', { query: { q }, enabled: q.trim() !== '', live: [] })
  return (
    <>
      <PageHead title={q === '' ? 'Search' : `Search: ${q}`} />
      {q.trim() === '' ? (
        <Card>
          <EmptyState
            title="What are you looking for?"
            text="Type a card, a terminal, a batch or a document into the box above."
          />
        </Card>
      ) : (
        <Answer of={answer}>{(result) => <Results result={result} q={q} />}</Answer>
      )}
    </>
  )
}
