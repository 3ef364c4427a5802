/** Mutation of JSON by its structure, with all that JSON can say and a careless reader stumbles over. */
import type { Chance } from '../../simulate/chance.ts'
import { type Mutable, mutateBytes } from './mutate.ts'
import { bytesOf, jsonOf, textOf } from './target.ts'

/** Text that stands in the document as it is: what no value can say. */
interface Raw {
  readonly raw: string
}
/** Members in their order, so that a key may stand there twice. */
interface Members {
  readonly members: readonly (readonly [string, Tree])[]
}
type Tree = null | boolean | number | string | Raw | Members | readonly Tree[]

/** A reader that recurses must not be this code. */
const depthMax = 200
const keys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  'then',
  '',
  'v',
  '\ud800',
]
const scalars: readonly Tree[] = [
  null,
  true,
  false,
  '',
  ' ',
  '\u0000',
  '0',
  '__proto__',
  '<script>alert(1)</script>',
  '../../etc/passwd',
  'é'.normalize('NFD'),
  '\ufeff',
  { raw: '"\\ud800"' },
  { raw: '"\\udc00\\ud800"' },
  { raw: '"\\u0041"' },
  { raw: '-0' },
  { raw: '1e400' },
  { raw: '-1e400' },
  { raw: '1E2' },
  { raw: '1.0' },
  { raw: '9007199254740993' },
  { raw: `1${'0'.repeat(400)}` },
  { raw: '01' },
  { raw: 'NaN' },
  { raw: '{"__proto__":{"v":1}}' },
  0,
  1,
  -1,
  0.5,
  1e-7,
  255,
  256,
  65_536,
  4_294_967_295,
  4_294_967_296,
  2 ** 53,
  1e21,
  [],
  { members: [] },
]

const treeOf = (value: unknown, depth = 0): Tree => {
  if (depth > depthMax) return null
  if (Array.isArray(value)) return value.map((element) => treeOf(element, depth + 1))
  if (typeof value === 'object' && value !== null)
    return { members: Object.entries(value).map(([key, member]) => [key, treeOf(member, depth + 1)]) }
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' ? value : null
}

const isList = (tree: Tree): tree is readonly Tree[] => Array.isArray(tree)

const write = (tree: Tree, space: string): string => {
  if (tree === null || typeof tree !== 'object') return JSON.stringify(tree)
  if (isList(tree)) return `[${space}${tree.map((element) => write(element, space)).join(`,${space}`)}]`
  if ('raw' in tree) return tree.raw
  const members = tree.members.map(([key, member]) => `${JSON.stringify(key)}:${space}${write(member, space)}`)
  return `{${members.join(`,${space}`)}}`
}

const nested = (chance: Chance, lengthMax: number): Tree => {
  const [open, close] = chance.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const)
  // As deep as fits, now and then: a reader that recurses has an end.
  const depthFitting = Math.floor((lengthMax * 0.8) / (open.length + close.length))
  const depth = chance.hit(0.2) ? depthFitting : 1 + chance.below(50)
  return { raw: `${open.repeat(depth)}0${close.repeat(depth)}` }
}

const stretched = (text: string, chance: Chance): string =>
  chance.hit(0.5) ? text.slice(0, chance.below(text.length + 1)) : text + text.repeat(1 + chance.below(40))

interface Surroundings {
  readonly chance: Chance
  readonly lengthMax: number
  readonly words: readonly string[]
  readonly donor: Tree
}

const fresh = ({ chance, lengthMax, words, donor }: Surroundings): Tree => {
  if (words.length > 0 && chance.hit(0.3)) return chance.pick(words)
  if (chance.hit(0.05)) return nested(chance, lengthMax)
  return chance.hit(0.15) ? someNode(donor, chance) : chance.pick(scalars)
}

const someNode = (tree: Tree, chance: Chance): Tree => {
  const children =
    tree === null || typeof tree !== 'object'
      ? []
      : isList(tree)
        ? tree
        : 'raw' in tree
          ? []
          : tree.members.map(([, member]) => member)
  return children.length === 0 || chance.hit(0.3) ? tree : someNode(chance.pick(children), chance)
}

const changedScalar = (tree: Tree, around: Surroundings): Tree => {
  const { chance } = around
  if (typeof tree === 'number' && chance.hit(0.5)) return tree + chance.pick([-1, 1, 0.5, -tree, tree])
  if (typeof tree === 'string' && chance.hit(0.4)) return stretched(tree, chance)
  return fresh(around)
}

/** Exchanges, removes, doubles or adds one of the children. */
const changedList = <Child>(children: readonly Child[], around: Surroundings, made: () => Child): readonly Child[] => {
  const { chance } = around
  const at = chance.below(children.length + 1)
  const child = children[at]
  if (child === undefined) return [...children, made()]
  switch (chance.below(4)) {
    case 0:
      return children.toSpliced(at, 1)
    case 1:
      return [...children, child]
    case 2:
      return children.toSpliced(at, 0, made())
    default:
      return [...children.slice(at), ...children.slice(0, at)]
  }
}

const changed = (tree: Tree, around: Surroundings): Tree => {
  const { chance } = around
  if (tree === null || typeof tree !== 'object') return changedScalar(tree, around)
  if (chance.hit(0.05)) return fresh(around)
  if (isList(tree)) {
    if (tree.length === 0 || chance.hit(0.4)) return changedList(tree, around, () => fresh(around))
    const at = chance.below(tree.length)
    return tree.with(at, changed(tree[at] ?? null, around))
  }
  if ('raw' in tree) return fresh(around)
  if (tree.members.length === 0 || chance.hit(0.3))
    return {
      members: changedList(tree.members, around, () => [chance.pick([...keys, ...around.words]), fresh(around)]),
    }
  const at = chance.below(tree.members.length)
  const [key, member] = tree.members[at] ?? ['', null]
  if (chance.hit(0.05)) return { members: tree.members.with(at, [chance.pick(keys), member]) }
  return { members: tree.members.with(at, [key, changed(member, around)]) }
}

/** @returns another document; now and then one that is damaged as text */
export const mutateJson = (input: Uint8Array, chance: Chance, about: Mutable): Uint8Array => {
  const value = jsonOf(input)
  if (value === undefined || chance.hit(0.1)) return mutateBytes(input, chance, about)
  const donor = about.corpus.length === 0 ? null : treeOf(jsonOf(chance.pick(about.corpus)))
  const words = about.words.map(textOf)
  let tree = treeOf(value)
  do tree = changed(tree, { chance, lengthMax: about.lengthMax, words, donor })
  while (chance.hit(0.4))
  const bytes = bytesOf(write(tree, chance.hit(0.05) ? ' ' : ''))
  return bytes.length > about.lengthMax ? bytes.slice(0, about.lengthMax) : bytes
}
