/** What narrows a list, above its rows. Text waits until whoever types pauses. */
import { type ReactNode, useEffect, useId, useState } from 'react'
import { Button } from './Button.tsx'
import { Icon } from './Icon.tsx'
import type { ListState } from './use-list.ts'

const typingMs = 250

export function Filters<Row>({ list, children }: { list: ListState<Row>; children: ReactNode }) {
  return (
    <search className="filters">
      {children}
      {list.filtered ? (
        <Button small kind="bare" onPress={list.clearFilters}>
          <Icon name="close" /> Clear
        </Button>
      ) : null}
    </search>
  )
}

export function FilterText<Row>({ list, name, label }: { list: ListState<Row>; name: string; label: string }) {
  const value = list.filter(name)
  const [typed, setTyped] = useState(value)
  useEffect(() => setTyped(value), [value])
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is typed starts the wait.
  useEffect(() => {
    if (typed === value) return
    const timer = setTimeout(() => list.setFilter(name, typed), typingMs)
    return () => clearTimeout(timer)
  }, [typed])
  const id = useId()
  return (
    <span className="filter is-text">
      <label htmlFor={id} className="unseen">
        {label}
      </label>
      <Icon name="search" />
      <input
        id={id}
        type="search"
        value={typed}
        placeholder={label}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setTyped(event.target.value)}
      />
    </span>
  )
}

export function FilterSelect<Row>({
  list,
  name,
  label,
  options,
}: {
  list: ListState<Row>
  name: string
  label: string
  /** Value and title; the first, "all", is added. */
  options: readonly (readonly [string, string])[]
}) {
  const id = useId()
  const value = list.filter(name)
  return (
    <span className={`filter${value === '' ? '' : ' is-set'}`}>
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => list.setFilter(name, event.target.value)}>
        <option value="">All</option>
        {options.map(([each, title]) => (
          <option key={each} value={each}>
            {title}
          </option>
        ))}
      </select>
    </span>
  )
}

export function FilterDay<Row>({ list, name, label }: { list: ListState<Row>; name: string; label: string }) {
  const id = useId()
  const value = list.filter(name)
  return (
    <span className={`filter${value === '' ? '' : ' is-set'}`}>
      <label htmlFor={id}>{label}</label>
      <input id={id} type="date" value={value} onChange={(event) => list.setFilter(name, event.target.value)} />
    </span>
  )
}
