/** What main tells a section of operator mode: asked for when it opens, and again after an act. */
import { useCallback, useEffect, useState } from 'react'
import type { OperatorAct, OperatorLook, OperatorResult, OperatorViews } from '../../preload/operator-contract.ts'
import { useEngine } from '../parts/engine-context.ts'

export function useLook<Section extends OperatorLook['section']>(section: Section, before?: number) {
  const engine = useEngine()
  const [view, setView] = useState<OperatorViews[Section]>()
  const again = useCallback(async () => {
    const look = { section, ...(before === undefined ? {} : { before }) } as Extract<OperatorLook, { section: Section }>
    setView((await engine.operatorLook(look)) as OperatorViews[Section] | undefined)
  }, [engine, section, before])
  useEffect(() => void again(), [again])
  return { view, again }
}

/** One act at a time, and what came of it. */
export function useAct() {
  const engine = useEngine()
  const [result, setResult] = useState<OperatorResult>()
  const [working, setWorking] = useState(false)
  const act = async (asked: OperatorAct): Promise<OperatorResult | undefined> => {
    setResult(undefined)
    setWorking(true)
    const answer = await engine.operatorAct(asked)
    setWorking(false)
    setResult(answer)
    return answer
  }
  return { act, result, working, clear: () => setResult(undefined) }
}
