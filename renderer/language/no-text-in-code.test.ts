/**
 * No text outside of the dictionaries: in all of the page's components, what a customer would read or hear comes from
 * `words`. Reads the components' syntax, so that it sees what stands between tags, and labels written as strings.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseAst } from 'vite'
import { expect, it } from 'vitest'

const renderer = path.join(import.meta.dirname, '..')
/** What is read or heard of an element. */
const labels = new Set([
  'aria-label',
  'aria-description',
  'aria-roledescription',
  'aria-valuetext',
  'title',
  'alt',
  'placeholder',
  'label',
])

interface Node {
  readonly type: string
  readonly [name: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

/** A letter of any script: signs and figures need no translation. */
const hasLetters = (text: unknown) => typeof text === 'string' && /\p{L}/u.test(text)

/** The strings that an expression can become, through `a ? b : c`, `a && b` and the like. */
function stringsIn(node: unknown): readonly string[] {
  if (!isNode(node)) return []
  switch (node.type) {
    case 'Literal':
      return hasLetters(node.value) ? [String(node.value)] : []
    case 'TemplateLiteral':
      return (node.quasis as readonly { value: { cooked: string } }[])
        .map(({ value }) => value.cooked)
        .filter(hasLetters)
    case 'ConditionalExpression':
      return [...stringsIn(node.consequent), ...stringsIn(node.alternate)]
    case 'LogicalExpression':
    case 'BinaryExpression':
      return node.operator === '===' || node.operator === '!=='
        ? []
        : [...stringsIn(node.left), ...stringsIn(node.right)]
    case 'JSXExpressionContainer':
      return stringsIn(node.expression)
    default:
      return []
  }
}

function textsIn(node: unknown): readonly string[] {
  if (Array.isArray(node)) return node.flatMap(textsIn)
  if (!isNode(node)) return []
  if (node.type === 'JSXText') return hasLetters(node.value) ? [String(node.value).trim()] : []
  if (node.type === 'JSXAttribute') {
    const { name } = node.name as { name: unknown }
    return [...(labels.has(String(name)) ? stringsIn(node.value) : []), ...textsIn(node.value)]
  }
  const children =
    node.type === 'JSXElement' || node.type === 'JSXFragment' ? (node.children as readonly unknown[]) : []
  return [...children.flatMap(stringsIn), ...Object.values(node).flatMap(textsIn)]
}

const textsOf = (code: string) => textsIn(parseAst(code, { lang: 'tsx' }))

it('finds a text wherever one can be written', () => {
  const component = (jsx: string) => textsOf(`const A = ({ b }: { b: boolean }) => ${jsx}`)
  expect(component('<p>Hello {b}</p>')).toEqual(['Hello'])
  expect(component('<p>{b ? "Yes" : <i>no</i>}</p>')).toEqual(['Yes', 'no'])
  expect(component('<p>{b && `left`}</p>')).toEqual(['left'])
  expect(component('<img alt="A map" title={b ? "One" : "Two"} />')).toEqual(['A map', 'One', 'Two'])
  expect(component('<button aria-label={b || `Page`} className="button" data-action="go">×</button>')).toEqual(['Page'])
  expect(component('<p lang="en" role="status">{words.pay.headline} {1} · </p>')).toEqual([])
})

it('finds none in the components of the page', () => {
  const files = readdirSync(renderer, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.tsx') && !file.startsWith('dev'),
  )
  expect(files.length).toBeGreaterThan(20)
  for (const file of files) expect(textsOf(readFileSync(path.join(renderer, file), 'utf8')), file).toEqual([])
})
