/** The picture of an item, or a drawn cover (cover.ts decides what). Decoration only: the title stands beside it. */
import { type ReactElement, useState } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import type { Spoken } from '../../protocol/language.ts'
import { dictionaryOf } from '../language/language.ts'
import { type CoverMotif, motifOf, numbersOf, type Palette, paletteOf, seedOf } from './cover.ts'
import { useWords } from './engine-context.ts'

interface Drawing {
  readonly palette: Palette
  readonly next: () => number
  readonly title: Spoken
}

export function Cover({ item }: { item: CatalogueItem }): ReactElement {
  const { pictureUrl } = item
  const [lostUrl, setLostUrl] = useState<string>()
  if (pictureUrl === undefined || pictureUrl === lostUrl) return <Drawn item={item} />
  return (
    <img
      className="cover"
      src={pictureUrl}
      alt=""
      decoding="async"
      draggable={false}
      onError={() => setLostUrl(pictureUrl)}
    />
  )
}

function Drawn({ item }: { item: CatalogueItem }): ReactElement {
  const { spoken } = useWords()
  const motif = motifOf(item)
  const palette = paletteOf(item.id, motif)
  const draw = motifs[motif]
  return (
    <svg className="cover" viewBox="0 0 400 400" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <rect width="400" height="400" fill={palette.ground} />
      {draw({ palette, next: numbersOf(seedOf(item.id)), title: spoken(item.title) })}
    </svg>
  )
}

const motifs: Readonly<Record<CoverMotif, (drawing: Drawing) => ReactElement>> = {
  streets: Streets,
  page: Page,
  hills: Hills,
  sound: Sound,
  tiles: Tiles,
  stub: Stub,
}

/** A quarter seen from above: blocks, a river, a way through. */
function Streets({ palette, next }: Drawing): ReactElement {
  const columns = cuts(next, 7)
  const rows = cuts(next, 7)
  const blocks = columns.flatMap(([x, width]) =>
    rows.map(([y, height]) => ({ x, y, width, height, lit: next() < 0.16, open: next() < 0.08 })),
  )
  const bend = 60 + next() * 120
  const river = `M -120 ${170 + bend} C 60 ${90 + bend}, 150 ${330 + bend / 2}, 290 ${150 + bend / 2} S 480 ${60 + bend / 3}, 560 ${90 + bend / 3}`
  return (
    <g transform={`rotate(${-14 + next() * 10} 200 200)`}>
      {blocks
        .filter((block) => !block.open)
        .map((block) => (
          <rect
            key={`${block.x}-${block.y}`}
            x={block.x}
            y={block.y}
            width={block.width}
            height={block.height}
            rx="5"
            fill={block.lit ? palette.light : palette.shape}
            opacity={block.lit ? 0.9 : 1}
          />
        ))}
      <path d={river} fill="none" stroke={palette.ground} strokeWidth="58" />
      <path d={river} fill="none" stroke={palette.light} strokeWidth="34" opacity="0.32" />
      <path
        d="M 92 318 L 92 236 L 168 226 L 176 150 L 262 142 L 272 96"
        fill="none"
        stroke={palette.spark}
        strokeWidth="11"
        strokeLinecap="round"
        strokeLinejoin="round"
        strokeDasharray="1 20"
      />
      <circle cx="92" cy="318" r="15" fill={palette.light} stroke={palette.spark} strokeWidth="9" />
      <path d="M 272 112 c -22 -32 -34 -46 -34 -66 a 34 34 0 1 1 68 0 c 0 20 -12 34 -34 66 z" fill={palette.spark} />
      <circle cx="272" cy="46" r="13" fill={palette.ground} />
    </g>
  )
}

/** Streets between blocks of uneven width, wide enough for a turned picture. */
function cuts(next: () => number, count: number): readonly (readonly [number, number])[] {
  const parts: [number, number][] = []
  let at = -70
  for (let i = 0; i < count; i += 1) {
    const width = 52 + next() * 44
    parts.push([at, width])
    at += width + 9
  }
  return parts
}

/** A page with a large initial. */
function Page({ palette, next, title }: Drawing): ReactElement {
  const firstWord = title.text.replace(dictionaryOf(title.language).leadingArticle, '')
  const initial = [...firstWord][0]?.toUpperCase() ?? ''
  const lines = Array.from({ length: 7 }, (_, row) => ({
    row,
    width: row === 6 ? 60 + next() * 60 : 176 + next() * 20,
  }))
  return (
    <g>
      <circle cx={330 - next() * 40} cy={84 + next() * 30} r="128" fill={palette.shape} />
      <rect x="86" y="52" width="240" height="330" rx="6" fill={palette.light} />
      <text
        lang={title.language}
        x="108"
        y="214"
        fontSize="164"
        fontWeight="800"
        fill={palette.ink}
        className="cover-initial"
      >
        {initial}
      </text>
      <rect x="112" y="234" width="34" height="7" fill={palette.spark} />
      {lines.map(({ row, width }) => (
        <rect key={row} x="112" y={258 + row * 17} width={width} height="6" rx="3" fill={palette.ink} opacity="0.34" />
      ))}
    </g>
  )
}

/** A sun over hills. */
function Hills({ palette, next }: Drawing): ReactElement {
  const rise = () => 190 + next() * 60
  return (
    <g>
      <circle cx={140 + next() * 120} cy={130 + next() * 30} r="62" fill={palette.spark} />
      <path
        d={`M 0 ${rise()} C 110 ${rise() - 60}, 240 ${rise() + 60}, 400 ${rise() - 30} V 400 H 0 Z`}
        fill={palette.light}
        opacity="0.7"
      />
      <path
        d={`M 0 ${rise() + 70} C 140 ${rise()}, 260 ${rise() + 120}, 400 ${rise() + 30} V 400 H 0 Z`}
        fill={palette.shape}
      />
    </g>
  )
}

/** A sound as bars. */
function Sound({ palette, next }: Drawing): ReactElement {
  const bars = Array.from({ length: 13 }, (_, bar) => ({
    bar,
    height: 40 + next() * 200 * Math.sin(((bar + 1) / 14) * Math.PI),
  }))
  return (
    <g>
      <circle cx="200" cy="200" r="168" fill={palette.shape} />
      {bars.map(({ bar, height }) => (
        <rect
          key={bar}
          x={66 + bar * 21}
          y={200 - height / 2}
          width="11"
          height={height}
          rx="5.5"
          fill={bar === 6 ? palette.spark : palette.light}
        />
      ))}
    </g>
  )
}

/** A pattern that no other item has, mirrored like a code. */
function Tiles({ palette, next }: Drawing): ReactElement {
  const half = Array.from({ length: 15 }, (_, cell) => ({
    column: cell % 3,
    row: Math.floor(cell / 3),
    turn: Math.floor(next() * 5),
    spark: next() < 0.2,
  }))
  const cells = half.flatMap((cell) =>
    cell.column === 2 ? [cell] : [cell, { ...cell, column: 4 - cell.column, turn: mirrored(cell.turn) }],
  )
  return (
    <g transform="translate(60 60)">
      {cells.map(({ column, row, turn, spark }) => (
        <g key={`${column}-${row}`} transform={`translate(${column * 56 + 28} ${row * 56 + 28}) rotate(${turn * 90})`}>
          {turn === 4 ? (
            <circle r="15" fill={spark ? palette.spark : palette.light} />
          ) : (
            <path
              d="M -26 -26 H 26 A 52 52 0 0 1 -26 26 Z"
              fill={spark ? palette.spark : (column + row) % 2 === 0 ? palette.light : palette.shape}
            />
          )}
        </g>
      ))}
    </g>
  )
}

function mirrored(turn: number): number {
  return turn === 4 ? 4 : ([1, 0, 3, 2][turn] ?? turn)
}

/** A ticket, torn along its stub. */
function Stub({ palette, next }: Drawing): ReactElement {
  return (
    <g transform={`rotate(${-12 + next() * 6} 200 200)`}>
      <path
        d="M 50 130 H 350 V 176 A 24 24 0 0 0 350 224 V 270 H 50 V 224 A 24 24 0 0 0 50 176 Z"
        fill={palette.light}
      />
      <path d="M 258 138 V 262" stroke={palette.ground} strokeWidth="5" strokeDasharray="3 12" strokeLinecap="round" />
      <circle cx="154" cy="200" r="36" fill={palette.spark} />
      <rect x="284" y="160" width="36" height="9" rx="4" fill={palette.shape} />
      <rect x="284" y="184" width="36" height="9" rx="4" fill={palette.shape} />
    </g>
  )
}
