/** The picture of an item that brings none: drawn from its id and kind, always the same for the same item. */
import type { ItemKind } from '../../preload/contract.ts'

export type CoverMotif = 'streets' | 'page' | 'hills' | 'sound' | 'tiles' | 'stub'

export interface Palette {
  readonly ground: string
  readonly shape: string
  readonly light: string
  readonly spark: string
  /** What can be read on `light`. */
  readonly ink: string
}

const teal: Palette = { ground: '#12504c', shape: '#1f7a70', light: '#f4ecd8', spark: '#f3b23c', ink: '#12504c' }
const blue: Palette = { ground: '#1d3b6f', shape: '#3a66ab', light: '#f3efe6', spark: '#f58f5c', ink: '#1d3b6f' }
const plum: Palette = { ground: '#54284c', shape: '#8b4a7c', light: '#fbf0ea', spark: '#f2b49b', ink: '#54284c' }
const brick: Palette = { ground: '#8f3622', shape: '#bd5636', light: '#fbf0df', spark: '#f7cb7d', ink: '#8f3622' }
const olive: Palette = { ground: '#3d4a20', shape: '#70803a', light: '#f6f2e0', spark: '#efd36e', ink: '#3d4a20' }
const sky: Palette = { ground: '#bcdbe6', shape: '#5f9db6', light: '#ffffff', spark: '#d9452f', ink: '#d9452f' }
const sand: Palette = { ground: '#f0d8ac', shape: '#dca862', light: '#fffaf0', spark: '#1f5378', ink: '#1f5378' }

const motifByKind: Readonly<Record<Exclude<ItemKind, 'document' | 'media'>, CoverMotif>> = {
  code: 'tiles',
  ticket: 'stub',
}

export function motifOf({ kind, mediaType }: { kind: ItemKind; mediaType: string }): CoverMotif {
  if (kind === 'code' || kind === 'ticket') return motifByKind[kind]
  if (mediaType.startsWith('image/')) return 'hills'
  if (mediaType.startsWith('text/') || mediaType === 'application/epub+zip') return 'page'
  return kind === 'document' ? 'streets' : 'sound'
}

/** FNV-1a, 32 bits: enough to tell covers apart. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** Mulberry32: the same numbers from 0 to 1 for the same seed. */
export function numbersOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Motifs share no palette with those they mostly stand beside, so that neighbours on the shelf differ. */
const choices: Readonly<Record<CoverMotif, readonly [Palette, Palette]>> = {
  streets: [teal, blue],
  page: [brick, sand],
  hills: [sky, olive],
  sound: [plum, olive],
  tiles: [sky, plum],
  stub: [olive, blue],
}

export function paletteOf(id: string, motif: CoverMotif): Palette {
  const [first, second] = choices[motif]
  return seedOf(id) % 2 === 0 ? first : second
}
