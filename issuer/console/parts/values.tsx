/** One value each: money, counts, times, states. */
import type { ReactNode } from 'react'
import { useSession } from '../api/session.ts'
import { formatAge, formatCount, formatDay, formatExactTime, formatMoney, formatSpan, formatTime } from './format.ts'
import { useNow } from './use-now.ts'

/** An amount with its currency, in figures of one width. Absent amounts are a dash. */
export function Money({ minor, sign, strong }: { minor: number | undefined; sign?: boolean; strong?: boolean }) {
  const { currency } = useSession().book
  if (minor === undefined) return <None />
  const tone = minor < 0 ? ' is-negative' : minor === 0 ? ' is-zero' : ''
  return (
    <span className={`money${tone}${strong ? ' is-strong' : ''}`}>
      {formatMoney(minor, currency, { sign: sign ?? false })}
    </span>
  )
}

/** Words in whatever language and direction their writer chose. */
export function Words({ of }: { of: string }) {
  return (
    <span className="words" dir="auto">
      {of}
    </span>
  )
}

export function Count({ of }: { of: number | undefined }) {
  if (of === undefined) return <None />
  return <span className={`figure${of === 0 ? ' is-zero' : ''}`}>{formatCount(of)}</span>
}

export function None({ says = 'none' }: { says?: string }) {
  return (
    <span className="none">
      <span aria-hidden="true">–</span>
      <span className="unseen">{says}</span>
    </span>
  )
}

/** A moment in the book's time zone; `relative` shows how long ago, and when in its title. */
export function DateTime({ at, relative }: { at: string | undefined; relative?: boolean }) {
  const { timeZone } = useSession().book
  const now = useNow()
  if (at === undefined) return <None says="never" />
  const date = new Date(at)
  const shown = relative ? formatAge(date, now) : formatTime(date, timeZone, now)
  const title = relative
    ? formatExactTime(date, timeZone)
    : `${formatAge(date, now)}: ${formatExactTime(date, timeZone)}`
  return (
    <time className="time" dateTime={at} title={title}>
      {shown}
    </time>
  )
}

/** How long something lasts already. */
export function Age({ since }: { since: string }) {
  const now = useNow()
  const { timeZone } = useSession().book
  const date = new Date(since)
  return (
    <time className="time" dateTime={since} title={formatExactTime(date, timeZone)}>
      {formatSpan((now - date.getTime()) / 1000)}
    </time>
  )
}

export function Day({ day }: { day: string }) {
  const now = useNow()
  return (
    <time className="time" dateTime={day}>
      {formatDay(day, now)}
    </time>
  )
}

export type Tone = 'good' | 'warn' | 'bad' | 'note' | 'quiet'

/** A state in a word. The word says it; the colour only repeats it. */
export function Badge({ tone = 'quiet', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`badge tone-${tone}`}>{children}</span>
}

/** An id, a hash, a document's name: letters of one width, and selected by one double click. */
export function Code({ children }: { children: string }) {
  return <code className="code">{children}</code>
}
