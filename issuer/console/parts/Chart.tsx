/** Bars over time (uPlot), with the same figures as a table for whoever does not see them. */
import { useEffect, useId, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { Button } from './Button.tsx'

export interface Series {
  readonly title: string
  /** A custom property of tokens.css, such as "--series-1". */
  readonly color: `--${string}`
  /** One for each label; null: not yet. */
  readonly values: readonly (number | null)[]
  /** Bars are filled; a line shows what they are compared with. */
  readonly shape: 'bars' | 'line'
}

const gapPx = 2
const axisGapPx = 56

/** The colour that a property has here and now, in light or in dark. */
const colorOf = (element: HTMLElement, property: string): string => {
  const probe = document.createElement('span')
  probe.style.color = `var(${property})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

const fade = (color: string): string => color.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.14)')

const draw = (
  element: HTMLElement,
  data: { labels: readonly string[]; series: readonly Series[]; height: number; format: (value: number) => string },
): uPlot => {
  const { labels, series, height, format } = data
  const [ink, line] = [colorOf(element, '--ink-faint'), colorOf(element, '--line')]
  const face = getComputedStyle(element).fontFamily
  const font = `11px ${face}`
  const bars = uPlot.paths.bars?.({ size: [0.62, 36], radius: 0.12 })
  const steps = uPlot.paths.stepped?.({ align: 1 })
  return new uPlot(
    {
      width: element.clientWidth,
      height,
      padding: [8, 0, 0, 0],
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      legend: { show: false },
      scales: {
        x: { time: false, range: [-0.6, labels.length - 0.4] },
        y: { range: (_, __, max) => [0, max <= 0 ? 1 : max * 1.08] },
      },
      axes: [
        {
          stroke: ink,
          font,
          gap: gapPx + 2,
          size: 26,
          grid: { show: false },
          ticks: { show: false },
          incrs: [1, 2, 3, 4, 6, 7, 12],
          space: 44,
          values: (_, splits) => splits.map((at) => labels[at] ?? ''),
        },
        {
          stroke: ink,
          font,
          gap: gapPx + 2,
          size: axisGapPx,
          grid: { stroke: line, width: 1 },
          ticks: { show: false },
          space: 36,
          // Where nothing was sold, one nought says it.
          values: (_, splits) => splits.map(format).map((text, at, all) => (text === all[at - 1] ? '' : text)),
        },
      ],
      series: [
        {},
        ...series.map(({ color, shape }) => {
          const stroke = colorOf(element, color)
          const paths = shape === 'bars' ? bars : steps
          return {
            stroke,
            width: shape === 'bars' ? 0 : 1.5,
            points: { show: false },
            ...(shape === 'bars' ? { fill: stroke } : { fill: fade(stroke) }),
            ...(paths === undefined ? {} : { paths }),
          }
        }),
      ],
    },
    [labels.map((_, at) => at), ...series.map(({ values }) => [...values])],
    element,
  )
}

/**
 * @param labels one for each bar
 * @param format of a value, with its unit: for the table and for what is pointed at
 * @param formatShort for the axis
 */
export function Chart({
  title,
  labels,
  labelTitle,
  series,
  format,
  formatShort,
  height = 220,
}: {
  title: string
  labels: readonly string[]
  /** What a label is: "Hour". */
  labelTitle: string
  series: readonly Series[]
  format: (value: number) => string
  formatShort: (value: number) => string
  height?: number
}) {
  const host = useRef<HTMLDivElement>(null)
  const [asTable, setAsTable] = useState(false)
  const [pointed, setPointed] = useState<number>()
  const [looks, setLooks] = useState(0)
  const id = useId()
  useEffect(() => {
    const dark = window.matchMedia('(prefers-color-scheme: dark)')
    const again = () => setLooks((count) => count + 1)
    dark.addEventListener('change', again)
    window.addEventListener('farthing-theme', again)
    return () => {
      dark.removeEventListener('change', again)
      window.removeEventListener('farthing-theme', again)
    }
  }, [])
  const shown = JSON.stringify([labels, series])
  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew when its figures or colours change, by their text.
  useEffect(() => {
    const element = host.current
    if (element === null || asTable) return
    const plot = draw(element, { labels, series, height, format: formatShort })
    plot.hooks.setCursor = [({ cursor }) => setPointed(cursor.idx ?? undefined)]
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      plot.destroy()
    }
  }, [shown, asTable, looks, height])
  const at = pointed !== undefined && pointed < labels.length ? pointed : undefined
  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption id={id} className="chart-head">
        <span className="unseen">{title}</span>
        <ul className="chart-legend">
          {series.map((each) => (
            <li key={each.title}>
              <span className={`chart-key is-${each.shape} ${each.color.slice(2)}`} aria-hidden="true" />
              {each.title}
              {at === undefined ? null : (
                <strong className="figure">{each.values[at] == null ? '–' : format(each.values[at])}</strong>
              )}
            </li>
          ))}
        </ul>
        {at === undefined ? null : <span className="chart-at figure">{labels[at]}</span>}
        <Button small kind="bare" onPress={() => setAsTable(!asTable)}>
          {asTable ? 'As a chart' : 'As a table'}
        </Button>
      </figcaption>
      {asTable ? (
        <div className="chart-table">
          <table>
            <caption className="unseen">{title}</caption>
            <thead>
              <tr>
                <th scope="col">{labelTitle}</th>
                {series.map((each) => (
                  <th key={each.title} scope="col" className="at-end">
                    {each.title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {labels.map((label, row) => (
                <tr key={label}>
                  <th scope="row" className="figure">
                    {label}
                  </th>
                  {series.map((each) => (
                    <td key={each.title} className="at-end figure">
                      {each.values[row] == null ? '–' : format(each.values[row])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <div
          ref={host}
          className="chart-plot"
          role="img"
          aria-label={`${title}: the same figures stand in the table`}
        />
      )}
    </figure>
  )
}
