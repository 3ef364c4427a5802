/** Black dots on paper, and the filling of outlines with them. */

export interface Bitmap {
  readonly width: number
  readonly height: number
  /** A byte for each dot, row by row: 1 is black. */
  readonly dots: Uint8Array
}

export const blankBitmap = (width: number, height: number): Bitmap => ({
  width,
  height,
  dots: new Uint8Array(width * height),
})

/** @throws RangeError when it reaches beyond the paper */
export const paste = (onto: Bitmap, what: Bitmap, at: { readonly x: number; readonly y: number }): void => {
  if (at.x < 0 || at.y < 0 || at.x + what.width > onto.width || at.y + what.height > onto.height)
    throw new RangeError('beyond the paper')
  for (let y = 0; y < what.height; y += 1)
    onto.dots.set(what.dots.subarray(y * what.width, (y + 1) * what.width), (at.y + y) * onto.width + at.x)
}

export interface Point {
  readonly x: number
  readonly y: number
}
/** Closed by itself. */
export type Contour = readonly Point[]

/** Scan lines for each row of dots. */
const linesPerRow = 4
/** How much of a dot the outline must cover: less than half, since thermal paper takes thin strokes badly. */
const coverMin = 0.4

/** Where a scan line meets the outlines, from left to right, with the direction of each. */
const crossings = (contours: readonly Contour[], y: number): { x: number; winding: number }[] => {
  const found: { x: number; winding: number }[] = []
  for (const contour of contours)
    contour.forEach((from, at) => {
      const to = contour[(at + 1) % contour.length] ?? from
      if (from.y <= y === to.y <= y) return
      found.push({ x: from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x), winding: from.y < to.y ? 1 : -1 })
    })
  return found.sort((a, b) => a.x - b.x)
}

const cover = (row: Float32Array, from: number, to: number): void => {
  const [left, right] = [Math.max(0, from), Math.min(row.length, to)]
  for (let x = Math.floor(left); x < right; x += 1)
    row[x] = (row[x] ?? 0) + (Math.min(right, x + 1) - Math.max(left, x)) / linesPerRow
}

/** Fills by the non-zero rule, as TrueType does. What lies outside the bitmap is cut off. */
export const fill = (onto: Bitmap, contours: readonly Contour[]): void => {
  const points = contours.flat()
  if (points.length === 0) return
  const xs = points.map((point) => point.x)
  const ys = points.map((point) => point.y)
  const left = Math.max(0, Math.floor(Math.min(...xs)))
  const right = Math.min(onto.width, Math.ceil(Math.max(...xs)))
  const top = Math.max(0, Math.floor(Math.min(...ys)))
  const bottom = Math.min(onto.height, Math.ceil(Math.max(...ys)))
  if (right <= left) return
  for (let y = top; y < bottom; y += 1) {
    const row = new Float32Array(right - left)
    for (let line = 0; line < linesPerRow; line += 1) {
      let winding = 0
      let from = 0
      for (const crossing of crossings(contours, y + (line + 0.5) / linesPerRow)) {
        if (winding === 0) from = crossing.x
        winding += crossing.winding
        if (winding === 0) cover(row, from - left, crossing.x - left)
      }
    }
    row.forEach((covered, x) => {
      if (covered >= coverMin) onto.dots[y * onto.width + left + x] = 1
    })
  }
}
