// An article on the claim page: the small part of Markdown that one needs, made of elements. Text never becomes markup.

const lettersMax = 1_000_000
const spanMark = /\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|`([^`]+)`/g

const element = (tag, ...children) => {
  const made = document.createElement(tag)
  made.append(...children)
  return made
}

const spansOf = (text) => {
  const spans = []
  let at = 0
  for (const match of text.matchAll(spanMark)) {
    const [whole, strong, emphasis, code] = match
    spans.push(text.slice(at, match.index))
    spans.push(
      strong !== undefined
        ? element('strong', strong)
        : emphasis !== undefined
          ? element('em', emphasis)
          : element('code', code),
    )
    at = match.index + whole.length
  }
  return [...spans, text.slice(at)]
}

const listMark = /^(?:[-*]|\d{1,3}[.)])\s+/

const blockOf = (chunk) => {
  const lines = chunk.split('\n').map((line) => line.trim())
  const heading = /^(#{1,6})\s+/.exec(lines[0])
  if (heading !== null) {
    const rest = lines.slice(1).join('\n').trim()
    const title = element(heading[1].length === 1 ? 'h3' : 'h4', ...spansOf(lines[0].slice(heading[0].length)))
    return rest === '' ? [title] : [title, ...blockOf(rest)]
  }
  if (/^(?:-{3,}|\*{3,})$/.test(chunk)) return [element('hr')]
  if (lines.every((line) => line.startsWith('>')))
    return [element('blockquote', ...spansOf(lines.map((line) => line.replace(/^>\s?/, '')).join(' ')))]
  if (listMark.test(lines[0])) {
    const items = []
    for (const line of lines)
      if (listMark.test(line)) items.push(line.replace(listMark, ''))
      else items.push(`${items.pop()} ${line}`)
    return [element(/^\d/.test(chunk) ? 'ol' : 'ul', ...items.map((item) => element('li', ...spansOf(item))))]
  }
  return [element('p', ...spansOf(lines.join(' ')))]
}

/** @param marked whether it is Markdown; otherwise its lines stand as they are */
export const articleOf = (text, marked) => {
  const shown = text.slice(0, lettersMax).replaceAll('\r\n', '\n')
  const article = element('div')
  article.className = marked ? 'article' : 'article plain-text'
  article.dir = 'auto'
  const chunks = shown
    .split(/\n[ \t]*\n+/)
    .map((chunk) => chunk.trim())
    .filter((chunk) => chunk !== '')
  article.append(...(marked ? chunks.flatMap(blockOf) : [shown]))
  return article
}
