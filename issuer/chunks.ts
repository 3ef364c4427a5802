/** Rows in portions, since a statement takes only so many. */
export const chunks = function* <Value>(values: readonly Value[], size: number): Generator<Value[]> {
  for (let at = 0; at < values.length; at += size) yield values.slice(at, at + size)
}
