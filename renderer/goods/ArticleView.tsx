/** An article, well set: Markdown's small part (markdown.ts), or plain text as it is. */
import type { ReactElement } from 'react'
import { Opening, Unreadable } from './ContentView.tsx'
import { type Block, blocksOf, plainOf, type Span } from './markdown.ts'
import { useContent } from './use-content.ts'

const readText = (response: Response) => response.text()

export function ArticleView({ contentUrl, marked }: { contentUrl: string; marked: boolean }): ReactElement {
  const content = useContent(contentUrl, readText)
  if (content.name === 'loading') return <Opening />
  if (content.name === 'unreadable') return <Unreadable />
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keypad.
    <article className="article" dir="auto" data-ready="true" tabIndex={0}>
      {marked ? (
        blocksOf(content.value).map((block, place) => <BlockView key={keyOf(block, place)} block={block} />)
      ) : (
        <p className="article-plain">{plainOf(content.value)}</p>
      )}
    </article>
  )
}

/** Blocks never move within one article. */
function keyOf(block: Block, place: number): string {
  return `${block.name}-${place}`
}

function BlockView({ block }: { block: Block }): ReactElement {
  switch (block.name) {
    case 'heading': {
      const Heading = `h${block.level}` as const
      return (
        <Heading>
          <Spans spans={block.spans} />
        </Heading>
      )
    }
    case 'paragraph':
      return (
        <p>
          <Spans spans={block.spans} />
        </p>
      )
    case 'quotation':
      return (
        <blockquote>
          <Spans spans={block.spans} />
        </blockquote>
      )
    case 'list': {
      const List = block.ordered ? 'ol' : 'ul'
      return (
        <List>
          {block.items.map((spans, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: items never move within one list, and two may say the same
            <li key={place}>
              <Spans spans={spans} />
            </li>
          ))}
        </List>
      )
    }
    case 'rule':
      return <hr />
  }
}

const tagOf = { strong: 'strong', emphasis: 'em', code: 'code' } as const

function Spans({ spans }: { spans: readonly Span[] }): ReactElement {
  return (
    <>
      {spans.map(({ style, text, at }) => {
        if (style === 'plain') return text
        const Tag = tagOf[style]
        return <Tag key={at}>{text}</Tag>
      })}
    </>
  )
}
