/** How far into its section an operator went: Back leads out of the last step, and out of the section only after that. */
import { createContext, useContext, useEffect, useEffectEvent } from 'react'

/** The ways out, the last step's last. */
export const StepsContext = createContext<(() => void)[]>([])

/** @param inside whether this step was taken @param leave takes it back */
export function useStep(inside: boolean, leave: () => void): void {
  const steps = useContext(StepsContext)
  const out = useEffectEvent(leave)
  useEffect(() => {
    if (!inside) return
    const step = () => out()
    steps.push(step)
    return () => void steps.splice(steps.indexOf(step), 1)
  }, [steps, inside])
}
