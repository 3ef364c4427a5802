/**
 * The small part of Markdown that an article needs, read into blocks: headings, paragraphs, lists, quotations, rules,
 * emphasis and code. No HTML and no links: whatever else stands in the text is shown as it is, so nothing can be injected.
 */

export interface Span {
  readonly style: 'plain' | 'strong' | 'emphasis' | 'code'
  readonly text: string
  /** Where in its block it begins. */
  readonly at: number
}

export type Block =
  | { readonly name: 'heading'; readonly level: 1 | 2 | 3; readonly spans: readonly Span[] }
  | { readonly name: 'paragraph'; readonly spans: readonly Span[] }
  | { readonly name: 'quotation'; readonly spans: readonly Span[] }
  | { readonly name: 'list'; readonly ordered: boolean; readonly items: readonly (readonly Span[])[] }
  | { readonly name: 'rule' }

/** Text beyond this is not shown: an article is not a book. */
export const articleCharactersMax = 1_000_000
/** Each line may be a block of its own, and a page of so many is slow enough. */
export const articleLinesMax = 5_000

/** Each emphasis and each code is an element of the page; those beyond this are shown as they are written. */
export const articleMarksMax = 10_000

/** Lines of a plain text cost less, and a novel has half as many. */
export const plainLinesMax = 20_000

/** Text without marks, as far as it is shown. */
export function plainOf(text: string): string {
  return text.slice(0, articleCharactersMax).split('\n', plainLinesMax).join('\n')
}

/** How many more marks the article may have. */
interface MarksLeft {
  count: number
}

const listMark = /^(?:[-*]|\d{1,3}[.)])\s+/

export function blocksOf(markdown: string): readonly Block[] {
  const left: MarksLeft = { count: articleMarksMax }
  return markdown
    .slice(0, articleCharactersMax)
    .replaceAll('\r\n', '\n')
    .split('\n', articleLinesMax)
    .join('\n')
    .split(/\n[ \t]*\n+/)
    .map((chunk) => chunk.trim())
    .filter((chunk) => chunk !== '')
    .flatMap((chunk) => blocksOfChunk(chunk, left))
}

/** Headings may follow one another, and their text them, without an empty line between. */
function blocksOfChunk(chunk: string, left: MarksLeft): readonly Block[] {
  const lines = chunk.split('\n')
  const headings: Block[] = []
  for (const [at, line] of lines.entries()) {
    const text = line.trimStart()
    if (text === '') continue
    const heading = headingOf(text, left)
    if (heading === undefined) return [...headings, blockOf(lines.slice(at).join('\n').trim(), left)]
    headings.push(heading)
  }
  return headings
}

/** With plain string work: whoever wrote the article must not be able to make a pattern try for ever. */
function headingOf(line: string, left: MarksLeft): Block | undefined {
  const marks = /^#{1,6}(?=\s)/.exec(line)?.[0]
  if (marks === undefined) return undefined
  let end = line.length
  while (line[end - 1] === '#') end -= 1
  return { name: 'heading', level: levelOf(marks.length), spans: spansOf(line.slice(marks.length, end).trim(), left) }
}

function levelOf(marks: number): 1 | 2 | 3 {
  return marks === 1 ? 1 : marks === 2 ? 2 : 3
}

function blockOf(chunk: string, left: MarksLeft): Block {
  const lines = chunk.split('\n')
  if (/^(?:-{3,}|\*{3,}|_{3,})$/.test(chunk)) return { name: 'rule' }
  if (lines.every((line) => line.startsWith('>'))) {
    return { name: 'quotation', spans: spansOf(lines.map((line) => line.replace(/^>\s?/, '')).join(' '), left) }
  }
  if (listMark.test(lines[0] ?? '')) return { name: 'list', ordered: /^\d/.test(chunk), items: itemsOf(lines, left) }
  return { name: 'paragraph', spans: spansOf(lines.map((line) => line.trim()).join(' '), left) }
}

/** A line without a mark goes on with the item before it. */
function itemsOf(lines: readonly string[], left: MarksLeft): readonly (readonly Span[])[] {
  const items: string[] = []
  for (const line of lines) {
    if (listMark.test(line)) items.push(line.replace(listMark, ''))
    else items.push(`${items.pop() ?? ''} ${line.trim()}`)
  }
  return items.map((item) => spansOf(item, left))
}

const spanMark = /\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|(?<!\w)_([^_\s][^_]*)_(?!\w)|`([^`]+)`/g

function spansOf(text: string, left: MarksLeft): readonly Span[] {
  const spans: Span[] = []
  let at = 0
  for (const match of text.matchAll(spanMark)) {
    if (left.count === 0) break
    left.count -= 1
    if (match.index > at) spans.push({ style: 'plain', text: text.slice(at, match.index), at })
    const [whole, strong, starred, underlined, code] = match
    const emphasis = starred ?? underlined
    if (strong !== undefined) spans.push({ style: 'strong', text: strong, at: match.index })
    else if (emphasis !== undefined) spans.push({ style: 'emphasis', text: emphasis, at: match.index })
    else if (code !== undefined) spans.push({ style: 'code', text: code, at: match.index })
    at = match.index + whole.length
  }
  if (at < text.length) spans.push({ style: 'plain', text: text.slice(at), at })
  return spans
}
